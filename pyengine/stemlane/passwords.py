# SPDX-License-Identifier: MIT
"""Keeps the passwords of addresses out of what people and files are told."""

import re

# What GitHub's addresses have in front of an @ is a repository.
_LOGIN = re.compile(r"(?<![a-z0-9+.-])((?!github:)[a-z][a-z0-9+.-]+://[^\s:/?#]*):[^\s/?#]*@", re.IGNORECASE)


def without_password(text: str) -> str:
    """A text for people, such as a message: the addresses in it, without what is between a colon and an @.

    >>> without_password("sftp://me:secret@host/song.wav"), without_password("song.wav")
    ('sftp://me@host/song.wav', 'song.wav')
    """
    return _LOGIN.sub(r"\1@", text)
