# SPDX-License-Identifier: MIT
"""Layers of HTDemucs's encoders and decoders as matrix products. What the original computes, in another order.

Signals lie as (time, position, channel): frames, bins and channels of the spectrogram; for the waveform one frame
whose positions are its samples. A convolution with stride 4 and kernel 8 is then a product of two neighbouring groups
of four positions, side by side in memory, with its weights. Group normalisation of a linear layer's output needs no
pass over that output: its mean and variance follow from the layer's few inputs.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stemlane.catalog.convert.htdemucs.architecture import KERNEL, STRIDE
from stemlane.catalog.convert.onnx_graph import GraphBuilder

_NORM_EPSILON = np.float32(1e-5)  # torch's default
_PAD = KERNEL // 4
_PART_VALUES = 1 << 20  # values of neighbours held at once, 4 MiB


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
        matrix = graph.shape(source or signal.name, signal.rows, columns)
        matrix = graph.node("Gemm", matrix, graph.weight(weight), graph.weight(bias))
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

    def shorten(self, name: str, signal: Signal) -> Signal:
        """Convolution along the positions, kernel 8, stride 4, padded as the original pads."""
        graph = self.graph
        positions = -(-signal.positions // STRIDE)
        halves = []
        for begin in (-_PAD, STRIDE - _PAD):  # where the first group of the kernel's first and second half begins
            after = begin + positions * STRIDE - signal.positions
            half = graph.pad(signal.name, 3, 1, -begin, after)
            halves.append(graph.shape(half, signal.time, positions, STRIDE * signal.channels))
        pairs = graph.node("Concat", *halves, axis=2)
        weight = self.get(f"{name}.weight").reshape(-1, signal.channels, KERNEL)  # (outputs, inputs, kernel)
        matrix = weight.transpose(2, 1, 0).reshape(KERNEL * signal.channels, -1)
        return self.product(signal.of("", positions=positions), len(matrix), matrix, self.get(f"{name}.bias"), pairs)

    def lengthen(self, name: str, signal: Signal, positions: int, outputs: np.ndarray | None = None) -> Signal:
        """Transposed convolution along the positions, kernel 8, stride 4, cropped to `positions`.

        `outputs` chooses some of the output channels.
        """
        graph = self.graph
        weight, bias = self.get(f"{name}.weight"), self.get(f"{name}.bias")
        weight = weight.reshape(signal.channels, -1, KERNEL)  # (inputs, outputs, kernel)
        if outputs is not None:
            weight, bias = weight[:, outputs], bias[outputs]
        # Group g of four positions takes the first half of the kernel from input g, the second from input g - 1.
        pairs = graph.node(
            "Concat", graph.pad(signal.name, 3, 1, 0, 1), graph.pad(signal.name, 3, 1, 1, 0), axis=2
        )  # fmt: skip
        halves = [weight[:, :, part : part + STRIDE] for part in (0, STRIDE)]
        matrix = np.concatenate([half.transpose(0, 2, 1).reshape(signal.channels, -1) for half in halves])
        groups = signal.positions + 1
        padded = self.product(
            signal.of("", positions=groups), 2 * signal.channels, matrix, np.tile(bias, STRIDE), pairs
        )
        channels = weight.shape[1]
        longer = graph.shape(padded.name, signal.time, groups * STRIDE, channels)
        cropped = graph.slice(longer, 1, _PAD, _PAD + positions)
        return signal.of(cropped, positions=positions, channels=channels)

    def rewrite(self, name: str, signal: Signal) -> Signal:
        """Gated convolution without stride: kernel 1 in the encoders, 3 along all axes in the decoders."""
        weight, bias = self.get(f"{name}.weight"), self.get(f"{name}.bias")
        if weight.shape[2] == 3 and not signal.is_waveform:
            return self._rewrite_pairs(signal, weight.transpose(3, 2, 1, 0), bias)
        matrix = weight.reshape(*weight.shape[:3]).transpose(2, 1, 0).reshape(-1, len(weight))
        near = self._neighbours(signal.name, 1) if weight.shape[2] == 3 else ""
        return self.gated(signal, len(matrix), matrix, bias, near)

    def _rewrite_pairs(self, signal: Signal, taps: np.ndarray, bias: np.ndarray) -> Signal:
        """Gated convolution with `taps` (3 of time, 3 of position, inputs, outputs), two frames at once.

        Two outputs of a filter with three taps take four products instead of six: F(2, 3) of A. Lavin, S. Gray: Fast
        Algorithms for Convolutional Neural Networks. CVPR 2016. Some frames at a time, so that they stay in the cache.
        """
        graph = self.graph
        first, middle, last = taps.reshape(3, -1, len(bias))
        matrices = first, (first + middle + last) / 2, (first - middle + last) / 2, last
        biases = [bias if number == 1 else np.zeros_like(bias) for number in range(4)]  # the second is in both outputs
        num_pairs = -(-signal.time // 2)
        padded = graph.pad(signal.name, 3, 0, 1, 1 + 2 * num_pairs - signal.time)
        num_parts = max(1, round(num_pairs * signal.positions * len(first) / _PART_VALUES))
        parts = []
        for begin, end in itertools.pairwise(num_pairs * part // num_parts for part in range(num_parts + 1)):
            part = replace(signal, time=end - begin)
            frames = graph.slice(padded, 0, 2 * begin, 2 * end + 2)
            pairs = graph.shape(frames, part.time + 1, 2, signal.positions * signal.channels)
            quarters = [
                graph.shape(graph.node("Slice", pairs, *(graph.constant(np.array(ends)) for ends in (
                    [shift, parity], [shift + part.time, parity + 1], [0, 1]))), *part.sizes)
                for shift in (0, 1) for parity in (0, 1)
            ]  # fmt: skip
            sources = [
                graph.node(operator, quarters[left], quarters[right])
                for operator, left, right in (("Sub", 0, 2), ("Add", 1, 2), ("Sub", 2, 1), ("Sub", 1, 3))
            ]
            products = [
                self.product(part, len(matrix), matrix, offset, self._neighbours(source, 1)).name
                for source, matrix, offset in zip(sources, matrices, biases, strict=True)
            ]
            outputs = [
                graph.node("Add", graph.node("Add", products[0], products[1]), products[2]),
                graph.node("Sub", graph.node("Sub", products[1], products[2]), products[3]),
            ]
            outputs = [graph.shape(output, part.time, 1, signal.positions * len(bias)) for output in outputs]
            both = graph.shape(graph.node("Concat", *outputs, axis=1), 2 * part.time, signal.positions, len(bias))
            half = len(bias) // 2
            value, gate = graph.slice(both, 2, 0, half), graph.slice(both, 2, half, len(bias))
            parts.append(graph.node("Mul", value, graph.node("Sigmoid", gate)))
        joined = graph.node("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]
        return signal.of(graph.slice(joined, 0, 0, signal.time) if signal.time % 2 else joined)

    def _neighbours(self, source: str, axis: int) -> str:
        """Along the channels: what lies one before, here, and one after."""
        before, after = self.graph.pad(source, 3, axis, 1, -1), self.graph.pad(source, 3, axis, -1, 1)
        return self.graph.node("Concat", before, source, after, axis=2)

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
