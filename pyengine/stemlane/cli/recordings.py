# SPDX-License-Identifier: MIT
"""Recordings that commands take and give: standard input as a file, lists of names, and standard output."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from stemlane.errors import InputError

STREAM = "-"


def listed(path: str) -> list[str]:
    """The names in a list, one a line or, as `find -print0` writes, with zero bytes between; `-` is standard input.

    Raises
    ------
    InputError
        If the list cannot be read or holds no name.
    """
    try:
        data = sys.stdin.buffer.read() if path == STREAM else Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the list cannot be read ({error.strerror})") from None
    lines = data.split(b"\0") if b"\0" in data else data.splitlines()
    names = [os.fsdecode(line) for line in lines if line.strip()]
    if not names:
        raise InputError(f"{'standard input' if path == STREAM else path}: the list holds no names")
    return names


@contextlib.contextmanager
def input_files(inputs: Sequence[str]) -> Iterator[dict[str, str]]:
    """The files to read, and what the user calls each: `-` is a temporary file with what comes from standard input."""
    if STREAM not in inputs:
        yield {name: name for name in inputs}
        return
    with tempfile.TemporaryDirectory(prefix="stemlane-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield {str(path) if name == STREAM else name: name for name in inputs}


@contextlib.contextmanager
def output_file(output: str) -> Iterator[str]:
    """The same name; for `-`, a temporary WAV file that goes to standard output when the block ends well."""
    if output != STREAM:
        yield output
        return
    with tempfile.TemporaryDirectory(prefix="stemlane-") as folder:
        path = Path(folder) / "stdout.wav"
        yield str(path)
        send(path)


def send(path: PurePath) -> None:
    """Copy a file to standard output."""
    with open(path, "rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
