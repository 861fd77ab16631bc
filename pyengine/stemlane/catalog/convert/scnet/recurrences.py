# SPDX-License-Identifier: MIT
"""SCNet's dual-path layers on signals that are cut along the frames.

A recurrent layer holds the four gates of all it hears until it is done, backwards a copy of what it hears and gives,
too. Along the bins the frames know nothing of each other. Along the frames each part begins with the state that the one
before it has left. The weights are mapped: packed, they would lie in memory once for each part.
"""

from collections.abc import Sequence

import numpy as np

from stemlane.catalog.convert.scnet.layers import EPSILON, FRAMES, Layers, Signal, cuts
from stemlane.catalog.convert.signal_parts import Part

_DIRECTIONS = (("", "forward"), ("_reverse", "reverse"))


class Recurrences:
    """Adds dual-path layers for so many `bins` to a graph."""

    def __init__(self, layers: Layers, bins: int):
        self._layers, self._bins = layers, bins
        self.graph = layers.graph

    def cut(self, source: str, frames: int, width: int) -> Signal:
        """A tensor (bins, frames, width) as a signal."""
        parts = [Part(self.graph.slice(source, FRAMES, begin, end), begin, end)
                 for begin, end in cuts(frames, self._bins, width)]  # fmt: skip
        return Signal(parts, FRAMES)

    def dual_path(self, name: str, source: Signal) -> Signal:
        """Recurrence along the bins, then along the frames, each forwards and backwards."""
        return self._along_frames(name, self._along_bins(name, source))

    def _along_bins(self, name: str, source: Signal) -> Signal:
        graph, norm = self.graph, _Norm(self._layers, f"{name}.norm_layers.0", source)
        ends = [_Direction(self._layers, name, 0, number) for number in range(2)]
        bias = self._layers.get(f"{name}.linear_layers.0.bias")
        found = []
        for part in source.parts:
            inner, size = norm.forwards(part.name), part.end - part.begin
            both = [end.product(graph.shape(end.run(inner), self._bins, size, end.hidden)) for end in ends]
            added = graph.node("Add", graph.node("Add", *both), graph.weight(bias))
            found += self._halves(Part(graph.node("Add", part.name, added), part.begin, part.end))
        return Signal(found, FRAMES)

    def _halves(self, part: Part) -> list[Part]:
        """A part as two: along the frames more parts have fewer steps, but no fewer rows, and cost no time."""
        middle = (part.begin + part.end) // 2
        return [Part(self.graph.slice(part.name, FRAMES, begin - part.begin, end - part.begin), begin, end)
                for begin, end in ((part.begin, middle), (middle, part.end)) if begin < end]  # fmt: skip

    def _along_frames(self, name: str, source: Signal) -> Signal:
        graph, norm = self.graph, _Norm(self._layers, f"{name}.norm_layers.1", source)
        forwards, backwards = (_Direction(self._layers, name, 1, number) for number in range(2))
        bias = self._layers.get(f"{name}.linear_layers.1.bias")

        def given(direction: _Direction, parts: Sequence[Part], inner: Sequence[str]) -> list[str]:
            # All of these before the first recurrence: of the inputs of a node onnxruntime computes the newest first,
            # which should be the state and not what is heard later.
            turned = [graph.node("Transpose", one, perm=[1, 0, 2]) for one in inner]
            rows = [direction.run(one, goes_on=True) for one in turned]
            return [direction.product(graph.shape(one, part.end - part.begin, self._bins, direction.hidden))
                    for one, part in zip(rows, parts, strict=True)]  # fmt: skip

        turn = source.parts[::-1]
        first = given(forwards, source.parts, [norm.forwards(part.name) for part in source.parts])
        last = given(backwards, turn, [norm.backwards(part.name) for part in turn])
        found = []
        for part, before, after in zip(source.parts, first, reversed(last), strict=True):
            added = graph.node("Add", graph.node("Add", before, after), graph.weight(bias))
            turned = graph.node("Transpose", added, perm=[1, 0, 2])
            found.append(Part(graph.node("Add", part.name, turned), part.begin, part.end))
        return Signal(found, FRAMES)

    def to_frequencies(self, source: Signal, width: int) -> Signal:
        """Real transform along the frames: its real parts, then its imaginary ones, beside each other as channels."""
        graph, (cosines, sines) = self.graph, _waves(source.length)
        whole, found = self._layers.whole(source), []
        for begin, end in cuts(len(cosines), self._bins, 2 * width):
            parts = [graph.node("MatMul", graph.constant(wave[begin:end]), whole) for wave in (cosines, -sines)]
            found.append(Part(graph.node("Concat", *parts, axis=2), begin, end))
        return Signal(found, FRAMES)

    def from_frequencies(self, source: Signal, width: int) -> Signal:
        """The inverse, of twice `width` channels."""
        graph, frames = self.graph, self._layers.frames
        cosines, sines = _waves(frames)
        twice = np.full((len(cosines), 1), 2, np.float32)
        twice[[0, -1]] = 1  # these have no counterpart among the negative frequencies
        halves = []
        for start in (0, width):
            parts = [graph.slice(part.name, 2, start, start + width) for part in source.parts]
            halves.append(graph.node("Concat", *parts, axis=FRAMES) if len(parts) > 1 else parts[0])
        found = []
        for begin, end in cuts(frames, self._bins, width):
            parts = [graph.node("MatMul", graph.constant((wave * twice).T[begin:end]), half)
                     for wave, half in zip((cosines, -sines), halves, strict=True)]  # fmt: skip
            found.append(Part(graph.node("Add", *parts), begin, end))
        return Signal(found, FRAMES)


class _Norm:
    """Normalises over all bins, frames and channels, part by part."""

    def __init__(self, layers: Layers, name: str, signal: Signal):
        graph = self._graph = layers.graph
        shares = np.array([part.end - part.begin for part in signal.parts]) / signal.length
        self._shares = graph.constant(shares.astype(np.float32))
        means = [self._rows_mean(part.name) for part in signal.parts]
        variances = []
        for part, mean in zip(signal.parts, means, strict=True):
            centred = graph.node("Sub", part.name, mean)
            variances.append(self._rows_mean(graph.node("Mul", centred, centred)))
        of_parts = self._beside(means)
        self._mean = self._mean_of(of_parts)
        apart = graph.node("Sub", of_parts, self._mean)
        square = graph.node("Add", self._beside(variances), graph.node("Mul", apart, apart))
        deviation = graph.node("Sqrt", graph.node("Add", self._mean_of(square), graph.constant(EPSILON)))
        self._gain = graph.node("Div", graph.weight(layers.get(f"{name}.weight")), deviation)
        self._bias = graph.weight(layers.get(f"{name}.bias"))

    def forwards(self, part: str) -> str:
        """A part, normalised."""
        graph = self._graph
        centred = graph.node("Sub", part, self._mean)
        return graph.node("Add", graph.node("Mul", centred, self._gain), self._bias)

    def backwards(self, part: str) -> str:
        """The same for later, in sums of another order: equal ones would be computed once and be kept until then."""
        graph = self._graph
        centred = graph.node("Add", graph.node("Neg", self._mean), part)
        return graph.node("Add", self._bias, graph.node("Mul", self._gain, centred))

    def _rows_mean(self, part: str) -> str:
        """The mean of a tensor, (1,): of each row first, so that float32 sums stay short."""
        graph = self._graph
        means = graph.node("ReduceMean", part, graph.constant(np.array([1, 2])), keepdims=0)
        return graph.node("ReduceMean", means, graph.constant(np.array([0])), keepdims=1)

    def _beside(self, values: list[str]) -> str:
        return self._graph.node("Concat", *values, axis=0)

    def _mean_of(self, values: str) -> str:
        """The mean (1,) of one value for each part."""
        graph = self._graph
        return graph.node(
            "ReduceSum", graph.node("Mul", values, self._shares), graph.constant(np.array([0])), keepdims=1
        )


class _Direction:
    """One direction of a recurrent layer along the first axis, and its half of the product that follows."""

    def __init__(self, layers: Layers, name: str, path: int, number: int):
        graph = self._graph = layers.graph
        suffix, self._direction = _DIRECTIONS[number]
        lstm = f"{name}.lstm_layers.{path}"
        weights = [_gates(layers.get(f"{lstm}.weight_{part}_l0{suffix}")) for part in ("ih", "hh")]
        biases = [_gates(layers.get(f"{lstm}.bias_{part}_l0{suffix}")) for part in ("ih", "hh")]
        self._ends = [*(graph.weight(values[np.newaxis], mapped=True) for values in weights),
                      graph.weight(np.concatenate(biases)[np.newaxis])]  # fmt: skip
        matrix = layers.get(f"{name}.linear_layers.{path}.weight").T
        self.hidden = len(matrix) // 2
        self._half = graph.weight(matrix[number * self.hidden : (number + 1) * self.hidden], mapped=True)
        self._state: tuple[str, ...] = ()

    def run(self, source: str, *, goes_on: bool = False) -> str:
        """(steps, 1, rows, hidden) of (steps, rows, width); one that goes on begins where the last one ended."""
        given = ("", *self._state) if self._state else ()
        rows, *state = self._graph.nodes(
            "LSTM", source, *self._ends, *given, num_outputs=3 if goes_on else 1, hidden_size=self.hidden,
            direction=self._direction,
        )  # fmt: skip
        self._state = tuple(state)
        return rows

    def product(self, rows: str) -> str:
        """The direction's share of what the layer gives."""
        return self._graph.node("MatMul", rows, self._half)


def _gates(values: np.ndarray) -> np.ndarray:
    """From torch's order of the gates (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    first, forget, cell, output = np.split(values, 4)
    return np.concatenate([first, output, forget, cell])


def _waves(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines (frames / 2 + 1, frames) float32 of the orthonormal transform; sines of 0 and pi are 0."""
    turns = np.outer(np.arange(frames // 2 + 1), np.arange(frames)) % frames
    phases = 2 * np.pi * turns / frames
    sines = np.sin(phases)
    sines[[0, -1]] = 0
    return (np.cos(phases) / np.sqrt(frames)).astype(np.float32), (sines / np.sqrt(frames)).astype(np.float32)
