# SPDX-License-Identifier: MIT
"""Takes files of given names out of a tar archive, plain or gzipped. Paths in the archive are never used.

An archive may inflate to a thousand times its size, in a file's content, in what is skipped, and in the headers that
Python's `tarfile` reads at once. All of it is bounded before it is inflated.
"""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, cast

from stemlane.errors import ModelError, one_line
from stemlane.regular_files import open_regular

_HIGHEST_ARCHIVE_BYTES = 4 << 30
_HIGHEST_MEMBER_BYTES = 1 << 30
_HIGHEST_INFLATED_BYTES = 3 << 30
_HIGHEST_HEADER_BYTES = 1 << 20  # 500 members
_READ_BYTES = 1 << 16  # no header of an honest archive is longer
_GZIP_MAGIC = b"\x1f\x8b"


def take_members(archive: Path, names: Iterable[str], folder: Path, report: Callable[[str, int, int], None]) -> None:
    """Write the members whose last part of the path is one of `names` into `folder`; each must be there once.

    Raises
    ------
    ModelError
        If the archive is damaged, lacks one, has one twice, or would inflate to more than weights need.
    OSError
        If the disk is full.
    """
    try:
        file = open_regular(archive, _HIGHEST_ARCHIVE_BYTES)
    except OSError as error:
        raise ModelError(f"{archive}: cannot be read ({error.strerror})") from None
    with file:
        try:
            missing = _take(file, archive, set(names), folder, report)
        except OSError as error:
            if error.errno is not None:  # the disk's fault, not the archive's
                raise
            raise _bad_archive(archive, error) from None
        except (tarfile.TarError, EOFError, ValueError, LookupError, zlib.error, OverflowError) as error:
            # LookupError: `tarfile` reads headers of sparse files beyond their end.
            raise _bad_archive(archive, error) from None
    if missing:
        raise ModelError(f"{archive}: holds no {min(missing)}: not Spleeter's weights")


def _take(
    file: BinaryIO, archive: Path, missing: set[str], folder: Path, report: Callable[[str, int, int], None]
) -> set[str]:
    names = frozenset(missing)
    packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    file.seek(0)
    content = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
    with tarfile.open(fileobj=cast(BinaryIO, _Headers(content)), mode="r:") as tar:
        for member in tar:
            _check_position(member.offset_data + member.size)  # inflated to get to the next header
            name = member.name.rsplit("/", 1)[-1]
            if name not in names:
                continue
            plain = member.isreg() and not member.issparse()
            if not plain or name not in missing or member.size > _HIGHEST_MEMBER_BYTES:
                raise ModelError(f"{archive}: {name!a} is no plain file, there twice, or too large")
            missing.discard(name)
            content.seek(member.offset_data)
            with (folder / name).open("xb") as target:
                while (left := member.size - target.tell()) > 0:
                    chunk = content.read(min(left, _READ_BYTES))
                    if not chunk:
                        raise EOFError(f"ends in {name!a}")
                    target.write(chunk)
                    report("unpacking", target.tell(), member.size)
    return missing


def _check_position(end: int) -> None:
    if not 0 <= end <= _HIGHEST_INFLATED_BYTES:
        raise ValueError(f"would inflate to {end} bytes")


class _Headers:
    """The file as `tarfile` sees it, which reads its headers only: few bytes at once, and not many in all."""

    def __init__(self, file: BinaryIO):
        self._file, self.tell = file, file.tell
        self._left = _HIGHEST_HEADER_BYTES

    def seek(self, position: int) -> int:
        _check_position(position)
        return self._file.seek(position)

    def read(self, size: int) -> bytes:
        self._left -= size
        if not 0 <= size <= _READ_BYTES or self._left < 0:
            raise ValueError("has more headers than weights need")
        return self._file.read(size)


def _bad_archive(archive: Path, error: Exception) -> ModelError:
    return ModelError(f"{archive}: cannot be unpacked ({one_line(error)}): cut off, damaged or no .tar.gz")
