# SPDX-License-Identifier: MIT
"""Where a file lies: a path of this machine, or an address such as `s3://bucket/song.flac`. Opens nothing."""

import re
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote

from stemlane.arguments import path_text
from stemlane.errors import InputError
from stemlane.passwords import address_without_password, without_password

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # two letters at least: a drive of Windows has one
# Of a password that holds / ? or #: behind a server and a colon no number, and later an @.
_NO_PORT = re.compile(
    r"(s?ftp|ftps|ssh|smb|https?|webhdfs)://[^/?#@:\[]*:(?!\d+/)(?=[^/?#@]*[/?#])[^@]*@", re.IGNORECASE
)
_OWN_SCHEMES = ("file", "local")  # of this machine; what is there is a path like any other


class Address(PurePosixPath):
    """A file or folder in a store that fsspec reaches.

    It is a pure path that keeps both slashes behind its scheme, so names, endings and parents work as with paths.
    Repeated slashes further on become one. Its text, for messages and receipts, leaves out a password.

    >>> song = Address("s3://bucket/in/song.flac")
    >>> str(song.parent / "x.wav"), song.suffix, song.scheme
    ('s3://bucket/in/x.wav', '.flac', 's3')
    >>> str(Address("smb://me:secret@nas/in")), Address("smb://me:secret@nas/in").url
    ('smb://me@nas/in', 'smb://me:secret@nas/in')
    """

    def __str__(self) -> str:
        return address_without_password(self.url)

    @property
    def url(self) -> str:
        """The whole address, a password included: for the store alone."""
        return super().__str__().replace(":/", "://", 1)

    @property
    def name(self) -> str:
        """The last part, without the query and fragment of a web address."""
        text = re.split("[?#]", str(self), maxsplit=1)[0] if self.scheme in ("http", "https") else str(self)
        return text.rstrip("/").rpartition("/")[2]

    @property
    def scheme(self) -> str:
        """What stands before the colon, in lower case."""
        return str(self).partition("://")[0].lower()


Place: TypeAlias = Path | Address


def place(given: str | PurePath, name: str = "path") -> Place:
    """The address that is given, or else the path; `name` is what messages call it.

    >>> place("gs://bucket/a"), place("a/b"), place("file:///a%20b")
    (Address('gs://bucket/a'), PosixPath('a/b'), PosixPath('/a b'))

    Raises
    ------
    InputError
        If it is neither, or an address inside another one, fsspec's `a://b::c://d`.
    """
    if isinstance(given, Address):
        return given
    text = path_text(given, name)
    scheme = _SCHEME.match(text)
    if not scheme:
        return Path(text)
    if "::" in text:
        raise InputError(f"{without_password(text)}: should be one address, not one inside another")
    if _NO_PORT.match(text):
        raise InputError(
            f"{scheme[0]}…: a password in an address holds no / ? or #; give it to the store's package in another way"
        )
    if scheme[0].lower().removesuffix("://") in _OWN_SCHEMES:
        return Path(unquote(text[scheme.end() :]))
    return Address(text)
