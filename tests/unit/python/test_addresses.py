# SPDX-License-Identifier: MIT
"""Addresses of stores, which behave as paths do."""

import pytest
from stemlane.errors import InputError
from stemlane.files.addresses import Address, place
from stemlane.passwords import without_password


def test_an_address_is_a_path_with_two_slashes():
    song = place("s3://bucket/in/song.flac")
    assert isinstance(song, Address) and str(song) == "s3://bucket/in/song.flac" and song.scheme == "s3"
    assert (song.name, song.suffix, str(song.parent)) == ("song.flac", ".flac", "s3://bucket/in")
    assert str(song.parent / "x" / "y.wav") == "s3://bucket/in/x/y.wav"
    assert song == place("s3://bucket//in/song.flac") and place(song) is song
    assert not isinstance(place("C:/x"), Address) and not isinstance(place("a:b"), Address)
    with pytest.raises(InputError, match="one address, not one inside another"):
        place("zip://a.wav::s3://bucket/a.zip")


@pytest.mark.parametrize(
    "whole, shown",
    [
        ("smb://me:secret@nas/in/x.wav", "smb://me@nas/in/x.wav"),
        ("ftp://me@there.org:secret@host:21/x.wav", "ftp://me@there.org@host:21/x.wav"),
        ("sftp://me:se@c:ret@host/x.wav", "sftp://me@host/x.wav"),
        ("smb://my name:my secret@nas/x.wav", "smb://my name@nas/x.wav"),
        ("sftp://me@host/a:b@c.wav", "sftp://me@host/a:b@c.wav"),
        ("s3://bucket/a:b@c.wav", "s3://bucket/a:b@c.wav"),
        ("github://org:repo@main/x.wav", "github://org:repo@main/x.wav"),
    ],
)
def test_an_address_is_shown_without_its_password(whole, shown):
    assert str(place(whole)) == shown and place(whole).url == whole
    if " " in whole:  # where it ends in a text, nobody can say
        return
    assert without_password(f"what: {whole} and {whole}") == f"what: {shown} and {shown}"
    assert (place(whole).parent / "y.wav").url == whole.rpartition("/")[0] + "/y.wav"


def test_a_password_that_no_address_can_hold_is_not_repeated():
    """The address would end in it, and what follows be a path."""
    for text in ("ftp://me:se/cret@host/x.wav", "ftp://me:#secret@host/x.wav", "sftp://me:12?secret@host/x.wav"):
        with pytest.raises(InputError, match="^s?ftp://…: a password in an address holds no / . or #"):
            place(text)
    assert str(place("ftp://host:21/me@home.wav")) == "ftp://host:21/me@home.wav"
    assert str(place("s3://arn:aws:s3:x/me@home.wav")) == "s3://arn:aws:s3:x/me@home.wav"


def test_what_a_web_page_is_asked_for_is_no_part_of_a_name():
    signed = place("https://host/in/song.flac?path=x/../../evil.exe&by=a.b#part")
    assert (signed.name, signed.suffix, signed.stem) == ("song.flac", ".flac", "song")
    assert signed.url == "https://host/in/song.flac?path=x/../../evil.exe&by=a.b#part"
    assert place("sftp://host/in/what?.wav").name == "what?.wav"
