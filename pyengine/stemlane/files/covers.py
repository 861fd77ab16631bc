# SPDX-License-Identifier: MIT
"""Cover pictures: found in a recording and put into what is made of it. They are copied, never decoded.

mutagen would write them into every format, but it is under the GPL and this package is not. FFmpeg writes MP3's and
Opus's; for FLAC, MP4, WAV and Ogg Vorbis a block of a few bytes around the picture is added here.
"""

import base64
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from stemlane.files.insertion import insert
from stemlane.files.mp4_boxes import add_box, box
from stemlane.files.ogg_comments import add_comment

if TYPE_CHECKING:
    import av

MOST_BYTES = (1 << 24) - 1000  # of a FLAC block, with room for what stands around the picture
_KINDS = {b"\xff\xd8\xff": ("image/jpeg", "mjpeg", 13), b"\x89PNG": ("image/png", "png", 14)}
_FRONT_COVER = 3  # ID3v2's number, which FLAC uses too
_PICTURE_BLOCK = 6  # of FLAC
_LAST_BLOCK = 0x80
_MOST_BLOCKS = 1000


def picture_of(container: "av.container.InputContainer") -> bytes:
    """The first JPEG or PNG that is attached to a recording, of at most 16 MB; nothing where there is none."""
    import av

    for stream in container.streams.video:
        if av.stream.Disposition.attached_pic in stream.disposition:
            packet = next(container.demux(stream), None)
            if packet is not None and packet.size <= MOST_BYTES and _kind(bytes(packet)):
                return bytes(packet)
    return b""


def _kind(picture: bytes) -> tuple[str, str, int] | None:
    """Media type, FFmpeg's name and MP4's number."""
    return next((kind for start, kind in _KINDS.items() if picture.startswith(start)), None)


def _described(picture: bytes) -> bytes:
    """The picture as a block of FLAC holds it (xiph.org/flac/format.html): sizes of 0 are not stated."""
    kind = _kind(picture)
    media_type = kind[0].encode() if kind else b""
    head = struct.pack(">II", _FRONT_COVER, len(media_type)) + media_type
    return head + struct.pack(">IIIIII", 0, 0, 0, 0, 0, len(picture)) + picture


def as_comment(picture: bytes) -> dict[str, str]:
    """The picture as a comment of Ogg's formats."""
    return {"METADATA_BLOCK_PICTURE": base64.b64encode(_described(picture)).decode("ascii")} if picture else {}


def attach(container: "av.container.OutputContainer", picture: bytes) -> None:
    """Let FFmpeg write the picture, before any sound."""
    import av

    kind = _kind(picture)
    if kind is None:
        return
    stream = container.add_stream(kind[1], rate=1)
    assert isinstance(stream, av.VideoStream)  # noqa: S101 - by its codec
    # A codec must be opened, but encodes nothing: what it would be told of the picture is not written.
    stream.width = stream.height = 8
    stream.pix_fmt = "yuvj420p" if kind[1] == "mjpeg" else "rgb24"
    # Before PyAV 17 a number alone could be set.
    stream.disposition = av.stream.Disposition.attached_pic.value  # type: ignore[assignment]
    packet = av.Packet(picture)
    packet.stream, packet.pts, packet.dts = stream, 0, 0
    container.mux(packet)


def add_to_mp4(path: Path, picture: bytes) -> None:
    """Put the picture beside the tags of an MP4 file that ends with `moov`; nothing happens where it has no tags."""
    kind = _kind(picture)
    if kind is None:
        return
    with path.open("r+b") as file:
        data = box(b"data", struct.pack(">II", kind[2], 0) + picture)
        add_box(file, (b"moov", b"udta", b"meta", b"ilst"), b"covr", data)


def add_to_ogg(path: Path, picture: bytes) -> None:
    """Put the picture behind the other comments of an Ogg Vorbis file; the sound moves."""
    for name, text in as_comment(picture).items():
        add_comment(path, name, text)


def add_to_flac(path: Path, picture: bytes) -> None:
    """Put the picture behind the other blocks of a FLAC file; the frames move."""
    block = _described(picture)
    with path.open("r+b") as file:
        position, last = 4, 4
        for _ in range(_MOST_BLOCKS):
            file.seek(position)
            head = file.read(4)
            last, position = position, position + 4 + int.from_bytes(head[1:4], "big")
            if head[0] & _LAST_BLOCK:
                break
        insert(file, position, bytes([_LAST_BLOCK | _PICTURE_BLOCK]) + len(block).to_bytes(3, "big") + block)
        file.seek(last)
        kind = file.read(1)[0]
        file.seek(last)
        file.write(bytes([kind & ~_LAST_BLOCK]))


def add_to_wav(path: Path, picture: bytes) -> None:
    """Put the picture behind the sound of a WAV file, in the ID3 chunk that players read; RF64 is left alone.

    The chunk is `id3 ` with a tag of ID3v2.3 (id3.org/id3v2.3.0) that holds one frame, APIC.
    """
    kind = _kind(picture)
    if kind is None:
        return
    frame = b"\0" + kind[0].encode() + b"\0" + bytes([_FRONT_COVER]) + b"\0" + picture
    frame = b"APIC" + struct.pack(">IH", len(frame), 0) + frame
    sizes = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))  # seven bits a byte
    tag = b"ID3\x03\0\0" + sizes + frame
    chunk = b"id3 " + struct.pack("<I", len(tag)) + tag + b"\0" * (len(tag) % 2)
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        file.seek(0)
        size = end + end % 2 + len(chunk) - 8
        if file.read(4) == b"RIFF" and size < 1 << 32:
            file.seek(end)
            file.write(b"\0" * (end % 2) + chunk)
            file.seek(4)
            file.write(struct.pack("<I", size))
