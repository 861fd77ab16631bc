# SPDX-License-Identifier: MIT
"""Says whether the end of an audio file is missing, from the sizes its container states. Decoders read on in silence.

Only sizes and marks are read here, never samples. What cannot be told (a raw stream cut between two frames, a size the
writer did not know) counts as complete.
"""

import os
from collections.abc import Callable
from typing import BinaryIO, Literal

_Order = Literal["little", "big"]
_MISCOUNTED_BYTES = 8  # some programs count the header itself, or a padding byte that is not there
_LARGEST_STATED_BYTES = 0x7F000000  # larger ones, and 0, are what programs write that do not know the size
_TAIL_BYTES = 2 * 65_307  # the largest Ogg page; the last whole one lies in twice as much
_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")  # Sony Wave64, riff
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")  # Advanced Systems Format, header object
_ASF_OBJECTS = (
    _ASF_HEADER,
    bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c"),  # data
    bytes.fromhex("90080033b1e5cf1189f400a0c90349cb"),  # simple index
    bytes.fromhex("d329e2d6da35d111903400a0c90349be"),  # index
)
# What may lie at the top of a file. Behind it, others have written tags that read like sizes.
_FORMS = (b"RIFF", b"RIFX", b"FORM")
_CAF_CHUNKS = frozenset(b"desc data pakt chan info free kuki strg mark regn inst midi ovvw peak edct umid uuid".split())
_MP4_BOXES = frozenset(b"ftyp styp moov moof mdat free skip wide sidx ssix mfra meta uuid udta pdin prft emsg".split())
_EBML_SEGMENT = 0x18538067
_MOST_STEPS = 2_000_000  # through a file: frames of MP3 in 14 hours; one made up of nothing else ends in time
NUM_XING_BYTES = 200  # from the first frame's header to the end of what we read of Xing's

# MPEG audio, ISO 11172-3 and 13818-3: kbit/s by (version 1 or not, layer), and Hz by version.
_BITRATES = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_AC3_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)  # ATSC A/52
_AC3_SAMPLES = 1536  # of a frame
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def missing_end(file: BinaryIO) -> str:
    """What is missing at the end of an audio file, as words to follow its name, or nothing.

    Parameters
    ----------
    file
        Open for reading, seekable; its position is lost.
    """
    size = os.fstat(file.fileno()).st_size
    if not size:
        return "is empty"
    file.seek(0)
    head = file.read(16)
    for magic, check in _CHECKS.items():
        if head.startswith(magic):
            return check(file, size)
    if head[4:8] in _MP4_BOXES:
        return _sized(_mp4_end(file, size), size)
    return _frames(file, size)


def _sized(stated: int, found: int) -> str:
    if stated - found <= _MISCOUNTED_BYTES:
        return ""
    return f"is cut off, {stated - found} of {stated} bytes are missing"


def _known(num_bytes: int) -> bool:
    return 0 < num_bytes <= _LARGEST_STATED_BYTES


def _riff(order: _Order) -> Callable[[BinaryIO, int], str]:
    """RIFF, RIFX and FORM: the outer chunks, several in a long AVI, and the `data` of a WAVE inside the first."""

    def check(file: BinaryIO, size: int) -> str:
        file.seek(8)
        is_wave = file.read(4) == b"WAVE"
        end = max(_chunks_end(file, 0, size, order, b""), _chunks_end(file, 12, size, order, b"data") if is_wave else 0)
        return _sized(end, size)

    return check


def _chunks_end(file: BinaryIO, position: int, size: int, order: _Order, wanted: bytes) -> int:
    """Where the last chunk of known size ends, or the first called `wanted`; 0 if its size is not known."""
    end = 0
    for _ in range(_MOST_STEPS):
        if position + 8 > size:
            break
        file.seek(position)
        name, num_bytes = file.read(4), int.from_bytes(file.read(4), order)
        if not (wanted or name in _FORMS) or not _known(num_bytes):
            break
        end = position + 8 + num_bytes
        if name == wanted:
            return end
        position = end + num_bytes % 2
    return 0 if wanted else end


def _rf64(file: BinaryIO, size: int) -> str:
    file.seek(12)
    if file.read(4) != b"ds64":
        return ""
    file.seek(20)
    return _sized(8 + int.from_bytes(file.read(8), "little"), size)


def _guids(file: BinaryIO, size: int) -> str:
    """Objects of a 16-byte name and a 64-bit size that counts them too; Wave64 has one of them around all."""
    position = end = 0
    for _ in range(_MOST_STEPS):
        if position + 24 > size:
            break
        file.seek(position)
        name, num_bytes = file.read(16), int.from_bytes(file.read(8), "little")
        if name not in (_W64_RIFF, *_ASF_OBJECTS) or not 24 <= num_bytes < 1 << 62:
            break
        position = end = position + num_bytes
    return _sized(end, size)


def _au(order: _Order) -> Callable[[BinaryIO, int], str]:
    def check(file: BinaryIO, size: int) -> str:
        file.seek(4)
        start, num_bytes = (int.from_bytes(file.read(4), order) for _ in range(2))
        return _sized(start + num_bytes, size) if _known(num_bytes) else ""

    return check


def _caf(file: BinaryIO, size: int) -> str:
    position = 8
    end = 0
    for _ in range(_MOST_STEPS):
        if position + 12 > size:
            break
        file.seek(position)
        name, num_bytes = file.read(4), int.from_bytes(file.read(8), "big", signed=True)
        if name not in _CAF_CHUNKS or num_bytes < 0:  # the writer did not know it
            break
        position = end = position + 12 + num_bytes
    return _sized(end, size)


def _mp4_end(file: BinaryIO, size: int) -> int:
    position = 0
    for _ in range(_MOST_STEPS):
        if position + 8 > size:
            break
        file.seek(position)
        num_bytes, name = int.from_bytes(file.read(4), "big"), file.read(4)
        if num_bytes == 1:
            num_bytes = int.from_bytes(file.read(8), "big")
        if name not in _MP4_BOXES or not 8 <= num_bytes < 1 << 62:  # to the end, or no box at all
            break
        position += num_bytes
    return position


def _matroska(file: BinaryIO, size: int) -> str:
    position = 0
    for _ in range(_MOST_STEPS):
        if position + 12 > size:
            break
        file.seek(position)
        head = file.read(16)
        id_length = 9 - head[0].bit_length() if head[0] else 0
        length = 9 - head[id_length].bit_length() if head[id_length] else 0
        if not 1 <= id_length <= 4 or not 1 <= length <= 8:
            break
        mask = (1 << 7 * length) - 1
        num_bytes = int.from_bytes(head[id_length : id_length + length], "big") & mask
        end = position + id_length + length + num_bytes
        if int.from_bytes(head[:id_length], "big") == _EBML_SEGMENT:
            return "" if num_bytes == mask else _sized(end, size)  # all ones: not known
        position = end
    return ""


def _ogg(file: BinaryIO, size: int) -> str:
    """The last page must be whole and marked as the last of its stream."""
    start = max(0, size - _TAIL_BYTES)
    file.seek(start)
    tail = file.read(_TAIL_BYTES)
    begin = tail.rfind(b"OggS")
    page = tail[begin:] if begin >= 0 else b""
    num_segments = page[26] if len(page) > 26 else 0
    whole = len(page) >= 27 + num_segments
    missing = 27 + num_segments + sum(page[27 : 27 + num_segments]) - len(page)
    if whole and missing <= 0 and page[5] & 4:
        return ""
    return "is cut off, its last page does not end the stream"


def _wavpack(file: BinaryIO, size: int) -> str:
    position = 0
    for _ in range(_MOST_STEPS):
        if position + 8 > size:
            break
        file.seek(position)
        if file.read(4) != b"wvpk":
            return ""  # tags
        position += 8 + int.from_bytes(file.read(4), "little")
    return _sized(position, size)


def _frames(file: BinaryIO, size: int) -> str:
    """MP3, AAC and AC-3 without a container: what Xing's header states, else whether the last frame is whole."""
    position = after_id3(file)
    file.seek(position)
    head = file.read(NUM_XING_BYTES)
    length = frame_bytes(head)
    if not length:
        return ""
    if stated := xing_bytes(head):
        return _sized(position + stated, size)
    num_frames = 0
    for _ in range(_MOST_STEPS):
        if not length:
            break
        position += length
        num_frames += 1
        file.seek(position)
        length = frame_bytes(file.read(6))
    # Two bytes of a tag may look like a frame's first, and of one frame nothing follows.
    if num_frames > 1 and position > size:
        return f"is cut off, {position - size} bytes of its last frame are missing"
    return ""


def after_id3(file: BinaryIO, position: int = 0) -> int:
    """Where the audio begins: after tags of ID3, version 2, if any lie at `position`."""
    for _ in range(_MOST_STEPS):
        file.seek(position)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
            return position
        num_bytes = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        position += 10 + num_bytes + 10 * bool(head[5] & 0x10)
    return position


def frame_bytes(head: bytes) -> int:
    """Length of the frame that begins with these six bytes, 0 if none does."""
    if len(head) < 6:
        return 0
    if head[:2] == b"\x0b\x77":
        return _ac3_bytes(head[4])
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # AAC, ADTS
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return _mpeg_bytes(head) if head[0] == 0xFF and head[1] >= 0xE0 else 0


def _mpeg_bytes(head: bytes) -> int:
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    index, rate_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or index in (0, 15) or rate_index == 3:
        return 0
    bit_rate, rate = 1000 * _BITRATES[version == 3, layer][index], _RATES[version][rate_index]
    if layer == 1:
        return 4 * (12 * bit_rate // rate + padding)
    num_samples = 1152 if layer == 2 or version == 3 else 576
    return num_samples // 8 * bit_rate // rate + padding


def _ac3_bytes(code: int) -> int:
    rate, index = (48000, 44100, 32000, 0)[code >> 6], code & 0x3F
    if not rate or index >> 1 >= len(_AC3_BITRATES):
        return 0
    num_words = 1000 * _AC3_BITRATES[index >> 1] * _AC3_SAMPLES // rate // 16
    return 2 * (num_words + (index & 1 if rate == 44100 else 0))


def xing_bytes(head: bytes) -> int:
    """How many bytes a header of Xing's in the first frame states, 0 if there is none."""
    begin = max(head.find(b"Xing"), head.find(b"Info"))
    if begin < 0:
        return 0
    flags = int.from_bytes(head[begin + 4 : begin + 8], "big")
    if not flags & 2:
        return 0
    begin += 12 if flags & 1 else 8
    return int.from_bytes(head[begin : begin + 4], "big")


_CHECKS: dict[bytes, Callable[[BinaryIO, int], str]] = {
    b"RIFF": _riff("little"),
    b"RIFX": _riff("big"),
    b"FORM": _riff("big"),
    b"RF64": _rf64,
    b"BW64": _rf64,
    _W64_RIFF: _guids,
    _ASF_HEADER: _guids,
    b".snd": _au("big"),
    b"dns.": _au("little"),
    b"caff": _caf,
    b"\x1aE\xdf\xa3": _matroska,
    b"OggS": _ogg,
    b"wvpk": _wavpack,
    b"fLaC": lambda file, size: "",  # states samples, not bytes: the reader compares them
}
