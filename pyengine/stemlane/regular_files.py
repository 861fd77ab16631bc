# SPDX-License-Identifier: MIT
"""Opens and copies untrusted files: regular ones of bounded size only. Standard library only.

Opening a pipe may block forever, reading a device never ends, and a symbolic link in a downloaded folder may lead to a
private file.
"""

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path, PurePosixPath

_COPY_BYTES = 1 << 20


def open_regular(path: Path | str, limit_bytes: int, *, follow_links: bool = True) -> BufferedReader:
    """Open a regular file for reading.

    Parameters
    ----------
    path
        The file. With `follow_links` it may be a link to one, as in the caches of some downloaders.
    limit_bytes
        The largest size it may have.

    Raises
    ------
    OSError
        If it cannot be opened, is no regular file or too large; `strerror` says so.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_NONBLOCK", 0)  # a pipe nobody writes to opens at once
    flags |= 0 if follow_links else getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags)
    except ValueError:  # a zero in the name
        raise OSError(errno.EINVAL, "no possible name of a file", os.fspath(path)) from None
    except OSError as error:
        if error.errno == errno.ELOOP and not follow_links:
            raise OSError(errno.ELOOP, "is a symbolic link, should be a regular file", os.fspath(path)) from None
        raise
    file = os.fdopen(descriptor, "rb")
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", os.fspath(path))
        if found.st_size > limit_bytes:
            raise OSError(errno.EFBIG, f"has {found.st_size} bytes, more than {limit_bytes}", os.fspath(path))
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: Path | str, limit_bytes: int) -> bytes:
    """The content of a regular file of at most `limit_bytes`; `OSError` as `open_regular`."""
    with open_regular(path, limit_bytes) as file:
        return file.read(limit_bytes)


def copy_regular(folder: Path, name: str, target: Path, limit_bytes: int) -> str:
    """Copy `folder`/`name` to `target`/`name`; returns the SHA-256 of what was copied, in hex.

    Parameters
    ----------
    folder
        A folder that is not trusted. It may be reached through links, but in it no link is followed.
    name
        Relative path with `/` and without `..`.

    Raises
    ------
    OSError
        As `open_regular`, or if something on the way from `folder` to the file is a link.
    """
    path = folder
    for part in PurePosixPath(name).parts:
        path = path / part
        if path.is_symlink():
            raise OSError(errno.ELOOP, "is a symbolic link, should be a regular file", str(path))
    digest = hashlib.sha256()
    with open_regular(path, limit_bytes, follow_links=False) as source:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        left = limit_bytes
        with (target / name).open("xb") as copy:
            while chunk := source.read(_COPY_BYTES):
                left -= len(chunk)
                if left < 0:  # it grows
                    raise OSError(errno.EFBIG, f"has more than {limit_bytes} bytes", str(path))
                digest.update(chunk)
                copy.write(chunk)
    return digest.hexdigest()
