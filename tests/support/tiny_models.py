# SPDX-License-Identifier: MIT
"""Builds tiny models with known behaviour: each stem is the mixture times a constant, delayed by the lookahead."""

import hashlib
import re
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def build_model(
    folder: Path,
    *,
    name: str = "tiny",
    masks=(0.5, 0.25, 0.125),
    stems=("vocals", "drums", "bass", "other"),
    residual="other",
    sample_rate: int = 44100,
    fft_samples: int = 256,
    synthesis_samples: int = 256,
    hop_samples: int = 64,
    frames_per_step: int = 2,
    lookahead_frames: int = 1,
    compute_allowance_samples: int = 512,
    fade_in: bool = False,
    poison_above: float | None = None,
    interleaved_states: int = 1,
    free_frames: bool = False,
) -> Path:
    """Write `folder/name` with manifest and network; returns that folder.

    `masks` has one entry per stem but the residual: a number, or an array (bins,). `fade_in` adds a state g, zero at
    first, and multiplies the stems of step k by g = 1 - 0.5^(k + 1). `poison_above` makes the output infinite in a
    step whose mixture spectrum exceeds that value. With `free_frames` the network takes any number of frames at once.
    """
    num_bins = fft_samples // 2 + 1
    mask = np.stack([np.broadcast_to(np.asarray(value, np.float32), (num_bins,)) for value in masks])
    graph = _graph(
        mask, num_bins, "frames" if free_frames else frames_per_step, lookahead_frames, fade_in, poison_above
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    folder = Path(folder) / name
    folder.mkdir(parents=True)
    network = model.SerializeToString()
    (folder / "network.onnx").write_bytes(network)
    states = [["history", "next_history"]] * bool(lookahead_frames) + [["fade", "next_fade"]] * fade_in
    (folder / "manifest.toml").write_text(
        f"""format = 1
name = "{name}"
title = "Tiny {name}"
kind = "streaming"
version = "0.1.0"
stems = {_toml_list(stems)}
residual = "{residual}"
sample_rate = {sample_rate}
compute_allowance_samples = {compute_allowance_samples}
licence = "MIT"
origin = "built by the tests"
training_data = "none"
[streaming]
fft_samples = {fft_samples}
synthesis_samples = {synthesis_samples}
hop_samples = {hop_samples}
frames_per_step = {frames_per_step}
lookahead_frames = {lookahead_frames}
interleaved_states = {interleaved_states}
free_frames = {str(free_frames).lower()}
[[files]]
path = "network.onnx"
sha256 = "{hashlib.sha256(network).hexdigest()}"
[tensors]
mixture = "mixture"
stems = "stems"
states = [{", ".join(_toml_list(pair) for pair in states)}]
""",
        encoding="utf-8",
    )
    return folder


def change_manifest(folder: Path, key: str, value) -> None:
    """Write another value, in TOML, for a key that stands at the beginning of a line."""
    path = folder / "manifest.toml"
    text = re.sub(rf"(?m)^{key} = .*$", lambda _: f"{key} = {value}", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def rehash(folder: Path) -> None:
    """Write the hash of the network that is there now."""
    change_manifest(folder, "sha256", f'"{hashlib.sha256((folder / "network.onnx").read_bytes()).hexdigest()}"')


def _toml_list(values) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _graph(mask, num_bins, frames, lookahead, fade_in, poison_above):
    def info(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    nodes, constants = [], []
    inputs = [info("mixture", [1, 2, 2, frames, num_bins])]
    outputs = [info("stems", [1, len(mask), 2, 2, frames, num_bins])]
    delayed = "mixture"
    if lookahead:
        inputs.append(info("history", [1, 2, 2, lookahead, num_bins]))
        outputs.append(info("next_history", [1, 2, 2, lookahead, num_bins]))
        nodes.append(helper.make_node("Concat", ["history", "mixture"], ["longer"], axis=3))
        nodes.append(
            helper.make_node(
                "Slice",
                ["longer", constant("zero", [0]), constant("older", [-lookahead]), constant("axis", [3])],
                ["delayed"],
            )
        )
        nodes.append(
            helper.make_node(
                "Slice",
                ["longer", constant("newest", [-lookahead]), constant("end", [2**31]), "axis"],
                ["next_history"],
            )
        )
        delayed = "delayed"
    nodes.append(helper.make_node("Unsqueeze", [delayed, constant("stem_axis", [1])], ["one"]))
    result = "masked"
    nodes.append(helper.make_node("Mul", ["one", constant("mask", mask.reshape(1, -1, 1, 1, 1, num_bins))], [result]))
    if fade_in:
        inputs.append(info("fade", [1]))
        outputs.append(info("next_fade", [1]))
        nodes.append(helper.make_node("Mul", ["fade", constant("half", np.float32([0.5]))], ["halved"]))
        nodes.append(helper.make_node("Add", ["halved", "half"], ["next_fade"]))
        nodes.append(helper.make_node("Mul", [result, "next_fade"], ["faded"]))
        result = "faded"
    if poison_above is not None:
        nodes.append(helper.make_node("ReduceMax", ["mixture"], ["peak"], keepdims=0))
        nodes.append(helper.make_node("Greater", ["peak", constant("limit", np.float32(poison_above))], ["loud"]))
        nodes.append(
            helper.make_node(
                "Where",
                ["loud", constant("infinity", np.float32(np.inf)), constant("nothing", np.float32(0))],
                ["poison"],
            )
        )
        nodes.append(helper.make_node("Add", [result, "poison"], ["poisoned"]))
        result = "poisoned"
    nodes.append(helper.make_node("Identity", [result], ["stems"]))
    return helper.make_graph(nodes, "tiny", inputs, outputs, constants)


def short_recording(sample_rate: int, seconds: float) -> np.ndarray:
    """Three seconds of noise in place of `stemlane.catalog.measured.recording`, whose song takes seconds to make."""
    del seconds
    return np.random.default_rng(3).uniform(-0.5, 0.5, (2, 3 * sample_rate)).astype(np.float32)
