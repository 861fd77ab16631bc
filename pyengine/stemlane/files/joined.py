# SPDX-License-Identifier: MIT
"""Says whether files were joined to one: libsndfile reads the first alone, without a word. Only headers are read here.

Tags are those of ID3 (versions 1 and 2) and APE (versions 1 and 2), Ogg's pages those of RFC 3533.
"""

import os
from typing import BinaryIO, Literal

from stemlane.files.completeness import NUM_XING_BYTES, after_id3, frame_bytes, xing_bytes

_MOST_TAGS = 64  # in one place
_ID3V1_BYTES = 128
_APE = b"APETAGEX"
_APE_BYTES = 32  # of its header, and of its footer
_APE_IS_HEADER = 1 << 29
_MOST_APE_BYTES = 1 << 20  # of a tag without a header, whose footer is looked for
_MONO = 3  # of a frame's channel modes
_PAGE_BYTES = 27  # of the header, before the lacing values
_MOST_LACING = 255
_BEGINS, _ENDS = 2, 4  # flags of a page
_MOST_PAGES = _MOST_FRAMES = 2_000_000
_MOST_GAPS = 64  # between pages, and
_GAP_BYTES = 2 * 65_307  # how far the next page is looked for: twice the largest


def mp3_length(file: BinaryIO) -> Literal["stated", "unstated", "joined"]:
    """Whether an MP3 file states how long it is, or others are joined to it where libsndfile stops.

    That is behind the length that is stated; without one, where the rate or the number of channels changes.

    Parameters
    ----------
    file
        Open for reading, seekable; its position is lost.
    """
    position = after_id3(file)
    file.seek(position)
    stated = xing_bytes(file.read(NUM_XING_BYTES))
    if not stated:
        return "joined" if _mp3_changes(file, position) else "unstated"
    return "joined" if _mp3_begins(file, _after_tags(file, position + stated)) else "stated"


def is_joined_ogg(file: BinaryIO) -> bool:
    """Whether a stream begins behind the end of another one.

    Parameters
    ----------
    file
        Open for reading, seekable; its position is lost.
    """
    position = num_gaps = 0
    has_ended = False
    for _ in range(_MOST_PAGES):
        file.seek(position)
        head = file.read(_PAGE_BYTES + _MOST_LACING)
        if head[:4] != b"OggS":
            file.seek(position)
            gap = file.read(_GAP_BYTES).find(b"OggS")
            num_gaps += 1
            if gap < 0 or num_gaps > _MOST_GAPS:
                return False
            position += gap
            continue
        if len(head) < _PAGE_BYTES:
            return False
        if has_ended and head[5] & _BEGINS:
            return True
        has_ended = has_ended or bool(head[5] & _ENDS)
        num_lacing = head[_PAGE_BYTES - 1]
        position += _PAGE_BYTES + num_lacing + sum(head[_PAGE_BYTES : _PAGE_BYTES + num_lacing])
    return False


def _after_tags(file: BinaryIO, position: int) -> int:
    """The first place from `position` on where no tag begins."""
    size = file.seek(0, os.SEEK_END)
    for _ in range(_MOST_TAGS):
        if position >= size:
            break
        begin = position
        position = after_id3(file, position)
        file.seek(position)
        head = file.read(_APE_BYTES)
        if head[:3] == b"TAG":
            position += _ID3V1_BYTES
        elif not frame_bytes(head):
            position += _ape_bytes(file, position)
        if position == begin:
            break
    return position


def _ape_bytes(file: BinaryIO, position: int) -> int:
    """Length of the APE tag that begins here, with a header or with its footer alone; 0 if none does."""
    file.seek(position)
    data = file.read(_MOST_APE_BYTES)
    begin = data.find(_APE)
    head = data[begin : begin + _APE_BYTES]
    if begin < 0 or len(head) < _APE_BYTES:
        return 0
    num_bytes, flags = (int.from_bytes(head[at : at + 4], "little") for at in (12, 20))
    if begin == 0 and flags & _APE_IS_HEADER:
        return _APE_BYTES + num_bytes
    return num_bytes if num_bytes == begin + _APE_BYTES else 0


def _mp3_begins(file: BinaryIO, position: int) -> bool:
    """Whether a frame with Xing's header lies here, or two frames: the first bytes of one alone prove nothing."""
    file.seek(position)
    head = file.read(NUM_XING_BYTES)
    length = frame_bytes(head)
    if not length:
        return False
    if b"Xing" in head or b"Info" in head:
        return True
    file.seek(position + length)
    return frame_bytes(file.read(6)) > 0


def _mp3_changes(file: BinaryIO, position: int) -> bool:
    """Whether frames from `position` on, with tags between them, come to have another rate or number of channels."""
    first: tuple[int, int, bool] | None = None
    for _ in range(_MOST_FRAMES):
        file.seek(position)
        head = file.read(6)
        length = frame_bytes(head)
        if not length:
            behind = _after_tags(file, position)
            if behind == position:
                return False
            position = behind
            continue
        found = head[1] & 0x1E, head[2] & 0x0C, head[3] >> 6 == _MONO  # version and layer, rate
        first = first or found
        if found != first and _mp3_begins(file, position):
            return True
        position += length
    return False
