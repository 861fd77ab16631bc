# SPDX-License-Identifier: MIT
"""HTDemucs as one ONNX graph for segments of one length: spectrogram and waveform in, the stems' parts of both out.

S. Rouard, F. Massa, A. Défossez: Hybrid Transformers for Music Source Separation. ICASSP 2023. The layers are those of
Demucs 4.1.0 (demucs/htdemucs.py). The transforms between waveform and spectrogram are the front end's.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stemlane.catalog.convert.htdemucs.architecture import STRIDE, Architecture
from stemlane.catalog.convert.htdemucs.layers import Layers, Signal
from stemlane.catalog.convert.htdemucs.transformer import add_transformer
from stemlane.catalog.convert.onnx_graph import GraphBuilder

_EPSILON = np.float32(1e-5)  # of the inputs' normalisation


def write_network(
    found: Architecture, weights: Mapping[str, np.ndarray], stems: Sequence[str], segment_samples: int,
    folder: Path, name: str,
) -> tuple[Path, Path]:  # fmt: skip
    """Write `folder`/<name>.onnx and `folder`/<name>.weights, of which the latter is the same for all lengths.

    The graph maps `waveform` (samples, 2) and `spectrogram` (frames, bins, 2 channels x real and imaginary) to
    `stem_waveforms` (samples, stems x 2) and `stem_spectrograms` (frames, bins, stems x 2 x 2).

    Parameters
    ----------
    weights
        Checked.
    stems
        Those of the network's sources that are returned, in this order.
    segment_samples
        Length of the segment; there is a frame for every begun hop.

    Returns
    -------
    tuple
        The paths of both files.
    """
    graph = GraphBuilder()
    layers = Layers(graph, weights)
    frames = -(-segment_samples // found.hop_samples)
    waveform = Signal(graph.shape("waveform", 1, segment_samples, 2), 1, segment_samples, 2, True)
    spectrogram = Signal("spectrogram", frames, found.num_bins, 4, False)
    spectral, undo_spectral = _normalised(graph, spectrogram)
    wave, undo_wave = _normalised(graph, waveform)
    skips: list[tuple[Signal, Signal]] = []
    lengths: list[tuple[int, int]] = []
    for index in range(found.depth):
        lengths.append((spectral.positions, wave.positions))
        wave = _encode(layers, f"tencoder.{index}", wave)
        embedding = None if index else layers.get("freq_emb.embedding.weight") * found.embedding_scale
        spectral = _encode(layers, f"encoder.{index}", spectral, embedding)
        skips.append((spectral, wave))
    spectral, wave = add_transformer(layers, found, spectral, wave)
    indices = np.array([found.sources.index(stem) for stem in stems])
    for index in range(found.depth):
        is_last = index == found.depth - 1
        (spectral_skip, wave_skip), (bins, samples) = skips.pop(), lengths.pop()
        chosen = [np.add.outer(indices * size, np.arange(size)).ravel() if is_last else None for size in (4, 2)]
        parts = _decode(layers, f"decoder.{index}", spectral, spectral_skip, bins, chosen[0])
        wave_parts = _decode(layers, f"tdecoder.{index}", wave, wave_skip, samples, chosen[1])
        if not is_last:
            spectral, wave = (layers.joined([layers.gelu(part) for part in side]) for side in (parts, wave_parts))
    spectral = layers.joined([undo_spectral(part) for part in parts], "stem_spectrograms")
    wave = layers.joined([undo_wave(part) for part in wave_parts])
    graph.shape(wave.name, segment_samples, wave.channels, output="stem_waveforms")
    return graph.save(
        folder, name,
        {"waveform": (segment_samples, 2), "spectrogram": spectrogram.sizes},
        {"stem_waveforms": (segment_samples, wave.channels), "stem_spectrograms": spectral.sizes})  # fmt: skip


def _encode(layers: Layers, name: str, signal: Signal, added: np.ndarray | None = None) -> Signal:
    """A layer of an encoder; `added` (positions, channels) is added to what it gives."""
    outputs = len(layers.get(f"{name}.conv.bias"))
    positions = -(-signal.positions // STRIDE)
    parts = [(0, positions)] if signal.is_waveform else layers.parts(signal.time, positions, outputs)
    found = []
    for begin, end in parts:
        part = layers.gelu(layers.shorten(f"{name}.conv", signal, begin, end))
        part = layers.rewrite(f"{name}.rewrite", layers.residual_branch(name, part))
        if added is not None:
            part = part.of(layers.graph.node("Add", part.name, layers.graph.weight(added[np.newaxis, begin:end])))
        found.append(part)
    return layers.joined(found)


def _decode(
    layers: Layers, name: str, signal: Signal, skip: Signal, positions: int, outputs: np.ndarray | None
) -> list[Signal]:
    """A layer of a decoder, in parts that follow each other."""
    signal = layers.add(signal, skip)
    found = [
        layers.rewrite(f"{name}.rewrite", layers.window(signal, begin - 1, end + 1))
        for begin, end in layers.parts(*signal.sizes)
    ]
    if signal.is_waveform:
        found = [layers.joined(found)]
    found = [layers.residual_branch(name, part) for part in found]
    return layers.lengthen(f"{name}.conv_tr", found, positions, outputs)


def _normalised(graph: GraphBuilder, signal: Signal) -> tuple[Signal, Callable[[Signal], Signal]]:
    """The signal with mean 0 and deviation 1, and what puts both back."""
    mean = graph.mean(signal.name, 0, 1, 2)
    centred = graph.node("Sub", signal.name, mean)
    square = graph.mean(graph.node("Mul", centred, centred), 0, 1, 2)
    count = signal.rows * signal.channels  # torch divides by one less
    deviation = graph.node("Sqrt", graph.node("Mul", square, graph.constant(np.float32(count / (count - 1)))))
    scaled = graph.node("Div", centred, graph.node("Add", deviation, graph.constant(_EPSILON)))

    def undo(part: Signal) -> Signal:
        return part.of(graph.node("Add", graph.node("Mul", part.name, deviation), mean))

    return signal.of(scaled), undo
