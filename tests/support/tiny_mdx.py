# SPDX-License-Identifier: MIT
"""A small random MDX-Net network, a manifest for it, and the original's procedure, slowly and in float64."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.spleeter_case import uniform

FFT, HOP, FRAMES, BINS = 384, 64, 16, 101
FOURIER = np.exp(-2j * np.pi * np.outer(np.arange(FFT), np.arange(FFT)) / FFT)
SEGMENT = HOP * (FRAMES - 1)
HIDDEN = 5
SILENT_BINS = 3


def weights() -> dict[str, np.ndarray]:
    """Two layers of 3 x 3 kernels, (outputs, inputs, bins, frames)."""
    return {
        "first": uniform("mdx/first", HIDDEN * 4 * 9).reshape(HIDDEN, 4, 3, 3).astype(np.float32) / 2,
        "bias": uniform("mdx/bias", HIDDEN).astype(np.float32),
        "second": uniform("mdx/second", 4 * HIDDEN * 9).reshape(4, HIDDEN, 3, 3).astype(np.float32) / 4,
    }


def network(bins: int = BINS, frames: int = FRAMES, batch: int | str = "batch") -> bytes:
    """The ONNX file: convolution, ReLU, convolution."""
    nodes = [
        helper.make_node("Conv", ["input", "first", "bias"], ["hidden"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["hidden"], ["rectified"]),
        helper.make_node("Conv", ["rectified", "second"], ["output"], pads=[1, 1, 1, 1]),
    ]
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 4, bins, frames])
               for name in ("input", "output")]  # fmt: skip
    constants = [numpy_helper.from_array(values, name) for name, values in weights().items()]
    graph = helper.make_graph(nodes, "mdx", tensors[:1], tensors[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def build_mdx(folder: Path, *, name: str = "tiny", stems=("vocals", "other"), residual: str = "other", **settings):
    """Write `folder/name` with manifest and network; returns that folder."""
    numbers = {
        "fft_samples": FFT, "hop_samples": HOP, "segment_frames": FRAMES, "network_bins": BINS,
        "silent_bins": SILENT_BINS, "stride_samples": SEGMENT - FFT, "weights": '"hann"', "crossfade_samples": 0,
        "compensation": 1.03, "both_signs": "false", **settings,
    }  # fmt: skip
    content = network()
    folder = Path(folder) / name
    folder.mkdir(parents=True)
    (folder / "network.onnx").write_bytes(content)
    (folder / "manifest.toml").write_text(
        f"""format = 1
name = "{name}"
title = "Tiny {name}"
kind = "mdx"
version = "0.1.0"
stems = ["{stems[0]}", "{stems[1]}"]
residual = "{residual}"
sample_rate = 44100
compute_allowance_samples = 2048
licence = "MIT"
origin = "built by the tests"
training_data = "none"
[mdx]
"""
        + "".join(f"{key} = {value}\n" for key, value in numbers.items())
        + f"""[[files]]
path = "network.onnx"
sha256 = "{hashlib.sha256(content).hexdigest()}"
[tensors]
spectrum = "input"
stem = "output"
""",
        encoding="utf-8",
    )
    return folder


def slow_network(spectrum: np.ndarray) -> np.ndarray:
    """What the network gives for (4, bins, frames), in float64."""

    def convolved(planes, kernels):
        padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)))
        total = np.zeros((len(kernels), *planes.shape[1:]))
        for output, kernel in enumerate(kernels.astype(np.float64)):
            for channel in range(len(planes)):
                for row in range(3):
                    for column in range(3):
                        part = padded[channel, row : row + planes.shape[1], column : column + planes.shape[2]]
                        total[output] += kernel[channel, row, column] * part
        return total

    known = weights()
    hidden = convolved(spectrum, known["first"]) + known["bias"].astype(np.float64)[:, np.newaxis, np.newaxis]
    return convolved(np.maximum(hidden, 0), known["second"])


def slow_segment(segment: np.ndarray, *, both_signs: bool = False) -> np.ndarray:
    """The stem of one segment (2, SEGMENT): centred transform with mirrored edges, network, and back."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    spectrum = np.zeros((4, BINS, FRAMES))
    for channel in range(2):
        mirrored = [segment[channel, abs(n) if n < SEGMENT else 2 * (SEGMENT - 1) - n]
                    for n in range(-FFT // 2, SEGMENT + FFT // 2)]  # fmt: skip
        for frame in range(FRAMES):
            values = (FOURIER @ (window * mirrored[frame * HOP : frame * HOP + FFT]))[:BINS]
            values[:SILENT_BINS] = 0
            spectrum[2 * channel, :, frame], spectrum[2 * channel + 1, :, frame] = values.real, values.imag
    found = slow_network(spectrum)
    if both_signs:
        found = 0.5 * found - 0.5 * slow_network(-spectrum)
    stem = np.zeros((2, SEGMENT + FFT))
    envelope = np.zeros(SEGMENT + FFT)
    for frame in range(FRAMES):
        place = slice(frame * HOP, frame * HOP + FFT)
        envelope[place] += window**2
        for channel in range(2):
            full = np.zeros(FFT // 2 + 1, complex)
            full[:BINS] = found[2 * channel, :, frame] + 1j * found[2 * channel + 1, :, frame]
            both = np.concatenate([full, np.conj(full[-2:0:-1])])  # the other half of a real signal's spectrum
            both[0], both[FFT // 2] = both[0].real, both[FFT // 2].real
            signal = (np.conj(FOURIER) @ both).real / FFT
            stem[channel, place] += window * signal
    return (stem / np.where(envelope > 0, envelope, 1))[:, FFT // 2 : FFT // 2 + SEGMENT]


def slow_separation(mixture: np.ndarray, *, stride: int, hann: bool, compensation: float, both_signs: bool = False):
    """The original's procedure for a whole recording (2, samples), positions counted from half a transform before it.

    With `hann` as Ultimate Vocal Remover from 5.6 on, else as before: the middle of each segment is kept.
    """
    edge, inner, num_samples = FFT // 2, SEGMENT - FFT, mixture.shape[1]
    pad = inner - num_samples % inner
    padded = np.concatenate([np.zeros((2, edge)), mixture, np.zeros((2, pad + edge))], axis=1)
    total, weight_sum = np.zeros_like(padded), np.zeros(padded.shape[1])
    for start in range(0, padded.shape[1] if hann else num_samples + pad, stride):
        part = padded[:, start : start + SEGMENT]
        filled = np.zeros((2, SEGMENT))
        filled[:, : part.shape[1]] = part
        stem = slow_segment(filled, both_signs=both_signs) if filled.any() else filled
        weights = np.hanning(part.shape[1]) if hann else np.zeros(part.shape[1])
        if not hann:
            weights[edge : SEGMENT - edge] = 1
        total[:, start : start + part.shape[1]] += weights * stem[:, : part.shape[1]]
        weight_sum[start : start + part.shape[1]] += weights
    inside = slice(edge, edge + num_samples)
    return compensation * total[:, inside] / weight_sum[inside]
