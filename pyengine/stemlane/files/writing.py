# SPDX-License-Identifier: MIT
"""Writes audio files block by block. What is written appears under its name only when it is complete."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Self

import numpy as np

from stemlane.errors import InputError
from stemlane.files import ffmpeg
from stemlane.files.addresses import Address
from stemlane.files.encoding import Encoding, Writer
from stemlane.files.formats import KNOWN_FORMATS
from stemlane.files.sndfile_encoding import SndfileWriter
from stemlane.files.staging import Partial, cannot_write, remove_leftovers
from stemlane.files.waveform import Waveform


def problems() -> tuple[type[Exception], ...]:
    """What goes wrong in libraries that write files; soundfile asserts, too."""
    return (OSError, RuntimeError, ValueError, TypeError, AssertionError, *ffmpeg.errors())


class AudioOutput:
    """An audio file being written under a temporary name; a `with` block that ends well gives it its own.

    Parameters
    ----------
    path
        Its ending says the format if `encoding` does not.
    num_samples
        Expected length, which only decides whether a WAV file needs the header for very long files.
    encoding
        Format, bits and bit rate; None for the usual ones of the ending.
    tags
        Title, artist and so on.
    cover
        A picture, JPEG or PNG.
    shown
        What messages call the file, if it will be moved.

    Attributes
    ----------
    waveform
        Its outline so far.
    """

    def __init__(
        self, path: str | Path, sample_rate: int, num_channels: int, num_samples: int = 0,
        *, encoding: Encoding | None = None, tags: Mapping[str, str] | None = None, cover: bytes = b"",
        shown: str | PurePath | None = None,
    ):  # fmt: skip
        self.path = Path(path)
        self._shown = path if shown is None else shown
        self._target = Path(os.path.realpath(path))  # a link stays and what it points to is replaced
        self.waveform = Waveform()
        self.encoding = encoding or encoding_of(path)
        check_file_target(self._target, self._shown)
        partial: Partial | None = None
        try:
            remove_leftovers([self._target.parent])
            self._partial = partial = Partial(self._target, folder=False)  # says what is wrong, as libsndfile does not
            self._writer = _open_writer(
                partial.path, self.encoding, sample_rate, num_channels, num_samples, tags or {}, cover
            )
        except BaseException as error:
            if partial is not None:
                partial.discard()
            if isinstance(error, InputError):
                raise InputError(f"{self._shown}: {error}") from None
            if not isinstance(error, problems()):
                raise
            raise self._problem(error) from None

    def __enter__(self) -> Self:
        return self

    def write(self, block: np.ndarray) -> None:
        """Append (channels, samples) float32."""
        self.waveform.add(block)
        try:
            self._writer.write(block)
        except problems() as error:
            raise self._problem(error) from None

    @property
    def peak(self) -> float:
        """Largest absolute sample so far. Above 1.0, only float WAV keeps it."""
        return self.waveform.peak

    def _problem(self, error: Exception) -> InputError:
        final = self._target if isinstance(self._shown, Address) else Path(os.path.realpath(self._shown))
        return cannot_write(self._shown, final.parent, error)

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        try:
            self._writer.close()
            if error_type is None:
                os.replace(self._partial.path, self._target)
        except problems() as error:
            if error_type is None:  # else the error that ends the work matters more
                raise self._problem(error) from None
        finally:
            self._partial.discard()


def _open_writer(
    path: Path, encoding: Encoding, sample_rate: int, num_channels: int, num_samples: int, tags: Mapping[str, str],
    cover: bytes = b"",
) -> Writer:  # fmt: skip
    """A writer of a file that is there already, and empty; `num_samples` is an estimate.

    `cover` is a picture, JPEG or PNG.
    """
    known = KNOWN_FORMATS[encoding.file_format]
    if sample_rate > known.highest_rate:
        raise InputError(
            f"format {encoding.file_format} holds up to {known.highest_rate} Hz, the recording has {sample_rate:g} Hz; "
            "choose another format"
        )
    if known.codec:
        from stemlane.files.ffmpeg_encoding import FfmpegWriter

        return FfmpegWriter(path, encoding, sample_rate, num_channels, tags, cover)
    return SndfileWriter(path, encoding, sample_rate, num_channels, num_samples, tags, cover)


def encoding_of(path: str | PurePath) -> Encoding:
    """The usual encoding of a file's ending."""
    if not isinstance(path, Address) and os.path.isdir(path):
        raise InputError(f"{path}: is a folder; name the file to write, like {Path(path) / 'mix.wav'}")
    if not PurePath(path).suffix:
        raise InputError(f"{path}: has no ending that says the format; name it like {path}.wav")
    try:
        return Encoding(Path(path).suffix.removeprefix("."))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def check_file_target(target: Path, shown: str | PurePath) -> None:
    """Raise `InputError` if no file of that name can be written, before any work is done for it."""
    folder = target.parent
    if not os.path.isdir(folder):
        raise InputError(f"{folder}: no such folder to write to")
    if os.path.exists(target) and not os.path.isfile(target):
        kind = "a folder" if os.path.isdir(target) else "no plain file"
        raise InputError(f"{shown}: is {kind}, should be the name of a file to write")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{shown}: cannot be written (the folder {folder} is not yours to write to)")
