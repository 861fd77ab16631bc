# SPDX-License-Identifier: MIT
"""What all sources of weights share: official addresses and mirrors, addresses and paths, hashes, progress, links."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from stemlane.errors import ModelError

MIRROR_VARIABLE = "STEMLANE_MIRROR"
Report = Callable[[str, int, int], None]  # stage, bytes done, bytes in all


def address(official_folder: str, file_name: str) -> str:
    """Where a file is fetched: in the mirror the user has named, else in its official folder.

    Raises
    ------
    ModelError
        If the mirror is no address.
    """
    folder = os.environ.get(MIRROR_VARIABLE) or official_folder
    if not is_url(folder):
        raise ModelError(
            f"{MIRROR_VARIABLE} is {folder!r}, should be an http:// or https:// address; or say --from PATH"
        )
    return f"{folder.rstrip('/')}/{file_name}"


def is_url(place: str) -> bool:
    """Whether `place` is an address and not a path."""
    return "://" in place


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stem_of_path(place: str, default: str) -> str:
    """A model's name from the name of a file, which a path or an address ends with.

    >>> stem_of_path("/x/Kim_Vocal 2.onnx", "mdx")
    'kim_vocal-2'
    """
    stem = PurePosixPath(unquote(urlsplit(place).path) if is_url(place) else Path(place).name).stem
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip(".-_") or default


def link(source: Path, target: Path) -> None:
    """Make `target` the same file where the file system can, else a copy: the weights are needed only once."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
