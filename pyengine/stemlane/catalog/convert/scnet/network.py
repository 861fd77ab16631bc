# SPDX-License-Identifier: MIT
"""SCNet as one ONNX graph for segments of one length: spectrogram in, those of the stems out.

What the original computes (scnet/SCNet.py, separation.py), in another order: signals lie as (bin, frame, channel), so
that convolutions along one axis are matrix products and a bin's frames are normalised where they lie. The Fourier
transforms along the frames are products with constant matrices. The fusion layers hear their input twice; their
weights for both are added up. All is computed in parts of a signal, for the memory. Where the encoder's signals are
large, the decoder's last block hears the first of them computed anew instead of kept.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.convert.scnet.architecture import CHANNELS, Architecture
from stemlane.catalog.convert.scnet.convolutions import Convolutions
from stemlane.catalog.convert.scnet.layers import BINS, EPSILON, Layers, Signal
from stemlane.catalog.convert.scnet.recurrences import Recurrences
from stemlane.catalog.convert.signal_parts import Part

_MOST_KEPT_VALUES = 1 << 25  # of the encoder for the decoder, 128 MiB; with more the first signal is not kept


def build_graph(
    found: Architecture, tensors: Mapping[str, np.ndarray], stems: Sequence[str], segment_samples: int
) -> GraphBuilder:
    """The graph for segments of `segment_samples`, as `spectral_models.Builder` describes it."""
    frames, bins = segment_samples // found.hop_samples + 1, found.num_bins
    layers = Layers(tensors, frames)
    graph, convolutions = layers.graph, Convolutions(layers)
    level = _Level(graph, frames * bins * CHANNELS) if found.normalises_segments else None
    signal = _heard(layers, level, [(0, bins)])
    skips = []
    for index, width in enumerate(found.widths):
        bands = found.bands(bins)
        skip = convolutions.encode(f"encoder.{index}", signal, bands, width, found.depths)
        skips.append((skip, bands))
        bins = skip.length
        signal = convolutions.convolved(f"encoder.{index}.globalconv", skip)
    kept = [skip.length * frames * width for (skip, _), width in zip(skips, found.widths, strict=True)]
    if sum(kept) > _MOST_KEPT_VALUES:
        # From halves: of the same input onnxruntime would compute the same signal only once, and keep it.
        middle, bands = found.num_bins // 2, skips[0][1]
        halves = _heard(layers, level, [(0, middle), (middle, found.num_bins)])
        # Finer: most is in memory when the first part is computed, since all others of the decoder wait for it.
        again = convolutions.encode("encoder.0", halves, bands, found.widths[0], found.depths, finer=2)
        skips[0] = again, bands
    signal = _separated(found, layers, signal)
    order = np.array([found.sources.index(stem) for stem in stems])
    for index in range(len(found.widths)):
        skip, bands = skips.pop()
        signal = convolutions.fused(f"decoder.{index}.0.conv", signal, skip, found.widths[-1 - index])
        outputs = None if skips else np.add.outer(order * CHANNELS, np.arange(CHANNELS)).ravel()
        signal = convolutions.decode(f"decoder.{index}.1", signal, bands, outputs)
    parts = [graph.node("Transpose", level.given(part.name) if level else part.name, perm=[1, 0, 2])
             for part in signal.parts]  # fmt: skip
    graph.node("Concat", *parts, axis=1, output="stem_spectrograms")
    return graph


def _heard(layers: Layers, level: "_Level | None", places: Sequence[tuple[int, int]]) -> Signal:
    """The input, normalised and cut at these bins."""
    graph, found = layers.graph, []
    for begin, end in places:
        part = graph.slice("spectrogram", 1, begin, end) if len(places) > 1 else "spectrogram"
        taken = level.taken(part) if level else part
        found.append(Part(graph.node("Transpose", taken, perm=[1, 0, 2]), begin, end))
    return Signal(found, BINS)


def _separated(found: Architecture, layers: Layers, source: Signal) -> Signal:
    """The dual-path layers: every second one hears a transform along the frames."""
    width, bins = found.widths[-1], source.length
    recurrences = Recurrences(layers, bins)
    signal = recurrences.cut(layers.whole(source), layers.frames, width)
    for index in range(found.num_layers):
        signal = recurrences.dual_path(f"separation_net.dp_modules.{index}", signal)
        transform = recurrences.from_frequencies if index % 2 else recurrences.to_frequencies
        signal = transform(signal, width)
    return Signal([Part(layers.whole(signal), 0, bins)], BINS)


class _Level:
    """Brings spectra of so many values to mean 0 and deviation 1, and back."""

    def __init__(self, graph: GraphBuilder, num_values: int):
        self._graph = graph
        rows = graph.shape("spectrogram", 1, num_values)
        mean = graph.mean(rows, 0, 1)
        centred = graph.node("Sub", rows, mean)
        unbiased = graph.constant(np.float32(num_values / (num_values - 1)))
        square = graph.node("Mul", graph.node("Mul", centred, centred), unbiased)
        self._mean = graph.shape(mean, 1)
        self._deviation = graph.shape(graph.node("Sqrt", graph.mean(square, 0, 1)), 1)

    def taken(self, source: str) -> str:
        """What the network hears."""
        graph = self._graph
        spread = graph.node("Add", self._deviation, graph.constant(EPSILON))
        return graph.node("Div", graph.node("Sub", source, self._mean), spread)

    def given(self, source: str) -> str:
        """What it gives, at the level that it heard."""
        return self._graph.node("Add", self._graph.node("Mul", source, self._deviation), self._mean)
