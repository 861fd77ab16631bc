# SPDX-License-Identifier: MIT
"""Signals of a graph in parts that follow each other along one axis, so that none of them is computed as a whole."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from stemlane.catalog.convert.onnx_graph import GraphBuilder


@dataclass(frozen=True)
class Part:
    """A tensor: positions begin to end of a signal along the axis in which it is cut."""

    name: str
    begin: int
    end: int


def cuts(length: int, num_values: int, most_values: int) -> list[tuple[int, int]]:
    """Begins and ends of parts of about `most_values` each, of a signal of `num_values` and `length` positions."""
    num_parts = min(max(1, round(num_values / most_values)), length)
    return list(itertools.pairwise(length * part // num_parts for part in range(num_parts + 1)))


def window(graph: GraphBuilder, parts: Sequence[Part], axis: int, begin: int, end: int) -> str:
    """Positions begin to end of a signal that is cut along `axis`, as one tensor."""
    found = []
    for part in parts:
        first, last = max(begin, part.begin), min(end, part.end)
        if (first, last) == (part.begin, part.end):
            found.append(part.name)
        elif first < last:
            found.append(graph.slice(part.name, axis, first - part.begin, last - part.begin))
    return found[0] if len(found) == 1 else graph.node("Concat", *found, axis=axis)
