# SPDX-License-Identifier: MIT
"""Layers of MDX23C on signals that are cut along the frames, so that none of them is ever computed as a whole.

A signal (1, channels, frames, bins) has up to 134 MB, and a layer between two convolutions makes three of it. Only the
normalisations need all frames, for their mean and variance; these are put together from those of the parts. So a layer
takes a part at a time, and a convolution that of its neighbours which it reaches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stemlane.catalog.convert import signal_parts
from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.convert.signal_parts import Part

_EPSILON = 1e-5  # of the normalisations, torch's default
_PART_VALUES = 1 << 20  # of a signal that is computed at once, 4 MiB


@dataclass(frozen=True)
class Signal:
    """Parts (1, channels, frames, bins) along the frames; `along` are tensors to be computed together with each."""

    parts: Sequence[Part]
    channels: int
    bins: int
    along: Sequence[str] = ()

    @property
    def frames(self) -> int:
        """Frames of the whole signal."""
        return self.parts[-1].end


def cuts(channels: int, frames: int, bins: int) -> list[tuple[int, int]]:
    """Begins and ends of the frames that are computed at once."""
    return signal_parts.cuts(frames, channels * frames * bins, _PART_VALUES)


class Layers:
    """Adds layers to a graph, with their tensors as the original names them."""

    def __init__(self, tensors: Mapping[str, np.ndarray]):
        self.graph = GraphBuilder()
        self._tensors = tensors

    def get(self, name: str) -> np.ndarray:
        """A tensor in float32."""
        return self._tensors[name].astype(np.float32)

    def window(self, signal: Signal, begin: int, end: int) -> str:
        """Frames begin to end."""
        return signal_parts.window(self.graph, signal.parts, 2, begin, end)

    def product(self, weight: np.ndarray, source: str, frames: int, bins: int) -> str:
        """`weight` (outputs, inputs) times the channels of `source` (1, inputs, frames, bins)."""
        graph = self.graph
        columns = graph.shape(source, weight.shape[1], frames * bins)
        values = graph.weight(weight, mapped=True)  # the left side is never packed, so it costs no time
        return graph.shape(graph.node("MatMul", values, columns), 1, len(weight), frames, bins)

    def moments(self, signal: Signal) -> tuple[str, str]:
        """Mean and variance of each channel, (channels,)."""
        graph = self.graph
        means: list[str] = []
        variances: list[str] = []
        axes = graph.constant(np.array([2, 3]))
        for part in signal.parts:
            mean = graph.node("ReduceMean", part.name, axes, keepdims=1)
            if signal.along:
                mean = self._after(mean, signal.along[len(means)])
            means.append(mean)
            centred = graph.node("Sub", part.name, means[-1])
            variances.append(graph.node("ReduceMean", graph.node("Mul", centred, centred), axes, keepdims=1))
        shares = np.array([part.end - part.begin for part in signal.parts]) / signal.frames
        weights = graph.constant(shares.astype(np.float32).reshape(1, 1, -1, 1))

        def mean_of(values: str) -> str:
            weighed = graph.node("Mul", values, weights)
            return graph.node("ReduceSum", weighed, graph.constant(np.array([2])), keepdims=1)

        of_parts = graph.node("Concat", *means, axis=2)
        mean = mean_of(of_parts)
        apart = graph.node("Sub", of_parts, mean)
        within = graph.node("Concat", *variances, axis=2)
        variance = mean_of(graph.node("Add", within, graph.node("Mul", apart, apart)))
        return graph.shape(mean, signal.channels), graph.shape(variance, signal.channels)

    def _after(self, source: str, other: str) -> str:
        """`source` (1, channels, 1, 1), not computed before `other`, which has as many channels."""
        graph = self.graph
        value = graph.slice(graph.slice(other, 2, 0, 1), 3, 0, 1)
        return graph.node("Add", source, graph.node("Mul", value, graph.constant(np.float32(0))))

    def activated(self, name: str, *signals: Signal) -> Signal:
        """Each channel normalised, and the activation, of signals that lie beside each other as channels."""
        graph, first = self.graph, signals[0]
        moments = [self.moments(signal) for signal in signals]
        mean, variance = (pair[0] if len(pair) == 1 else graph.node("Concat", *pair, axis=0)
                          for pair in zip(*moments, strict=True))  # fmt: skip
        ends = [graph.constant(self.get(f"{name}.{part}")) for part in ("weight", "bias")]
        found = []
        for begin, end in [(part.begin, part.end) for part in first.parts]:
            source = self.beside(signals, begin, end)
            scaled = graph.node("BatchNormalization", source, *ends, mean, variance, epsilon=_EPSILON)
            found.append(Part(graph.node("Gelu", scaled), begin, end))
        return Signal(found, sum(signal.channels for signal in signals), first.bins)

    def beside(self, signals: Sequence[Signal], begin: int, end: int) -> str:
        """Frames begin to end of signals beside each other as channels."""
        found = [self.window(signal, begin, end) for signal in signals]
        return found[0] if len(found) == 1 else self.graph.node("Concat", *found, axis=1)

    def convolved(self, name: str, signal: Signal, begin: int, end: int) -> str:
        """Frames begin to end of a convolution with 3 x 3 kernels."""
        first, last = max(begin - 1, 0), min(end + 1, signal.frames)
        weight = self.graph.weight(self.get(f"{name}.weight"), mapped=True)
        pads = [first - begin + 1, 1, end + 1 - last, 1]
        return self.graph.node("Conv", self.window(signal, first, last), weight, kernel_shape=[3, 3], pads=pads)

    def shortened(self, name: str, signal: Signal, scale: int) -> Signal:
        """Fewer frames and bins, by convolution."""
        weight = self.get(f"{name}.2.weight")
        frames, bins = signal.frames // scale, signal.bins // scale
        inner = self.activated(f"{name}.0", signal)
        values = self.graph.weight(weight, mapped=True)
        found = []
        for begin, end in cuts(len(weight), frames, bins):
            source = self.window(inner, begin * scale, end * scale)
            shorter = self.graph.node("Conv", source, values, kernel_shape=[scale, scale], strides=[scale, scale])
            found.append(Part(shorter, begin, end))
        return Signal(found, len(weight), bins)

    def lengthened(self, name: str, signal: Signal, scale: int) -> Signal:
        """More frames and bins, by transposed convolution."""
        weight = self.get(f"{name}.2.weight")
        channels, bins = weight.shape[1], signal.bins * scale
        inner = self.activated(f"{name}.0", signal)
        values = self.graph.weight(weight, mapped=True)
        found = []
        for begin, end in cuts(channels, signal.frames, bins * scale):
            source = self.window(inner, begin, end)
            longer = self.graph.node(
                "ConvTranspose", source, values, kernel_shape=[scale, scale], strides=[scale, scale]
            )
            found.append(Part(longer, begin * scale, end * scale))
        return Signal(found, channels, bins)

    def block(self, name: str, *signals: Signal) -> Signal:
        """Convolutions with products along the bins between them, and a way around.

        The way around is computed together with the first convolution, after which nobody needs their inputs.
        """
        graph = self.graph
        outer = self.activated(f"{name}.tfc1.0", *signals)
        shortcut = self.get(f"{name}.shortcut.weight")[:, :, 0, 0]
        channels, bins = len(shortcut), outer.bins
        around, inner = [], []
        for begin, end in cuts(channels, outer.frames, bins):
            source = self.beside(signals, begin, end)
            around.append(self.product(shortcut, source, end - begin, bins))
            inner.append(Part(self.convolved(f"{name}.tfc1.2", outer, begin, end), begin, end))
        signal = Signal(inner, channels, bins, tuple(around))
        along = signal
        for norm, product in ((0, 2), (3, 5)):
            weight = graph.weight(self.get(f"{name}.tdf.{product}.weight").T, mapped=True)
            along = self.activated(f"{name}.tdf.{norm}", along)
            products = [Part(graph.node("MatMul", part.name, weight), part.begin, part.end) for part in along.parts]
            along = Signal(products, channels, len(self.get(f"{name}.tdf.{product}.weight")))
        added = [Part(graph.node("Add", part.name, more.name), part.begin, part.end)
                 for part, more in zip(signal.parts, along.parts, strict=True)]  # fmt: skip
        inner_signal = self.activated(f"{name}.tfc2.0", Signal(added, channels, bins))
        outputs = []
        for part, way in zip(added, around, strict=True):
            found = self.convolved(f"{name}.tfc2.2", inner_signal, part.begin, part.end)
            outputs.append(Part(graph.node("Add", found, way), part.begin, part.end))
        return Signal(outputs, channels, bins)
