# SPDX-License-Identifier: MIT
"""SCNet's encoder and decoder on signals cut along the bins: a part takes of its neighbours what it reaches."""

from collections.abc import Sequence

import numpy as np

from stemlane.catalog.convert.scnet.architecture import Band
from stemlane.catalog.convert.scnet.layers import BINS, EPSILON, Layers, Signal, cuts
from stemlane.catalog.convert.signal_parts import Part


class Convolutions:
    """Adds layers of encoder and decoder to a graph."""

    def __init__(self, layers: Layers):
        self._layers = layers
        self.graph = layers.graph

    def encode(
        self, name: str, source: Signal, bands: Sequence[Band], width: int, depths: Sequence[int], *, finer: int = 1
    ) -> Signal:
        """Bands apart: fewer bins, then the convolutions along the frames; no part lies in two bands."""
        graph, found, start = self.graph, [], 0
        for number, (band, depth) in enumerate(zip(bands, depths, strict=True)):
            convolution = f"{name}.SDlayer.convs.{number}"
            reached = band.stride * self._layers.get(f"{convolution}.weight").shape[1]  # values for each position
            for begin, end in cuts(band.positions, self._layers.frames, max(width, reached), finer=finer):
                part = self._fewer_bins(convolution, source, band, begin, end)
                for step in range(depth):
                    part = self._module(f"{name}.conv_modules.{number}.layers.{step}", part, width)
                found.append(Part(graph.node("Gelu", part), start + begin, start + end))
            start += band.positions
        return Signal(found, BINS)

    def _fewer_bins(self, name: str, source: Signal, band: Band, begin: int, end: int) -> str:
        """Positions begin to end of a band."""
        graph, frames, positions = self.graph, self._layers.frames, end - begin
        weight = self._layers.get(f"{name}.weight")[:, :, :, 0]  # (outputs, inputs, kernel)
        inputs = weight.shape[1]
        matrix = weight.transpose(2, 1, 0).reshape(-1, len(weight))
        first = begin * band.stride - band.before
        part = self._within(source, band.start, band.bins, first, (end - 1) * band.stride - band.before + band.kernel)
        if band.stride == 1:
            part = self._taps(part, range(band.kernel), positions)
        else:
            apart = graph.shape(part, positions, band.stride, frames, inputs)
            together = graph.node("Transpose", apart, perm=[0, 2, 1, 3])
            part = graph.shape(together, positions, frames, band.stride * inputs)
        return self._layers.product(part, matrix, self._layers.get(f"{name}.bias"))

    def _within(self, source: Signal, start: int, length: int, first: int, last: int) -> str:
        """Positions first to last of the `length` ones from `start` on; zeros outside of these."""
        before, after = max(-first, 0), max(last - length, 0)
        part = self._layers.window(source, start + first + before, start + last - after)
        return self.graph.pad(part, 3, BINS, before, after) if before or after else part

    def _taps(self, source: str, taps: Sequence[int], positions: int) -> str:
        """Beside each other as channels, for each tap the positions from it on."""
        found = [self.graph.slice(source, BINS, tap, tap + positions) for tap in taps]
        return self.graph.node("Concat", *found, axis=2) if len(found) > 1 else found[0]

    def _module(self, name: str, source: str, width: int) -> str:
        """Convolution along the frames, gated, then one for each channel; added to what it hears."""
        graph, get, product = self.graph, self._layers.get, self._layers.product
        weight = get(f"{name}.1.weight")  # (2 hidden, channels, 3)
        hidden = len(weight) // 2
        inner = self._row_norm(f"{name}.0", source, width)
        halves = []
        for half in (slice(0, hidden), slice(hidden, None)):
            taps = weight[half].transpose(1, 2, 0).reshape(width, 3 * hidden)
            bias = np.concatenate([np.zeros(hidden), get(f"{name}.1.bias")[half], np.zeros(hidden)])
            found = product(inner, taps, bias)
            halves.append(self._shifted([graph.slice(found, 2, tap * hidden, (tap + 1) * hidden) for tap in range(3)]))
        inner = graph.node("Mul", halves[0], graph.node("Sigmoid", halves[1]))
        weight = get(f"{name}.3.weight")[:, 0]
        taps_of_each = [graph.node("Mul", inner, graph.weight(weight[:, tap])) for tap in range(3)]
        inner = graph.node("Add", self._shifted(taps_of_each), graph.weight(get(f"{name}.3.bias")))
        inner = self._row_norm(f"{name}.4", inner, hidden)
        inner = graph.node("Mul", inner, graph.node("Sigmoid", inner))
        inner = product(inner, get(f"{name}.6.weight")[:, :, 0].T, get(f"{name}.6.bias"))
        return graph.node("Add", source, inner)

    def _shifted(self, taps: Sequence[str]) -> str:
        """The sum of what three taps of a kernel along the frames give for the frame before, this one, the next."""
        graph = self.graph
        before, here, after = taps
        sides = graph.node("Add", graph.pad(before, 3, 1, 1, -1), graph.pad(after, 3, 1, -1, 1))
        return graph.node("Add", sides, here)

    def _row_norm(self, name: str, source: str, width: int) -> str:
        """Normalise each bin over its frames and channels."""
        graph, frames = self.graph, self._layers.frames
        rows = graph.shape(source, 0, 1, frames * width)
        one, zero = graph.constant(np.ones(1, np.float32)), graph.constant(np.zeros(1, np.float32))
        scaled = graph.node("InstanceNormalization", rows, one, zero, epsilon=float(EPSILON))
        gain, bias = (graph.weight(self._layers.get(f"{name}.{end}")) for end in ("weight", "bias"))
        return graph.node("Add", graph.node("Mul", graph.shape(scaled, 0, frames, width), gain), bias)

    def convolved(self, name: str, source: Signal) -> Signal:
        """Convolution with 3 x 3 kernels."""
        weight, bias = self._layers.get(f"{name}.weight"), self._layers.get(f"{name}.bias")
        found = []
        for part in source.parts:
            first, last = max(part.begin - 1, 0), min(part.end + 1, source.length)
            planes = self._planes(self._layers.window(source, first, last))
            pads = [first - part.begin + 1, 1, part.end + 1 - last, 1]
            inner = self._from_planes(self._planes_convolved(planes, weight, bias, pads))
            found.append(Part(inner, part.begin, part.end))
        return Signal(found, BINS)

    def fused(self, name: str, source: Signal, skip: Signal, width: int) -> Signal:
        """The fusion layer, in the parts of `skip`: gated convolution with 3 x 3 kernels of the sum beside itself."""
        graph, found = self.graph, []
        weight, bias = self._layers.get(f"{name}.weight"), self._layers.get(f"{name}.bias")
        weight = weight[:, :width] + weight[:, width:]
        for part in skip.parts:
            first, last = max(part.begin - 1, 0), min(part.end + 1, skip.length)
            # Of these two onnxruntime computes the newer one first: `skip` may be computed only when it is heard.
            both = [self._layers.window(signal, first, last) for signal in (skip, source)]
            planes = self._planes(graph.node("Add", *both))
            pads = [first - part.begin + 1, 1, part.end + 1 - last, 1]
            value = self._planes_convolved(planes, weight[:width], bias[:width], pads)
            gate = self._planes_convolved(planes, weight[width:], bias[width:], pads)
            inner = self._from_planes(graph.node("Mul", value, graph.node("Sigmoid", gate)))
            found.append(Part(inner, part.begin, part.end))
        return Signal(found, BINS)

    def _planes(self, source: str) -> str:
        turned = self.graph.node("Transpose", source, perm=[2, 0, 1])
        return self.graph.node("Unsqueeze", turned, self.graph.constant(np.array([0])))

    def _planes_convolved(self, planes: str, weight: np.ndarray, bias: np.ndarray, pads: Sequence[int]) -> str:
        ends = self.graph.weight(weight), self.graph.weight(bias)
        return self.graph.node("Conv", planes, *ends, kernel_shape=[3, 3], pads=list(pads))

    def _from_planes(self, planes: str) -> str:
        flat = self.graph.node("Squeeze", planes, self.graph.constant(np.array([0])))
        return self.graph.node("Transpose", flat, perm=[1, 2, 0])

    def decode(self, name: str, source: Signal, bands: Sequence[Band], outputs: np.ndarray | None) -> Signal:
        """Bands apart: more bins, by transposed convolutions; `outputs` chooses some of the channels."""
        found, start = [], 0
        for number, band in enumerate(bands):
            weight = self._layers.get(f"{name}.convtrs.{number}.weight")[:, :, :, 0]  # (inputs, outputs, kernel)
            bias = self._layers.get(f"{name}.convtrs.{number}.bias")
            if outputs is not None:
                weight, bias = weight[:, outputs], bias[outputs]
            for part in source.parts:
                begin, end = part.begin - start, part.end - start
                if 0 <= begin < band.positions:
                    found.append(self._more_bins(source, start, band, (begin, end), weight, bias))
            start += band.positions
        return Signal(found, BINS)

    def _more_bins(
        self, source: Signal, start: int, band: Band, place: tuple[int, int], weight: np.ndarray, bias: np.ndarray
    ) -> Part:
        """The bins of some positions of a band, which begins at position `start`."""
        graph, frames, (begin, end) = self.graph, self._layers.frames, place
        positions, channels = end - begin, weight.shape[1]
        if band.stride == 1:
            side = band.kernel // 2
            part = self._within(source, start, band.positions, begin - side, end + side)
            # Output p takes tap j from input p + side - j.
            part = self._taps(part, range(band.kernel)[::-1], positions)
            part = self._layers.product(part, weight.transpose(2, 0, 1).reshape(-1, channels), bias)
            return Part(part, band.start + begin, band.start + end)
        matrix = weight.transpose(0, 2, 1).reshape(len(weight), -1)
        part = self._layers.window(source, start + begin, start + end)
        part = self._layers.product(part, matrix, np.tile(bias, band.kernel))
        apart = graph.shape(part, positions, frames, band.kernel, channels)
        together = graph.node("Transpose", apart, perm=[0, 2, 1, 3])
        part = graph.shape(together, positions * band.kernel, frames, channels)
        # The original cuts off as much before as after, rounded down.
        cut = (band.positions * band.kernel - band.bins) // 2
        first, last = max(begin * band.kernel, cut), min(end * band.kernel, cut + band.bins)
        part = graph.slice(part, BINS, first - begin * band.kernel, last - begin * band.kernel)
        return Part(part, band.start + first - cut, band.start + last - cut)
