# SPDX-License-Identifier: MIT
"""Layers of HTDemucs's encoders and decoders as matrix products. What the original computes, in another order.

Signals lie as (time, position, channel): frames, bins and channels of the spectrogram; for the waveform one frame
whose positions are its samples. A convolution with stride 4 and kernel 8 is then a product of two neighbouring groups
of four positions, side by side in memory, with its weights. Group normalisation of a linear layer's output needs no
pass over that output: its mean and variance follow from the layer's few inputs.

What an encoder or decoder holds between its input and its output is several times as large as either. So they take the
bins of the spectrogram in parts, which no layer but the convolutions along the positions mixes, and those need a
position or two of the neighbours. A waveform is normalised along its positions, so it is cut for convolutions only.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stemlane.catalog.convert.htdemucs.architecture import KERNEL, STRIDE
from stemlane.catalog.convert.onnx_graph import GraphBuilder

_NORM_EPSILON = np.float32(1e-5)  # torch's default
_PAD = KERNEL // 4
_PART_VALUES = 1 << 20  # of a signal that is computed at once, 4 MiB: more takes memory, less takes time


@dataclass(frozen=True)
class Signal:
    """A tensor of the graph and its sizes; `is_waveform` if time runs along the positions."""

    name: str
    time: int
    positions: int
    channels: int
    is_waveform: bool

    @property
    def rows(self) -> int:
        """Rows of the matrix with one column for each channel."""
        return self.time * self.positions

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The shape of the tensor."""
        return self.time, self.positions, self.channels

    def of(self, name: str, *, positions: int = 0, channels: int = 0) -> "Signal":
        """A signal of the same kind."""
        return Signal(name, self.time, positions or self.positions, channels or self.channels, self.is_waveform)


class Layers:
    """Adds layers to a graph, with their weights as Demucs names them, in float64."""

    def __init__(self, graph: GraphBuilder, weights: Mapping[str, np.ndarray]):
        self.graph = graph
        self._weights = weights

    def get(self, name: str) -> np.ndarray:
        """A weight in float64."""
        return self._weights[name].astype(np.float64)

    def product(self, signal: Signal, columns: int, weight: np.ndarray, bias: np.ndarray, source: str = "") -> Signal:
        """`source` (or the signal) as a matrix of `columns` times `weight` (columns, outputs), plus `bias`."""
        graph = self.graph
        # Of a node's sources onnxruntime computes the latest one first: the weight, if it comes later than the matrix.
        ends = graph.weight(weight), graph.weight(bias)
        matrix = graph.shape(source or signal.name, signal.rows, columns)
        matrix = graph.node("Gemm", matrix, *ends)
        outputs = weight.shape[1]
        return signal.of(graph.shape(matrix, signal.time, signal.positions, outputs), channels=outputs)

    def gated(self, signal: Signal, columns: int, weight: np.ndarray, bias: np.ndarray, source: str = "") -> Signal:
        """The same through a gated linear unit: the second half of the outputs gates the first."""
        half = weight.shape[1] // 2
        value = self.product(signal, columns, weight[:, :half], bias[:half], source)
        gate = self.product(signal, columns, weight[:, half:], bias[half:], source)
        return value.of(self.graph.node("Mul", value.name, self.graph.node("Sigmoid", gate.name)))

    def gelu(self, signal: Signal) -> Signal:
        """The Gaussian error linear unit."""
        return signal.of(self.graph.node("Gelu", signal.name))

    def add(self, first: Signal, second: Signal) -> Signal:
        """The sum of two signals of equal sizes."""
        return first.of(self.graph.node("Add", first.name, second.name))

    def parts(self, time: int, positions: int, channels: int) -> list[tuple[int, int]]:
        """Begins and ends of the positions that are computed at once."""
        num_parts = min(max(1, round(time * positions * channels / _PART_VALUES)), positions)
        return list(itertools.pairwise(positions * part // num_parts for part in range(num_parts + 1)))

    def window(self, signal: Signal, begin: int, end: int) -> Signal:
        """Positions begin to end; those outside the signal are zeros."""
        if (begin, end) == (0, signal.positions):
            return signal
        if begin >= 0 and end <= signal.positions:
            name = self.graph.slice(signal.name, 1, begin, end)
        else:
            name = self.graph.pad(signal.name, 3, 1, -begin, end - signal.positions)
        return signal.of(name, positions=end - begin)

    def joined(self, parts: Sequence[Signal], output: str | None = None) -> Signal:
        """The parts one after the other along the positions."""
        if len(parts) == 1 and output is None:
            return parts[0]
        name = self.graph.node("Concat", *(part.name for part in parts), axis=1, output=output)
        return parts[0].of(name, positions=sum(part.positions for part in parts))

    def shorten(self, name: str, signal: Signal, begin: int, end: int) -> Signal:
        """Positions begin to end of a convolution along the positions, kernel 8, stride 4, padded as the original."""
        graph, columns = self.graph, STRIDE * signal.channels
        halves = []
        for first in (STRIDE * begin - _PAD, STRIDE * (begin + 1) - _PAD):  # of the kernel's first and second half
            half = self.window(signal, first, first + STRIDE * (end - begin))
            halves.append(graph.shape(half.name, signal.time, end - begin, columns))
        pairs = graph.node("Concat", *halves, axis=2)
        weight = self.get(f"{name}.weight").reshape(-1, signal.channels, KERNEL)  # (outputs, inputs, kernel)
        matrix = weight.transpose(2, 1, 0).reshape(KERNEL * signal.channels, -1)
        part = signal.of("", positions=end - begin)
        return self.product(part, len(matrix), matrix, self.get(f"{name}.bias"), pairs)

    def lengthen(
        self, name: str, parts: Sequence[Signal], positions: int, outputs: np.ndarray | None = None
    ) -> list[Signal]:
        """Transposed convolution along the positions, kernel 8, stride 4, cropped to `positions`, of each part.

        `outputs` chooses some of the output channels.
        """
        channels = parts[0].channels
        weight, bias = self.get(f"{name}.weight"), self.get(f"{name}.bias")
        weight = weight.reshape(channels, -1, KERNEL)  # (inputs, outputs, kernel)
        if outputs is not None:
            weight, bias = weight[:, outputs], bias[outputs]
        halves = [weight[:, :, part : part + STRIDE] for part in (0, STRIDE)]
        matrix = np.concatenate([half.transpose(0, 2, 1).reshape(channels, -1) for half in halves])
        bias = np.tile(bias, STRIDE)
        longer, done = [], -_PAD
        for index, part in enumerate(parts):
            pairs = self._group_pairs(parts, index)
            groups = self.product(pairs, 2 * channels, matrix, bias)
            found = groups.of(
                self.graph.shape(groups.name, part.time, groups.positions * STRIDE, weight.shape[1]),
                positions=groups.positions * STRIDE, channels=weight.shape[1],
            )  # fmt: skip
            begin, end = max(0, -done), min(found.positions, positions - done)
            done += found.positions
            longer.append(found if end - begin == found.positions else self.window(found, begin, end))
        return longer

    def _group_pairs(self, parts: Sequence[Signal], index: int) -> Signal:
        """For each group of four positions what its two halves of the kernel take: input g, and input g - 1.

        There is a group more than inputs, which belongs to the last part.
        """
        part, more = parts[index], index == len(parts) - 1
        here = self.window(part, 0, part.positions + 1) if more else part
        before = self.window(part, -1, here.positions - 1)
        if index:
            tail = self.window(parts[index - 1], parts[index - 1].positions - 1, parts[index - 1].positions)
            before = self.joined([tail, self.window(part, 0, here.positions - 1)])
        name = self.graph.node("Concat", here.name, before.name, axis=2)
        return here.of(name, channels=2 * part.channels)

    def rewrite(self, name: str, signal: Signal) -> Signal:
        """Gated convolution without stride: kernel 1 in the encoders, 3 along all axes in the decoders.

        With kernel 3 the signal has a position more at either end, which is given up.
        """
        weight, bias = self.get(f"{name}.weight"), self.get(f"{name}.bias")
        if weight.shape[2] == 1:
            matrix = weight.reshape(*weight.shape[:2]).T
            return self.gated(signal, len(matrix), matrix, bias)
        if not signal.is_waveform:
            return self._rewrite_pairs(signal, weight.transpose(3, 2, 1, 0), bias)
        matrix = weight.transpose(2, 1, 0).reshape(-1, len(weight))
        near = self._neighbours(signal)
        return self.gated(near.of("", channels=signal.channels), len(matrix), matrix, bias, near.name)

    def _rewrite_pairs(self, signal: Signal, taps: np.ndarray, bias: np.ndarray) -> Signal:
        """Gated convolution with `taps` (3 of time, 3 of position, inputs, outputs), two frames at once.

        Two outputs of a filter with three taps take four products instead of six: F(2, 3) of A. Lavin, S. Gray: Fast
        Algorithms for Convolutional Neural Networks. CVPR 2016.
        """
        graph = self.graph
        first, middle, last = taps.reshape(3, -1, len(bias))
        matrices = first, (first + middle + last) / 2, (first - middle + last) / 2, last
        biases = [bias if number == 1 else np.zeros_like(bias) for number in range(4)]  # the second is in both outputs
        num_pairs = -(-signal.time // 2)
        padded = graph.pad(signal.name, 3, 0, 1, 1 + 2 * num_pairs - signal.time)
        pairs = graph.shape(padded, num_pairs + 1, 2, signal.positions * signal.channels)
        half = replace(signal, time=num_pairs)
        quarters = [
            graph.shape(graph.node("Slice", pairs, *(graph.constant(np.array(ends)) for ends in (
                [shift, parity], [shift + num_pairs, parity + 1], [0, 1]))), *half.sizes)
            for shift in (0, 1) for parity in (0, 1)
        ]  # fmt: skip
        sources = [
            half.of(graph.node(operator, quarters[left], quarters[right]))
            for operator, left, right in (("Sub", 0, 2), ("Add", 1, 2), ("Sub", 2, 1), ("Sub", 1, 3))
        ]
        products = [
            self.product(self._neighbours(source), len(matrix), matrix, offset)
            for source, matrix, offset in zip(sources, matrices, biases, strict=True)
        ]
        names = [product.name for product in products]
        outputs = [
            graph.node("Add", graph.node("Add", names[0], names[1]), names[2]),
            graph.node("Sub", graph.node("Sub", names[1], names[2]), names[3]),
        ]
        positions = products[0].positions
        outputs = [graph.shape(output, num_pairs, 1, positions * len(bias)) for output in outputs]
        both = graph.shape(graph.node("Concat", *outputs, axis=1), 2 * num_pairs, positions, len(bias))
        if signal.time % 2:
            both = graph.slice(both, 0, 0, signal.time)
        channels = len(bias) // 2
        value, gate = graph.slice(both, 2, 0, channels), graph.slice(both, 2, channels, len(bias))
        gated = graph.node("Mul", value, graph.node("Sigmoid", gate))
        return signal.of(gated, positions=positions, channels=channels)

    def _neighbours(self, signal: Signal) -> Signal:
        """Along the channels: what lies one before, here, and one after; a position at either end is given up."""
        num_inner = signal.positions - 2
        near = [self.window(signal, shift, shift + num_inner).name for shift in range(3)]
        return signal.of(
            self.graph.node("Concat", *near, axis=2), positions=num_inner, channels=3 * signal.channels
        )  # fmt: skip

    def residual_branch(self, name: str, signal: Signal) -> Signal:
        """The original's `DConv`: two dilated convolutions along time, each normalised, gated, scaled and added."""
        for depth in range(2):
            signal = self._residual(f"{name}.dconv.layers.{depth}", signal, 1 << depth)
        return signal

    def _residual(self, name: str, signal: Signal, dilation: int) -> Signal:
        graph = self.graph
        time_axis = 1 if signal.is_waveform else 0
        weight = self.get(f"{name}.0.weight")  # (hidden, channels, 3)
        hidden = len(weight)
        matrix = weight.transpose(1, 2, 0).reshape(signal.channels, 3 * hidden)
        bias = np.concatenate([np.zeros(hidden), self.get(f"{name}.0.bias"), np.zeros(hidden)])
        taps = self.product(signal, signal.channels, matrix, bias)
        before, here, after = (graph.slice(taps.name, 2, tap * hidden, (tap + 1) * hidden) for tap in range(3))
        before = graph.pad(before, 3, time_axis, dilation, -dilation)
        after = graph.pad(after, 3, time_axis, -dilation, dilation)
        inner = graph.node("Add", graph.node("Add", before, here), after)
        inner = self._group_norm(inner, time_axis, self.get(f"{name}.1.weight"), self.get(f"{name}.1.bias"))
        inner = graph.node("Gelu", inner)
        weight, bias = self.get(f"{name}.3.weight")[:, :, 0], self.get(f"{name}.3.bias")  # (2 channels, hidden)
        mean, inverse = self._linear_moments(signal, inner, time_axis, weight, bias)
        spread = graph.constant(np.array([*signal.sizes[:2], 1]))
        columns = [
            graph.node("Mul", inner, inverse),
            graph.node("Expand", inverse, spread),
            graph.node("Expand", graph.node("Mul", mean, inverse), spread),
        ]
        gain, offset = self.get(f"{name}.4.weight"), self.get(f"{name}.4.bias")
        # gain ((weight h + bias) - mean) / deviation + offset
        matrix = np.concatenate([weight.T * gain, [bias * gain], [-gain]])
        scale = np.concatenate([self.get(f"{name}.6.scale"), np.ones(signal.channels)])  # of the gated half only
        branch = self.gated(
            signal, hidden + 2, matrix * scale, offset * scale, graph.node("Concat", *columns, axis=2)
        )  # fmt: skip
        return self.add(signal, branch)

    def _inverse_deviation(self, variance: str) -> str:
        graph = self.graph
        return graph.node("Reciprocal", graph.node("Sqrt", graph.node("Add", variance, graph.constant(_NORM_EPSILON))))

    def _group_norm(self, source: str, time_axis: int, gain: np.ndarray, offset: np.ndarray) -> str:
        """Normalise over time and channels."""
        graph = self.graph
        centred = graph.node("Sub", source, graph.mean(source, time_axis, 2))
        variance = graph.mean(graph.node("Mul", centred, centred), time_axis, 2)
        scaled = graph.node("Mul", centred, self._inverse_deviation(variance))
        return graph.node("Add", graph.node("Mul", scaled, graph.weight(gain)), graph.weight(offset))

    def _linear_moments(
        self, signal: Signal, source: str, time_axis: int, weight: np.ndarray, bias: np.ndarray
    ) -> tuple[str, str]:
        """Mean and inverse deviation over time and outputs of `weight` h + `bias`, for `source` (time, positions, h).

        The variance is that of the outputs' means plus the mean of their variances over time,
        of which the latter is d' (W' W / outputs) d averaged over time, d being h minus its mean.
        """
        graph = self.graph
        hidden = weight.shape[1]
        average = graph.mean(source, time_axis)
        outputs = graph.node("MatMul", average, graph.weight(weight.T))
        outputs = graph.node("Add", outputs, graph.weight(bias))
        mean = graph.mean(outputs, 2)
        deviations = graph.node("Sub", outputs, mean)
        between = graph.mean(graph.node("Mul", deviations, deviations), 2)
        centred = graph.node("Sub", source, average)
        weighed = self.product(
            signal, hidden, weight.T @ weight * (hidden / len(weight)), np.zeros(hidden), centred
        )  # times hidden, because the mean below also divides by it
        within = graph.mean(graph.node("Mul", centred, weighed.name), time_axis, 2)
        return mean, self._inverse_deviation(graph.node("Add", between, within))
