# SPDX-License-Identifier: MIT
"""Addresses of stores, which behave as paths do."""

import pytest
from stemlane.errors import InputError
from stemlane.files.addresses import Address, place


def test_an_address_is_a_path_with_two_slashes():
    song = place("s3://bucket/in/song.flac")
    assert isinstance(song, Address) and str(song) == "s3://bucket/in/song.flac" and song.scheme == "s3"
    assert (song.name, song.suffix, str(song.parent)) == ("song.flac", ".flac", "s3://bucket/in")
    assert str(song.parent / "x" / "y.wav") == "s3://bucket/in/x/y.wav"
    assert song == place("s3://bucket//in/song.flac") and place(song) is song
    assert not isinstance(place("C:/x"), Address) and not isinstance(place("a:b"), Address)
    with pytest.raises(InputError, match="one address, not one inside another"):
        place("zip://a.wav::s3://bucket/a.zip")
