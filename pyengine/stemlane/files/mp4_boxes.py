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


def add_user_data(file: BinaryIO, name: bytes, content: bytes) -> None:
    """Add a box to `moov/udta` of a file open for reading and writing.

    Raises
    ------
    ValueError
        If `moov` is missing, is not at the end, or is too long: nothing has been written then.
    """
    moov = find_box(file, [b"moov"])
    size = os.fstat(file.fileno()).st_size
    if moov is None or moov.end != size or moov.end - moov.start > _MOST_MOOV_BYTES:
        raise ValueError("moov is not at the end of the file")
    added = _box(name, content)
    udta = next((box for box in boxes(file, moov.content, moov.end) if box.name == b"udta"), None)
    if udta is None:
        place, added = moov.end, _box(b"udta", added)
    else:
        place = udta.end
    grown = [box for box in (moov, udta) if box is not None]
    if any(box.content - box.start != _HEAD_BYTES or box.end - box.start + len(added) >= 1 << 32 for box in grown):
        raise ValueError("moov does not state its size in four bytes")
    file.seek(place)
    behind = file.read(moov.end - place)
    file.seek(place)
    file.write(added + behind)
    for box in grown:
        file.seek(box.start)
        file.write((box.end - box.start + len(added)).to_bytes(4, "big"))


def _box(name: bytes, content: bytes) -> bytes:
    return (_HEAD_BYTES + len(content)).to_bytes(4, "big") + name + content
