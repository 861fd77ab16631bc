# SPDX-License-Identifier: MIT
"""A comment is added to Ogg Vorbis: other readers find it, and every page is whole."""

import struct

import av
import numpy as np
import pytest
import soundfile
from stemlane.files.ogg_comments import add_comment
from support.audio_files import music

RATE = 44100


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "a.ogg"
    with soundfile.SoundFile(path, "w", RATE, 2, format="OGG", subtype="VORBIS") as file:
        file.title, file.artist = "Song", "Nobody"
        for piece in np.split(music(6 * 16000).T, 6):
            file.write(piece)
    return path


def pages(data: bytes) -> list[tuple[int, int, int, int]]:
    """Flags, position, number and stated check sum of each page."""
    found, start = [], 0
    while start < len(data):
        assert data[start : start + 4] == b"OggS"
        flags, position, _, number, stated = struct.unpack_from("<BqIII", data, start + 5)
        lacing = data[start + 27 : start + 27 + data[start + 26]]
        end = start + 27 + len(lacing) + sum(lacing)
        page = bytearray(data[start:end])
        page[22:26] = bytes(4)
        assert slow_sum(page) == stated
        found.append((flags, position, number, stated))
        start = end
    return found


def slow_sum(page: bytes) -> int:
    """Bit by bit, as RFC 3533 has it: polynomial 0x04c11db7, from 0, nothing inverted."""
    total = 0
    for byte in page:
        total ^= byte << 24
        for _ in range(8):
            total = (total << 1 ^ (0x04C11DB7 if total & 1 << 31 else 0)) & 0xFFFFFFFF
    return total


# In the page that is there, to the byte where a packet ends with a page of 255 full pieces, and over several pages.
@pytest.mark.parametrize("num_letters", [0, 1, 255, 40_000, 65_025, 200_000])
def test_the_comment_is_there_and_the_sound_is_the_same(song, num_letters):
    before = pages(song.read_bytes())
    samples, text = soundfile.read(song)[0], "ä" + "x" * num_letters
    add_comment(song, "NOTE", text)
    found = pages(song.read_bytes())
    assert [number for _, _, number, _ in found] == list(range(len(found)))
    num_sound = len(before) - 2
    assert [page[:2] for page in found[-num_sound:]] == [page[:2] for page in before[-num_sound:]]
    np.testing.assert_array_equal(soundfile.read(song)[0], samples)
    with av.open(str(song)) as container:
        tags = {name.upper(): value for name, value in container.streams[0].metadata.items()}
    assert tags["NOTE"] == text and tags["TITLE"] == "Song" and tags["ARTIST"] == "Nobody"


def test_two_comments(song):
    for name in ("ONE", "TWO"):
        add_comment(song, name, name.lower())
    with av.open(str(song)) as container:
        tags = container.streams[0].metadata
    assert (tags["ONE"], tags["TWO"]) == ("one", "two")


def test_other_files_are_refused_and_stay(tmp_path, song):
    whole = song.read_bytes()
    for name, data, words in (
        ("empty", b"", "no headers of Ogg Vorbis"),
        ("wave", b"RIFF" + bytes(100), "no page of Ogg"),
        ("cut", whole[:1000], "no page of Ogg"),
        ("first", whole[:58], "no headers of Ogg Vorbis"),
        ("opus", whole.replace(b"\x03vorbis", b"OpusTag"), "no headers of Ogg Vorbis"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ValueError, match=words):
            add_comment(path, "A", "b")
        assert path.read_bytes() == data
