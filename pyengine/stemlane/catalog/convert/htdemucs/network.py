# SPDX-License-Identifier: MIT
"""HTDemucs as one ONNX graph for segments of one length: spectrogram and waveform in, the stems' parts of both out.

S. Rouard, F. Massa, A. Défossez: Hybrid Transformers for Music Source Separation. ICASSP 2023. The layers are those of
Demucs 4.1.0 (demucs/htdemucs.py). The transforms between waveform and spectrogram are the front end's.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stemlane.catalog.convert.htdemucs.architecture import Architecture
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
        spectral = _encode(layers, f"encoder.{index}", spectral)
        if index == 0:
            embedding = layers.get("freq_emb.embedding.weight") * found.embedding_scale
            spectral = spectral.of(graph.node("Add", spectral.name, graph.weight(embedding[np.newaxis])))
        skips.append((spectral, wave))
    spectral, wave = add_transformer(layers, found, spectral, wave)
    indices = np.array([found.sources.index(stem) for stem in stems])
    for index in range(found.depth):
        is_last = index == found.depth - 1
        (spectral_skip, wave_skip), (bins, samples) = skips.pop(), lengths.pop()
        chosen = [np.add.outer(indices * size, np.arange(size)).ravel() if is_last else None for size in (4, 2)]
        spectral = _decode(layers, f"decoder.{index}", spectral, spectral_skip, bins, chosen[0], is_last)
        wave = _decode(layers, f"tdecoder.{index}", wave, wave_skip, samples, chosen[1], is_last)
    undo_spectral(spectral.name, "stem_spectrograms")
    undo_wave(graph.shape(wave.name, segment_samples, wave.channels), "stem_waveforms")
    return graph.save(
        folder, name,
        {"waveform": (segment_samples, 2), "spectrogram": spectrogram.sizes},
        {"stem_waveforms": (segment_samples, wave.channels), "stem_spectrograms": spectral.sizes})  # fmt: skip


def _encode(layers: Layers, name: str, signal: Signal) -> Signal:
    signal = layers.gelu(layers.shorten(f"{name}.conv", signal))
    return layers.rewrite(f"{name}.rewrite", layers.residual_branch(name, signal))


def _decode(
    layers: Layers, name: str, signal: Signal, skip: Signal, positions: int, outputs: np.ndarray | None, is_last: bool
) -> Signal:
    signal = layers.rewrite(f"{name}.rewrite", layers.add(signal, skip))
    signal = layers.lengthen(f"{name}.conv_tr", layers.residual_branch(name, signal), positions, outputs)
    return signal if is_last else layers.gelu(signal)


def _normalised(graph: GraphBuilder, signal: Signal) -> tuple[Signal, Callable[[str, str], None]]:
    """The signal with mean 0 and deviation 1, and what puts both back."""
    mean = graph.mean(signal.name, 0, 1, 2)
    centred = graph.node("Sub", signal.name, mean)
    square = graph.mean(graph.node("Mul", centred, centred), 0, 1, 2)
    count = signal.rows * signal.channels  # torch divides by one less
    deviation = graph.node("Sqrt", graph.node("Mul", square, graph.constant(np.float32(count / (count - 1)))))
    scaled = graph.node("Div", centred, graph.node("Add", deviation, graph.constant(_EPSILON)))
    flat_mean, flat_deviation = graph.shape(mean, 1), graph.shape(deviation, 1)

    def undo(source: str, output: str) -> None:
        graph.node("Add", graph.node("Mul", source, flat_deviation), flat_mean, output=output)

    return signal.of(scaled), undo
