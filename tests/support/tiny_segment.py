# SPDX-License-Identifier: MIT
"""A model of the kind `segment` whose network weights each bin of the spectrum, and what that comes to, slowly."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FFT, HOP, BINS, SEGMENT, PADDING = 256, 64, 120, 4000, 32
FRAMES = (SEGMENT + PADDING) // HOP + 1
STEMS = ("vocals", "drums")


def bin_weights() -> np.ndarray:
    """(stems, bins): vocals are the higher ones, drums half of the lower ones."""
    bins = np.arange(BINS)
    return np.stack([bins / BINS, 0.5 * (bins < 40)]).astype(np.float32)


def network() -> bytes:
    """The ONNX file: the spectrum, times a weight for each bin and stem."""
    nodes = [
        helper.make_node("Mul", ["spectrogram", "first"], ["a"]),
        helper.make_node("Mul", ["spectrogram", "second"], ["b"]),
        helper.make_node("Concat", ["a", "b"], ["stem_spectrograms"], axis=2),
    ]
    constants = [numpy_helper.from_array(weights.reshape(1, BINS, 1), name)
                 for weights, name in zip(bin_weights(), ("first", "second"), strict=True)]  # fmt: skip
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [FRAMES, BINS, width])
            for name, width in (("spectrogram", 4), ("stem_spectrograms", 8))]  # fmt: skip
    graph = helper.make_graph(nodes, "segment", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def build_segment(folder: Path, *, name: str = "tiny", **settings) -> Path:
    """Write `folder/name` with manifest and network; returns that folder."""
    numbers = {
        "fft_samples": FFT, "hop_samples": HOP, "window": '"hann"', "normalised": "false", "frames": '"centred"',
        "network_bins": BINS, "segment_samples": SEGMENT, "padding_samples": PADDING,
        "segment_stride_samples": SEGMENT // 2, "stride_samples": SEGMENT // 4, "level": '"none"',
        "networks": '[["network.onnx", "vocals", "drums"]]', **settings,
    }  # fmt: skip
    content = network()
    folder = Path(folder) / name
    folder.mkdir(parents=True)
    (folder / "network.onnx").write_bytes(content)
    lines = "".join(f"{key} = {value}\n" for key, value in numbers.items())
    (folder / "manifest.toml").write_text(
        f"""format = 1
name = "{name}"
title = "Tiny {name}"
kind = "segment"
version = "0.1.0"
stems = ["vocals", "drums", "other"]
residual = "other"
sample_rate = 44100
compute_allowance_samples = 2048
licence = "MIT"
origin = "built by the tests"
training_data = "none"
[segment]
{lines}
[[files]]
path = "network.onnx"
sha256 = "{hashlib.sha256(content).hexdigest()}"
[tensors]
""",
        encoding="utf-8",
    )
    return folder


def slow_segment(segment: np.ndarray, *, window: str = "hann") -> np.ndarray:
    """Stems (stems, 2, SEGMENT) of a segment (2, SEGMENT), in float64, from the definition of the transform."""
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT) if window == "hann" else np.ones(FFT)
    fourier = np.exp(-2j * np.pi * np.outer(np.arange(FFT), np.arange(FFT)) / FFT)
    length = SEGMENT + PADDING
    padded = np.concatenate([segment, np.zeros((2, PADDING))], axis=1)
    places = np.arange(-FFT // 2, length + FFT // 2)
    mirrored = padded[:, np.where(places < length, np.abs(places), 2 * (length - 1) - places)]
    stems, envelope = np.zeros((len(STEMS), 2, len(places))), np.zeros(len(places))
    for frame in range(FRAMES):
        place = slice(frame * HOP, frame * HOP + FFT)
        envelope[place] += shape**2
        for channel in range(2):
            spectrum = fourier @ (shape * mirrored[channel, place])
            for stem, weights in enumerate(bin_weights().astype(np.float64)):
                both = np.zeros(FFT)
                both[:BINS] = weights
                both[FFT - BINS + 1 :] = weights[:0:-1]
                stems[stem, channel, place] += shape * (np.conj(fourier) @ (spectrum * both)).real / FFT
    return (stems / np.where(envelope > 0, envelope, 1))[:, :, FFT // 2 : FFT // 2 + SEGMENT]
