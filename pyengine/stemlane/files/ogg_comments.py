# SPDX-License-Identifier: MIT
"""Adds a comment to a file of Ogg Vorbis that is there: libsndfile writes those of a few names only.

Pages are those of RFC 3533, headers those of the Vorbis I specification (sections 4.2 and 5.2). The header packets are
laid into pages again; what is behind them moves, and its pages get new numbers and check sums.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stemlane.files.insertion import insert

_HEAD = struct.Struct(
    "<4sBBqIIIB"
)  # name, version, flags, position, stream, number, check sum, number of lacing values
_NUMBER_AT = 18  # of the page; the check sum follows
_MOST_LACING = 255
_CONTINUED = 1
_COMMENTS, _SETUP = b"\x03vorbis", b"\x05vorbis"
_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_ALL_BITS = 0xFFFFFFFF


def add_comment(path: Path, name: str, text: str) -> None:
    """Add `name`=`text` behind the other comments.

    Raises
    ------
    ValueError
        If the file does not begin as one of Ogg Vorbis.
    """
    with path.open("r+b") as file:
        first = _read_page(file)
        begin = file.tell()
        packets: list[bytes] = []
        pending = b""
        while first and len(packets) < 2:
            page = _read_page(file)
            if page is None:
                break
            for size in page.lacing:
                pending, page.body = pending + page.body[:size], page.body[size:]
                if size < _MOST_LACING:
                    packets.append(pending)
                    pending = b""
        if first is None or [packet[:7] for packet in packets] != [_COMMENTS, _SETUP] or pending:
            raise ValueError("no headers of Ogg Vorbis")
        end = file.tell()
        packets[0] = _with_comment(packets[0], f"{name}={text}".encode())
        pages = _pages(packets, first.stream)
        headers = b"".join(pages)
        insert(file, end, bytes(len(headers) - (end - begin)))
        file.seek(begin)
        file.write(headers)
        _renumber(file, len(pages) + 1)


@dataclass
class _Page:
    stream: int
    lacing: bytes
    body: bytes


def _read_page(file: BinaryIO) -> _Page | None:
    """The page at the file's position, None at its end."""
    head = file.read(_HEAD.size)
    if not head:
        return None
    name, _, _, _, stream, _, _, num_lacing = _HEAD.unpack(head.ljust(_HEAD.size, b"\0"))
    lacing = file.read(num_lacing)
    body = file.read(sum(lacing))
    if name != b"OggS" or len(lacing) != num_lacing or len(body) != sum(lacing):
        raise ValueError("no page of Ogg")
    return _Page(stream, lacing, body)


def _with_comment(packet: bytes, comment: bytes) -> bytes:
    """The packet of comments with one more: the maker's name, how many there are, each behind its size, and a bit."""
    count_at = len(_COMMENTS) + 4 + int.from_bytes(packet[7:11], "little")
    count = int.from_bytes(packet[count_at : count_at + 4], "little")
    end = count_at + 4
    for _ in range(count):
        end += 4 + int.from_bytes(packet[end : end + 4], "little")
    head = packet[:count_at] + (count + 1).to_bytes(4, "little") + packet[count_at + 4 : end]
    return head + len(comment).to_bytes(4, "little") + comment + b"\1"


def _pages(packets: Sequence[bytes], stream: int) -> list[bytes]:
    """Header packets in pages, numbered from 1."""
    lacing = b"".join(
        bytes([_MOST_LACING] * (len(packet) // _MOST_LACING) + [len(packet) % _MOST_LACING]) for packet in packets
    )
    data = b"".join(packets)
    pages: list[bytes] = []
    for start in range(0, len(lacing), _MOST_LACING):
        own = lacing[start : start + _MOST_LACING]
        flags = _CONTINUED if start and lacing[start - 1] == _MOST_LACING else 0
        position = 0 if min(own) < _MOST_LACING else -1  # where no packet ends, there is none
        head = _HEAD.pack(b"OggS", 0, flags, position, stream, len(pages) + 1, 0, len(own))
        pages.append(_checked(head + own + data[: sum(own)]))
        data = data[sum(own) :]
    return pages


def _renumber(file: BinaryIO, number: int) -> None:
    """Give the pages from the file's position on new numbers."""
    start = file.tell()
    while _read_page(file) is not None:
        end = file.tell()
        file.seek(start)
        data = file.read(end - start)
        data = _checked(data[:_NUMBER_AT] + number.to_bytes(4, "little") + data[_NUMBER_AT + 4 :])
        file.seek(start)
        file.write(data[: _HEAD.size])
        file.seek(end)
        start, number = end, number + 1


def _checked(page: bytes) -> bytes:
    """The page with its check sum.

    It is zlib's of the mirrored bytes, mirrored: the same polynomial, taken from the other end, without its first and
    last inversion.
    """
    blank = page[: _NUMBER_AT + 4] + bytes(4) + page[_NUMBER_AT + 8 :]
    found = zlib.crc32(blank.translate(_MIRRORED), _ALL_BITS) ^ _ALL_BITS
    mirrored = int(f"{found:032b}"[::-1], 2)
    return page[: _NUMBER_AT + 4] + mirrored.to_bytes(4, "little") + page[_NUMBER_AT + 8 :]
