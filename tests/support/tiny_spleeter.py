# SPDX-License-Identifier: MIT
"""Tiny `spleeter` and `open-unmix` models whose masks depend on few frames, and how the originals use them."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FFT, HOP = 512, 128
REACH_FRAMES = 2  # a mask depends on that many frames on each side


def build_spleeter(
    folder: Path,
    *,
    name: str = "tiny-spleeter",
    kind: str = "spleeter",
    segment_frames: int = 64,
    stride_frames: int = 64,
    crossfade_frames: int = 0,
    network_bins: int = 192,
    mask_extension: str = "zeros",
    steepness: float = 1.0,
    stems=("vocals", "drums", "other"),
    wiener_iterations: int = 0,
    wiener_frames: int = 64,
) -> Path:
    """Write `folder/name` with manifest and network; returns that folder.

    Mask i is 1 / (i + 1 + steepness * mean magnitude of the five frames around): constant for `steepness` 0.
    Magnitudes, the residual's too, are the mixture's times the masks.
    """
    kernel = np.zeros((2, 1, 2 * REACH_FRAMES + 1, 1), np.float32) + steepness / (2 * REACH_FRAMES + 1)
    offsets = np.arange(1, len(stems) + 1, dtype=np.float32).reshape(1, -1, 1, 1, 1)
    constants = [
        numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(offsets, "offsets"),
        numpy_helper.from_array(np.array([1]), "axis"), numpy_helper.from_array(np.array([0]), "first"),
        numpy_helper.from_array(np.array([len(stems) - 1]), "last"),
    ]  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["magnitude", "kernel"], ["mean"], group=2, pads=[REACH_FRAMES, 0, REACH_FRAMES, 0]),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["one"]),
        helper.make_node("Add", ["one", "offsets"], ["sum"]),
        helper.make_node("Reciprocal", ["sum"], ["all"]),
        helper.make_node("Slice", ["all", "first", "last", "axis"], ["masks"]),
        helper.make_node("Unsqueeze", ["magnitude", "axis"], ["mixture"]),
        helper.make_node("Mul", ["all", "mixture"], ["magnitudes"]),
    ]
    free = ["frames", "bins"]
    inputs = [helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, [1, 2, *free])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, num_stems, 2, *free])
        for name, num_stems in (("masks", len(stems) - 1), ("magnitudes", len(stems)))
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    network = model.SerializeToString()
    folder = Path(folder) / name
    folder.mkdir(parents=True)
    (folder / "network.onnx").write_bytes(network)
    quoted = ", ".join(f'"{stem}"' for stem in stems)
    if kind == "spleeter":
        own = f'network_bins = {network_bins}\nmask_extension = "{mask_extension}"\n'
    else:
        own = f"wiener_frames = {wiener_frames}\n"
    (folder / "manifest.toml").write_text(
        f"""format = 1
name = "{name}"
title = "Tiny {name}"
kind = "{kind}"
version = "0.1.0"
stems = [{quoted}]
residual = "{stems[-1]}"
sample_rate = 44100
compute_allowance_samples = 2048
licence = "MIT"
origin = "built by the tests"
training_data = "none"
[{kind}]
fft_samples = {FFT}
hop_samples = {HOP}
segment_frames = {segment_frames}
stride_frames = {stride_frames}
crossfade_frames = {crossfade_frames}
{own}wiener_iterations = {wiener_iterations}
[[files]]
path = "network.onnx"
sha256 = "{hashlib.sha256(network).hexdigest()}"
[tensors]
magnitude = "magnitude"
masks = "masks"
magnitudes = "magnitudes"
""",
        encoding="utf-8",
    )
    return folder


def tiny_masks(magnitude: np.ndarray, steepness: float, num_masks: int) -> np.ndarray:
    """What the network above gives for (channels, frames, bins), frame by frame in float64."""
    masks = np.empty((num_masks, *magnitude.shape))
    num_frames = magnitude.shape[1]
    for frame in range(num_frames):
        near = magnitude[:, max(frame - REACH_FRAMES, 0) : frame + REACH_FRAMES + 1].sum(axis=1)
        for mask in range(num_masks):
            masks[mask, :, frame] = 1 / (mask + 1 + steepness * near / (2 * REACH_FRAMES + 1))
    return masks


def slow_separation(
    mixture: np.ndarray,
    *,
    segment_frames: int,
    network_bins: int,
    mask_extension: str,
    steepness: float,
    num_masks: int,
) -> np.ndarray:
    """The original's offline procedure in float64: (masks, channels, samples) of (channels, samples).

    One frame of zeros in front, frames to the end of the padded signal, segments from the first frame on, the last
    one filled up with zeros, masks, overlap-add with 2/3, cut.
    """
    num_channels, num_samples = mixture.shape
    padded = np.concatenate([np.zeros((num_channels, FFT)), mixture], axis=1)
    num_frames = -(-padded.shape[1] // HOP)
    padded = np.pad(padded, ((0, 0), (0, num_frames * HOP + FFT - padded.shape[1])))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    spectra = np.stack(
        [np.fft.rfft(padded[:, k * HOP : k * HOP + FFT] * window, axis=-1) for k in range(num_frames)], axis=1
    )
    num_segments = -(-num_frames // segment_frames)
    magnitude = np.zeros((num_channels, num_segments * segment_frames, network_bins))
    magnitude[:, :num_frames] = np.abs(spectra[:, :, :network_bins])
    segments = np.split(magnitude, num_segments, axis=1)
    masks = np.concatenate([tiny_masks(part, steepness, num_masks) for part in segments], axis=2)[:, :, :num_frames]
    above = masks.mean(axis=-1, keepdims=True) * (mask_extension == "average")
    above = np.broadcast_to(above, (*masks.shape[:3], FFT // 2 + 1 - network_bins))
    frames = np.fft.irfft(spectra * np.concatenate([masks, above], axis=-1), FFT) * window * 2 / 3
    stems = np.zeros((num_masks, num_channels, num_frames * HOP + FFT))
    for k in range(num_frames):
        stems[:, :, k * HOP : k * HOP + FFT] += frames[:, :, k]
    return stems[:, :, FFT : FFT + num_samples]


def slow_open_unmix(mixture: np.ndarray, *, steepness: float, num_masks: int) -> np.ndarray:
    """Open-Unmix's procedure in float64: (masks, channels, samples) of (channels, samples), masks for the whole."""
    spectra = open_unmix_spectra(mixture)
    return open_unmix_signals(spectra * tiny_masks(np.abs(spectra), steepness, num_masks), mixture.shape[1])


def open_unmix_spectra(mixture: np.ndarray) -> np.ndarray:
    """Frames centred on multiples of the hop, the recording mirrored at its ends: (channels, frames, bins)."""
    padded = np.pad(mixture.astype(np.float64), ((0, 0), (FFT // 2, FFT // 2)), mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    num_frames = mixture.shape[1] // HOP + 1
    frames = np.stack([padded[:, k * HOP : k * HOP + FFT] * window for k in range(num_frames)], axis=1)
    return np.fft.rfft(frames, axis=-1)


def open_unmix_signals(spectra: np.ndarray, num_samples: int) -> np.ndarray:
    """Overlap-add of (stems, channels, frames, bins), divided by the sum of the squared windows that are there."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    found = np.fft.irfft(spectra, FFT) * window
    stems, envelope = np.zeros((*spectra.shape[:2], num_samples + FFT)), np.zeros(num_samples + FFT)
    for k in range(spectra.shape[2]):
        stems[:, :, k * HOP : k * HOP + FFT] += found[:, :, k]
        envelope[k * HOP : k * HOP + FFT] += window**2
    inside = slice(FFT // 2, FFT // 2 + num_samples)
    return stems[:, :, inside] / envelope[inside]
