# SPDX-License-Identifier: MIT
"""Keeps the passwords of addresses out of messages and files."""

import re

# What GitHub's and git's addresses have in front of an @ is a repository.
_LOGIN = r"((?!git(?:hub)?:)[a-z][a-z0-9+.-]+://[^:/?#{0}]*):[^/?#{0}]*@"
_OF_ADDRESS = re.compile("^" + _LOGIN.format(""), re.IGNORECASE)
_IN_TEXT = re.compile("(?<![a-z0-9+.-])" + _LOGIN.format(r"\s"), re.IGNORECASE)


def without_password(text: str) -> str:
    """A text for people, such as a message: the addresses in it, without what is between a colon and an @.

    >>> without_password("sftp://me:secret@host/song.wav"), without_password("song.wav")
    ('sftp://me@host/song.wav', 'song.wav')
    """
    return _IN_TEXT.sub(r"\1@", text)


def address_without_password(address: str) -> str:
    """The same of one whole address, whose names and passwords may hold spaces.

    >>> address_without_password("smb://my name:my secret@nas/song.wav")
    'smb://my name@nas/song.wav'
    """
    return _OF_ADDRESS.sub(r"\1@", address)
