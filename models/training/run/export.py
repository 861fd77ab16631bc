# SPDX-License-Identifier: MIT
"""Makes a model folder: ONNX graph with explicit states, manifest, and weights to continue from.

Run as `python -m models.training.run.export --config mix --weights PATH`. Nothing is written unless
onnxruntime agrees with torch over many steps. The model card is written by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from models.training.data.pool import STEMS
from models.training.network.configs import CONFIGS, ModelConfig
from models.training.network.network import NUM_STEMS, MaskNetwork, StreamingSeparator

from .rework import rework
from .trainer import load_weights

MODELS_FOLDER = Path(__file__).resolve().parents[2]
# Largest difference between onnxruntime and torch, relative to the largest spectrum value.
TOLERANCE = 1e-4


class ExportError(RuntimeError):
    """The graph does not do what the network does."""


def soften(network: MaskNetwork, temperature: float) -> MaskNetwork:
    """Divide the mask logits by `temperature`: above 1 the masks are less sure of themselves.

    A network is too sure on music unlike its training songs; the value is chosen on rendered songs (LOG.md).
    """
    with torch.no_grad():
        for value in [network.decoder.bias, *network.decoder.weights]:
            value.div_(temperature)
    return network


def half_precision(network: MaskNetwork) -> MaskNetwork:
    """The network with its weights rounded to float16 (still stored as float32)."""
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(value.half().float())
    return network


def state_names(count: int) -> list[tuple[str, str]]:
    """Names of the state tensors: (input, output)."""
    return [(f"state{index}", f"next_state{index}") for index in range(count)]


def write_graph(separator: StreamingSeparator, config: ModelConfig, path: Path) -> int:
    """Trace the separator into an ONNX file; returns the number of states."""
    states = separator.initial_states()
    mixture = torch.zeros(1, 2, 2, config.frames_per_step, config.stft.num_bins)
    names = state_names(len(states))
    with warnings.catch_warnings():
        # The tracing exporter is deprecated but needs no further package and writes LSTM nodes; it also
        # warns that a batch size is fixed, which is what a streaming graph wants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            separator.eval(),
            (mixture, *states),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["mixture"] + [name for name, _ in names],
            output_names=["stems"] + [name for _, name in names],
        )
    return len(states)


def store_weights_as_half(path: Path) -> None:
    """Store large float32 initialisers as float16 followed by a Cast; onnxruntime folds it when it loads."""
    model = onnx.load(str(path))
    graph = model.graph
    casts, kept = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 64 and np.array_equal(values, values.astype(np.float16)):
            name = tensor.name
            kept.append(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
            casts.append(onnx.helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT))
        else:
            kept.append(tensor)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """A session on one thread, as the engine opens it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def largest_difference(separator: StreamingSeparator, config: ModelConfig, path: Path, *, steps: int = 40) -> float:
    """Largest |onnxruntime - torch| over all stems of some steps with states, relative to the largest input."""
    session = open_session(path)
    rng = np.random.default_rng(5)
    states = separator.initial_states()
    names = state_names(len(states))
    feed_states = [state.numpy() for state in states]
    worst, largest = 0.0, 0.0
    for _ in range(steps):
        shape = (1, 2, 2, config.frames_per_step, config.stft.num_bins)
        level = 10.0 ** rng.uniform(-3, 1.5)  # from near silence to loud
        mixture = (rng.standard_normal(shape) * level).astype(np.float32)
        expected = separator(torch.from_numpy(mixture), *states)
        feed = {"mixture": mixture} | {name: value for (name, _), value in zip(names, feed_states, strict=True)}
        actual = session.run(["stems"] + [name for _, name in names], feed)
        states, feed_states = list(expected[1:]), actual[1:]
        worst = max(worst, float(np.abs(actual[0] - expected[0].numpy()).max()))
        largest = max(largest, float(np.abs(mixture).max()))
    return worst / largest


def manifest_text(config: ModelConfig, sha256: str, num_states: int, version: str) -> str:
    """The manifest of the model folder."""
    stems = ", ".join(f'"{stem}"' for stem in STEMS)
    states = ", ".join(f'["{name}", "{after}"]' for name, after in state_names(num_states))
    stft = config.stft
    return f"""# SPDX-License-Identifier: MIT
# Written by models/training/run/export.py; what the streaming front end needs to run {config.name}.
format = 1
name = "{config.name}"
title = "{config.title}"
kind = "streaming"
version = "{version}"
stems = [{stems}]
residual = "{STEMS[NUM_STEMS - 1]}"
sample_rate = 44100
compute_allowance_samples = {config.compute_allowance_samples}
licence = "MIT"
origin = "trained by the Stemlane project, models/training"
training_data = "openly licensed recordings and synthesised songs, named in MODEL_CARD.md"

[streaming]
fft_samples = {stft.fft_samples}
synthesis_samples = {stft.synthesis_samples}
hop_samples = {stft.hop_samples}
frames_per_step = {config.frames_per_step}
lookahead_frames = {config.lookahead_frames}
free_frames = true

[[files]]
path = "network.onnx"
sha256 = "{sha256}"

[tensors]
mixture = "mixture"
stems = "stems"
states = [{states}]
"""


def export(config: ModelConfig, weights: Path | None, folder: Path, *, version: str, temperature: float = 1.0) -> float:
    """Write network.onnx and manifest.toml into `folder`; returns the difference found.

    Raises
    ------
    ExportError, FramesError
        If onnxruntime and torch differ by more than `TOLERANCE`, or the graph cannot take several frames at once with
        the same bits; the folder is left as it was.
    """
    torch.manual_seed(0)
    network = MaskNetwork(config.network)
    if weights:
        network.load_state_dict(load_weights(weights))
    network = half_precision(soften(network, temperature)).eval()
    separator = StreamingSeparator(network, num_bins=config.stft.num_bins, lookahead_frames=config.lookahead_frames)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        path = Path(temporary) / "network.onnx"
        num_states = write_graph(separator, config, path)
        store_weights_as_half(path)
        onnx.save(rework(onnx.load(str(path)), lookahead_frames=config.lookahead_frames), str(path))
        difference = largest_difference(separator, config, path)
        if not difference <= TOLERANCE:
            raise ExportError(f"onnxruntime and torch differ by {difference:.2e} of the input, allowed {TOLERANCE:.0e}")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (folder / "manifest.toml").write_text(manifest_text(config, digest, num_states, version), encoding="utf-8")
        os.replace(path, folder / "network.onnx")
    return difference


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=sorted(CONFIGS), default="mix")
    parser.add_argument("--weights", type=Path, help="checkpoint or state dict; none: random weights")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("--temperature", type=float, default=1.0, help="see soften")
    options = parser.parse_args(arguments)
    config = CONFIGS[options.config]
    folder = options.folder or MODELS_FOLDER / config.name
    difference = export(config, options.weights, folder, version=options.version, temperature=options.temperature)
    size = (folder / "network.onnx").stat().st_size / 1e6
    print(f"{folder}: {size:.1f} MB, onnxruntime differs from torch by {difference:.1e} of the input")


if __name__ == "__main__":
    main()
