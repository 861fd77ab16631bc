# SPDX-License-Identifier: MIT
"""Finds and adds boxes in MP4 files (ISO 14496-12): a size of four bytes, or eight more, a name of four, and content.

Nothing else of the format is known here. A file of a stranger is walked through with bounds; a box is added only at the
end of a file that ends with `moov`, so that no sample moves and no offset changes.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

_HEAD_BYTES, _LONG_HEAD_BYTES = 8, 16
_MOST_BOXES = 100_000  # looked at; files in fragments have two a second
_MOST_MOOV_BYTES = 1 << 28  # held in memory: 20 hours of five streams


@dataclass(frozen=True)
class Box:
    """Where a box lies: its first byte, its content's first byte, and the byte behind it."""

    name: bytes
    start: int
    content: int
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes between two positions, as far as they make sense."""
    for _ in range(_MOST_BOXES):
        if start + _HEAD_BYTES > end:
            return
        file.seek(start)
        head = file.read(_LONG_HEAD_BYTES)
        size, name, content = int.from_bytes(head[:4], "big"), head[4:8], start + _HEAD_BYTES
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), start + _LONG_HEAD_BYTES
        elif size == 0:  # to the end
            size = end - start
        if start + size > end or start + size < content:
            return
        yield Box(name, start, content, start + size)
        start += size


def find_box(file: BinaryIO, path: Sequence[bytes]) -> Box | None:
    """The first box of that path of names from the top of the file, or None."""
    found = Box(b"", 0, 0, os.fstat(file.fileno()).st_size)
    for name in path:
        inner = next((box for box in boxes(file, found.content, found.end) if box.name == name), None)
        if inner is None:
            return None
        found = inner
    return found


def add_box(file: BinaryIO, path: Sequence[bytes], name: bytes, content: bytes) -> None:
    """Add a box as the last one in the box of a path of names that begins with `moov`; what is missing of it is made.

    Parameters
    ----------
    file
        Open for reading and writing.

    Raises
    ------
    ValueError
        If `moov` is missing, is not at the end, or is too long: nothing has been written then.
    """
    size = os.fstat(file.fileno()).st_size
    grown: list[Box] = []
    inner = Box(b"", 0, 0, size)
    for step in path:
        found = next((part for part in boxes(file, _inside(inner), inner.end) if part.name == step), None)
        if found is None:
            break
        grown.append(inner := found)
    if not grown or grown[0].end != size or size - grown[0].start > _MOST_MOOV_BYTES:
        raise ValueError("moov is not at the end of the file")
    added = box(name, content)
    for step in reversed(path[len(grown) :]):
        added = box(step, added)
    if any(part.content - part.start != _HEAD_BYTES or part.end - part.start + len(added) >= 1 << 32 for part in grown):
        raise ValueError("moov does not state its size in four bytes")
    file.seek(inner.end)
    behind = file.read(size - inner.end)
    file.seek(inner.end)
    file.write(added + behind)
    for part in grown:
        file.seek(part.start)
        file.write((part.end - part.start + len(added)).to_bytes(4, "big"))


def _inside(part: Box) -> int:
    """Where the boxes in a box begin: `meta` has four bytes of version and flags before them."""
    return part.content + (4 if part.name == b"meta" else 0)


def box(name: bytes, content: bytes) -> bytes:
    """A box in bytes."""
    return (_HEAD_BYTES + len(content)).to_bytes(4, "big") + name + content
