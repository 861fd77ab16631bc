# SPDX-License-Identifier: MIT
"""Writes audio files block by block. What is written appears under its name only when it is complete."""

import os
from pathlib import Path
from typing import Self

import numpy as np
import soundfile

from stemlane.errors import InputError
from stemlane.files.staging import Partial, cannot_write, remove_leftovers

FORMATS = {"wav": ("WAV", "FLOAT"), "flac": ("FLAC", "PCM_24"), "ogg": ("OGG", "VORBIS")}
BLOCK_SAMPLES = 16384  # libsndfile's Vorbis encoder overflows the stack on much larger writes
_LARGEST_WAV_BYTES = 4_000_000_000  # a WAV header counts in 32 bits; larger files are written as RF64


class AudioOutput:
    """An audio file being written under a temporary name; a `with` block that ends well gives it its own.

    Parameters
    ----------
    path
        Its ending says the format: .wav (32-bit float), .flac (24 bit) or .ogg (Vorbis).
    num_samples
        Expected length, which only decides whether a WAV file needs the header for very long files.
    shown
        What messages call the file, if it will be moved.

    Attributes
    ----------
    peak
        Largest absolute sample so far. Above 1.0, only .wav keeps it.
    """

    def __init__(
        self, path: str | Path, sample_rate: int, num_channels: int, num_samples: int = 0,
        *, shown: str | Path | None = None,
    ):  # fmt: skip
        self.path = Path(path)
        self._shown = path if shown is None else shown
        self._target = Path(os.path.realpath(path))  # a link stays and what it points to is replaced
        self.peak = 0.0
        self._num_written = 0
        file_format, subtype = FORMATS[check_format(self.path.suffix.removeprefix("."), self._shown)]
        if file_format == "WAV" and num_samples * num_channels * 4 > _LARGEST_WAV_BYTES:
            file_format = "RF64"
        check_file_target(self._target, self._shown)
        partial: Partial | None = None
        try:
            remove_leftovers([self._target.parent])
            self._partial = partial = Partial(self._target, folder=False)  # says what is wrong, as libsndfile does not
            self._file = soundfile.SoundFile(
                os.fsencode(partial.path), "w", int(sample_rate), num_channels,
                subtype=subtype, format=file_format,
            )  # fmt: skip
        except BaseException as error:
            if partial is not None:
                partial.discard()
            if not isinstance(error, (OSError, RuntimeError, ValueError, TypeError)):
                raise
            raise self._problem(error) from None

    def __enter__(self) -> Self:
        return self

    def write(self, block: np.ndarray) -> None:
        """Append (channels, samples) float32."""
        if block.shape[1]:
            self.peak = max(self.peak, float(np.abs(block).max()))
        try:
            for start in range(0, block.shape[1], BLOCK_SAMPLES):
                self._file.write(block[:, start : start + BLOCK_SAMPLES].T)
        except (OSError, RuntimeError, AssertionError) as error:  # soundfile asserts that all was written
            raise self._problem(error) from None
        self._num_written += block.shape[1]

    def _problem(self, error: Exception | str) -> InputError:
        return cannot_write(self._shown, Path(os.path.realpath(self._shown)).parent, error)

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        try:
            self._file.close()
            if error_type is None:
                if not _holds(self._partial.path, self._num_written):
                    raise self._problem("the end is missing")
                os.replace(self._partial.path, self._target)
        except (OSError, RuntimeError) as error:
            raise self._problem(error) from None
        finally:
            self._partial.discard()


def check_format(name: str, path: str | Path = "") -> str:
    """`name` in lower case if it is a format that can be written, else `InputError`."""
    if name.lower() not in FORMATS:
        prefix = f"{path}: " if path else ""
        raise InputError(f"{prefix}format {name!r} cannot be written, should be one of: {', '.join(FORMATS)}")
    return name.lower()


def check_file_target(target: Path, shown: str | Path) -> None:
    """Raise `InputError` if no file of that name can be written, before any work is done for it."""
    folder = target.parent
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder to write to")
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "no plain file"
        raise InputError(f"{shown}: is {kind}, should be the name of a file to write")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{shown}: cannot be written (the folder {folder} is not yours to write to)")


def _holds(path: Path, num_samples: int) -> bool:
    """Whether a file holds so many samples, to the last one: closing a file, libsndfile says nothing of a full disk."""
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            if file.frames != num_samples:
                return False
            file.seek(max(num_samples - 1, 0))
            return len(file.read(1)) == min(num_samples, 1)
    except (OSError, RuntimeError):
        return num_samples == 0  # an empty Vorbis file cannot be opened
