# SPDX-License-Identifier: MIT
"""What all layers of SCNet's graph are made of: signals in parts, tensors by their names, products along the channels.

A signal (bins, frames, channels) of the large network's first layers has 86 MB, and several would live at once. So it
is cut: around the recurrent layers along the frames, elsewhere along the bins, whose frames are normalised bin by bin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stemlane.catalog.convert import signal_parts
from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.convert.signal_parts import Part

EPSILON = np.float32(1e-5)  # of the normalisations, torch's default, and of the input's deviation
BINS, FRAMES = 0, 1  # axes
_PART_VALUES = 1 << 21  # of a signal that is computed at once, 8 MiB


@dataclass(frozen=True)
class Signal:
    """Parts of (bins, frames, channels) that follow each other along `axis`."""

    parts: Sequence[Part]
    axis: int

    @property
    def length(self) -> int:
        """Positions along the axis."""
        return self.parts[-1].end


class Layers:
    """A graph and the tensors of the original; `frames` of every signal but between the transforms along the frames."""

    def __init__(self, tensors: Mapping[str, np.ndarray], frames: int):
        self.graph = GraphBuilder()
        self.frames = frames
        self._tensors = tensors

    def get(self, name: str) -> np.ndarray:
        """A tensor in float64, in which weights are put together."""
        return self._tensors[name].astype(np.float64)

    def product(self, source: str, matrix: np.ndarray, bias: np.ndarray) -> str:
        """`source` times `matrix` along the channels, plus `bias`."""
        graph = self.graph
        # Packed, large matrices would lie in memory once for each part.
        return graph.node("Add", graph.node("MatMul", source, graph.weight(matrix, mapped=True)), graph.weight(bias))

    def window(self, signal: Signal, begin: int, end: int) -> str:
        """Positions begin to end along the signal's axis."""
        return signal_parts.window(self.graph, signal.parts, signal.axis, begin, end)

    def whole(self, signal: Signal) -> str:
        """All positions."""
        return self.window(signal, 0, signal.length)


def cuts(length: int, others: int, channels: int, *, finer: int = 1) -> list[tuple[int, int]]:
    """Begins and ends of the positions that are computed at once, of `length`, each of `others` x `channels` values.

    Parts that are `finer` are as many times smaller.
    """
    return signal_parts.cuts(length, length * others * channels * finer, _PART_VALUES)
