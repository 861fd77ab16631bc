# SPDX-License-Identifier: MIT
"""Band-split RoFormers as one ONNX graph for segments of one length: spectrogram in, those of the stems out.

What the original computes (bs_roformer.py, mel_band_roformer.py), in another order. Attention is onnxruntime's own
operator, which never holds all products of queries and keys at once. Pairs that rotate together are put half a head
apart, by permuting the rows of queries and keys alike. Normalisations are one operator each.
Gates are products of their own. Where mel filters overlap, each bin gathers its masks and takes their mean.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.convert.roformer.architecture import CHANNELS, Architecture

_TINY = 1e-12  # torch's normalisation divides by at least that
_MOST_INNER_VALUES = 1 << 22  # of a feed-forward layer at once, 16 MiB; several such lie side by side


def build_graph(
    found: Architecture, tensors: Mapping[str, np.ndarray], stems: Sequence[int], segment_samples: int
) -> GraphBuilder:
    """The graph for segments of `segment_samples`, as `spectral_models.Builder` describes it."""
    frames = segment_samples // found.hop_samples + 1
    writer = _Writer(found, tensors, frames)
    graph = writer.graph
    signal = writer.split()  # (bands, frames, width)
    for block in range(found.num_blocks):
        for axis, depth in enumerate(found.depths):
            signal = writer.transformed(f"layers.{block}.{axis}", depth, signal)
    if not found.is_mel:
        signal = writer.normalised(signal, "final_norm.gamma")
    outputs = [writer.masked(stem, signal) for stem in stems]
    graph.node("Concat", *outputs, axis=2, output="stem_spectrograms")
    return graph


class _Writer:
    """Adds layers to a graph, with their tensors as the original names them."""

    def __init__(self, found: Architecture, tensors: Mapping[str, np.ndarray], frames: int):
        self.graph = GraphBuilder()
        self._found = found
        self._tensors = tensors
        self._rows, self._steps = len(found.bands), frames  # of the signal as it lies

    def _get(self, name: str) -> np.ndarray:
        return self._tensors[name].astype(np.float32)

    def _product(self, source: str, weight: np.ndarray, bias: np.ndarray | None = None) -> str:
        """`source` times the transposed `weight`, plus `bias`."""
        product = self.graph.node("MatMul", source, self.graph.weight(weight.T, mapped=True))
        return product if bias is None else self.graph.node("Add", product, self.graph.weight(bias))

    def normalised(self, source: str, gain: str) -> str:
        """Each vector at length root of its size, times a gain for each value."""
        values = self._get(gain)
        # What is added to the mean of the squares matters where the original's bound does, below 1e-12, and not above.
        return self.graph.node(
            "SimplifiedLayerNormalization", source, self.graph.weight(values), axis=-1, epsilon=_TINY**2 / len(values)
        )  # fmt: skip

    def transformed(self, name: str, depth: int, source: str) -> str:
        """All layers along one axis, after which rows and steps change places; some rows at a time, for the memory."""
        graph, found = self.graph, self._found
        inner_values = self._rows * self._steps * found.inner_width
        num_parts = min(-(-inner_values // _MOST_INNER_VALUES), self._rows)
        outputs = []
        for number in range(num_parts):
            begin, end = (self._rows * place // num_parts for place in (number, number + 1))
            part = graph.slice(source, 0, begin, end)
            for step in range(depth):
                part = self._attend(f"{name}.layers.{step}.0", part, end - begin)
                part = self._feed_forward(f"{name}.layers.{step}.1.net", part)
            if found.is_mel:
                part = self.normalised(part, f"{name}.norm.gamma")
            outputs.append(graph.node("Transpose", part, perm=[1, 0, 2]))
        self._rows, self._steps = self._steps, self._rows
        return graph.node("Concat", *outputs, axis=1)

    def split(self) -> str:
        """The spectrogram in bands, each brought to the network's width: (bands, frames, width)."""
        graph, found = self.graph, self._found
        flat = graph.shape("spectrogram", self._steps, found.num_bins * CHANNELS)
        parts = []
        for number, band in enumerate(found.bands):
            name = f"band_split.to_features.{number}"
            part = graph.slice(flat, 1, band.start * CHANNELS, band.end * CHANNELS)
            part = self.normalised(part, f"{name}.0.gamma")
            part = self._product(part, self._get(f"{name}.1.weight"), self._get(f"{name}.1.bias"))
            parts.append(graph.shape(part, 1, self._steps, found.width))
        return graph.node("Concat", *parts, axis=0)

    def _attend(self, name: str, source: str, rows: int) -> str:
        """Attention of each of so many rows' steps to each other, added to what it hears."""
        graph, found = self.graph, self._found
        heads = (found.num_heads, found.head_width, found.width)
        parts = [part.reshape(heads) for part in np.split(self._get(f"{name}.to_qkv.weight"), 3)]
        # Queries and keys: from pairs beside each other to pairs half a head apart.
        parts[:2] = [np.concatenate([part[:, 0::2], part[:, 1::2]], axis=1) for part in parts[:2]]
        inner = self.normalised(source, f"{name}.norm.gamma")
        query, key, value = (self._product(inner, part.reshape(-1, found.width)) for part in parts)
        angles = np.arange(self._steps)[:, np.newaxis] * self._get(f"{name}.rotary_embed.freqs").astype(np.float64)
        waves = [graph.constant(wave(angles).astype(np.float32)) for wave in (np.cos, np.sin)]
        first = graph.constant(np.zeros(1, np.int64))
        query, key = (
            graph.node("RotaryEmbedding", part, first, *waves, domain="com.microsoft", num_heads=found.num_heads)
            for part in (query, key)
        )
        mixed = graph.node("MultiHeadAttention", query, key, value, domain="com.microsoft", num_heads=found.num_heads)
        gates = self._product(inner, self._get(f"{name}.to_gates.weight"), self._get(f"{name}.to_gates.bias"))
        gates = graph.shape(graph.node("Sigmoid", gates), rows, self._steps, found.num_heads, 1)
        mixed = graph.shape(mixed, rows, self._steps, found.num_heads, found.head_width)
        mixed = graph.shape(graph.node("Mul", mixed, gates), rows, self._steps, -1)
        return graph.node("Add", source, self._product(mixed, self._get(f"{name}.to_out.0.weight")))

    def _feed_forward(self, name: str, source: str) -> str:
        """Two products, added to what they hear."""
        inner = self.normalised(source, f"{name}.0.gamma")
        inner = self._product(inner, self._get(f"{name}.1.weight"), self._get(f"{name}.1.bias"))
        inner = self.graph.node("Gelu", inner)
        inner = self._product(inner, self._get(f"{name}.4.weight"), self._get(f"{name}.4.bias"))
        return self.graph.node("Add", source, inner)

    def masked(self, stem: int, signal: str) -> str:
        """The spectrogram times the mask of one estimator, (frames, bins, 4)."""
        graph, found = self.graph, self._found
        masks = [self._mask(f"mask_estimators.{stem}.to_freqs.{number}.0", signal, number)
                 for number in range(len(found.bands))]  # fmt: skip
        mask = self._joined(graph.node("Concat", *masks, axis=1))
        shape = (self._steps, found.num_bins, CHANNELS // 2, 2)
        mask, mixture = graph.shape(mask, *shape), graph.shape("spectrogram", *shape)
        mask_real, mask_imaginary, real, imaginary = (
            graph.slice(part, 3, number, number + 1) for part in (mask, mixture) for number in (0, 1)
        )
        products = [
            graph.node(operator, graph.node("Mul", real, first), graph.node("Mul", imaginary, second))
            for operator, first, second in (("Sub", mask_real, mask_imaginary), ("Add", mask_imaginary, mask_real))
        ]
        return graph.shape(graph.node("Concat", *products, axis=3), self._steps, found.num_bins, CHANNELS)

    def _mask(self, name: str, signal: str, number: int) -> str:
        """What one band's estimator gives, (frames, values)."""
        graph, depth = self.graph, self._found.mask_depth
        inner = graph.shape(graph.slice(signal, 0, number, number + 1), self._steps, self._found.width)
        for step in range(depth - 1):
            weight, bias = self._get(f"{name}.{2 * step}.weight"), self._get(f"{name}.{2 * step}.bias")
            inner = graph.node("Tanh", self._product(inner, weight, bias))
        weight, bias = self._get(f"{name}.{2 * depth - 2}.weight"), self._get(f"{name}.{2 * depth - 2}.bias")
        half = len(bias) // 2
        value, gate = (self._product(inner, weight[part], bias[part]) for part in (slice(half), slice(half, None)))
        return graph.node("Mul", value, graph.node("Sigmoid", gate))

    def _joined(self, masks: str) -> str:
        """All bands' masks (frames, values of all bands) as one, (frames, bins x 4): the mean where bands overlap."""
        graph, found = self.graph, self._found
        places: list[list[int]] = [[] for _ in range(found.num_bins)]  # where a bin's values begin
        start = 0
        for band in found.bands:
            for value in range(band.start, band.end):
                places[value].append(start)
                start += CHANNELS
        most = max(map(len, places))
        weights = np.array([[(number < len(held)) / len(held) for held in places] for number in range(most)])
        if found.zero_lowest:
            weights[:, 0] = 0
        if not found.is_mel:
            spread = graph.constant(np.repeat(weights[0], CHANNELS).astype(np.float32))
            return graph.node("Mul", masks, spread) if found.zero_lowest else masks
        total = ""
        for number in range(most):
            starts = np.array([held[min(number, len(held) - 1)] for held in places])
            indices = np.add.outer(starts, np.arange(CHANNELS)).ravel()
            spread = graph.constant(np.repeat(weights[number], CHANNELS).astype(np.float32))
            part = graph.node("Mul", graph.node("Gather", masks, graph.constant(indices), axis=1), spread)
            total = graph.node("Add", total, part) if total else part
        return total
