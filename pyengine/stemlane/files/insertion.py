# SPDX-License-Identifier: MIT
"""Puts bytes into the middle of a file, in bounded memory."""

from typing import BinaryIO

_COPY_BYTES = 1 << 20


def insert(file: BinaryIO, position: int, data: bytes) -> None:
    """Move what is behind a position, from the end on, and write `data` there."""
    end = file.seek(0, 2)
    while end > position:
        start = max(end - _COPY_BYTES, position)
        file.seek(start)
        piece = file.read(end - start)
        file.seek(start + len(data))
        file.write(piece)
        end = start
    file.seek(position)
    file.write(data)
