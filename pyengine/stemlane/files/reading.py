# SPDX-License-Identifier: MIT
"""Reads audio files block by block, whatever decodes them, and says what is missing of them.

Channels come first inside Stemlane.
"""

import functools
import hashlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path, PurePath
from typing import Self

import numpy as np

from stemlane.audio_checks import check_finite, check_stream, rechunk
from stemlane.errors import InputError
from stemlane.files.completeness import missing_end
from stemlane.files.decoding import open_decoder, read_tags

BLOCK_SAMPLES = 16384


class AudioInput:
    """An audio file opened for reading, or the sound of a video, checked to be something Stemlane can separate.

    Parameters
    ----------
    start_seconds, duration_seconds
        The part that is read, exact to the sample; to the end if `duration_seconds` is None or reaches past it.
    stream
        Which of its streams of sound, counted from 0; None for the one that players play.
    shown
        What messages call the file, if it is a copy.

    Attributes
    ----------
    sample_rate, num_channels
        Of the file.
    num_samples
        Per channel, of the part that is read, as the file's header states it. Some formats only estimate it, 0 is not
        known.
    tags
        Title, artist and so on, in lower case, as FFmpeg calls them.
    """

    def __init__(
        self, path: str | Path, *, start_seconds: float = 0.0, duration_seconds: float | None = None,
        stream: int | None = None, shown: str | PurePath | None = None,
    ):  # fmt: skip
        self.path, self.shown = Path(path), path if shown is None else shown
        self._start_seconds, self._duration_seconds = start_seconds, duration_seconds
        self._short, self._length = "", 0
        self._file = _opened(self.path, self.shown)
        try:
            self._cut_off = missing_end(self._file)
            self._decoder = open_decoder(self._file, ending=self.path.suffix, stream=stream, reason=self._cut_off)
            self._look()
        except BaseException as error:
            self._file.close()
            if isinstance(error, InputError):
                raise InputError(f"{self.shown}: {error}") from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read from the start; each loop reads anew."""
        return self.blocks()

    @property
    def warning(self) -> str:
        """Text saying that the end is missing or parts are damaged, or nothing. Complete once all has been read."""
        words = [text for text in (self._cut_off or self._short or self._decoder.cut_off, self._decoder.damage) if text]
        return f"{self.shown}: {'; '.join(words)}; what is there is used" if words else ""

    def blocks(self, block_samples: int = BLOCK_SAMPLES) -> Iterator[np.ndarray]:
        """Read from the start: yields (channels, samples) float32, all of `block_samples` but the last."""
        position = 0
        try:
            for block in rechunk(self._part(), block_samples):
                check_finite(block, position)
                yield block
                position += block.shape[1]
        except InputError as error:
            raise InputError(f"{self.shown}: {error}") from None
        if position == 0:
            raise InputError(f"{self.shown}: {self._nothing_there}")

    @functools.cached_property
    def reaches_end(self) -> bool:
        """Whether the part ends where the file does. It is decoded up to there: what files state may be estimated."""
        if self._num_wanted is None:
            return True
        position = 0
        for piece in self._decoded():
            position += piece.shape[1]
            if position > self._first_sample + self._num_wanted:
                return False
        return True

    @functools.cached_property
    def cover(self) -> bytes:
        """The picture of a recording, JPEG or PNG, or nothing."""
        try:
            with self.path.open("rb") as file:  # the other one's sound may be half read
                return self._decoder.cover(file)
        except (OSError, ValueError):  # a damaged picture is no reason to refuse the sound
            return b""

    @property
    def _nothing_there(self) -> str:
        if self._first_sample:
            length = f"it is {self._length / self.sample_rate:.2f} s long"
            return f"has nothing from {self._start_seconds:g} s on; {length}"
        return "holds 0 samples"

    def _look(self) -> None:
        """Take rate, channels and length, and check that there is something to separate."""
        self.sample_rate, self.num_channels = self._decoder.sample_rate, self._decoder.num_channels
        self.tags = self._decoder.tags
        check_stream(self.sample_rate, self.num_channels)
        self._first_sample = round(self._start_seconds * self.sample_rate)
        self._num_wanted = None
        self.num_samples = max(self._decoder.num_stated - self._first_sample, 0)
        if self._duration_seconds is not None:
            self._num_wanted = max(round(self._duration_seconds * self.sample_rate), 1)
            self.num_samples = min(self.num_samples, self._num_wanted)
        if not any(chunk.shape[1] for chunk in self._decoded()):
            raise InputError("holds 0 samples")

    def _part(self) -> Iterator[np.ndarray]:
        """The part that was asked for, in pieces of any length."""
        num_to_skip, num_left = self._first_sample, self._num_wanted
        for piece in self._decoded():
            num_skipped = min(num_to_skip, piece.shape[1])
            num_to_skip -= num_skipped
            piece = piece[:, num_skipped:]
            if num_left is not None:
                piece = piece[:, :num_left]
                num_left -= piece.shape[1]
            if piece.shape[1]:
                yield piece
            if num_left == 0:
                return

    def _decoded(self) -> Iterator[np.ndarray]:
        """All samples as float32 (channels, samples) in pieces of any length; says in the end what was missing."""
        decoder = self._decoder
        position, waiting, num_waiting = 0, [], 0
        for piece in decoder.pieces():
            waiting.append(piece)
            num_waiting += piece.shape[1]
            if num_waiting >= BLOCK_SAMPLES:
                position += num_waiting
                yield np.concatenate(waiting, axis=1)
                waiting, num_waiting = [], 0
        if waiting:
            rest = np.concatenate(waiting, axis=1)
            if position == 0 and decoder.overshoots and decoder.num_stated:
                rest = rest[:, : decoder.num_stated]
            position += rest.shape[1]
            yield rest
        self._length = position
        if decoder.tolerance_seconds is None:
            return
        if decoder.num_stated - position > decoder.tolerance_seconds * self.sample_rate:
            found, stated = position / self.sample_rate, decoder.num_stated / self.sample_rate
            self._short = f"is cut off or damaged, {found:.3f} of {stated:.3f} s can be read"


def content_of(path: Path) -> str:
    """What tells this content of a file from another: its hash.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with _opened(path, path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tags_of(path: Path) -> dict[str, str]:
    """Title, artist and so on of an audio file, as `AudioInput.tags`; costs about a millisecond.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with _opened(path, path) as file:
        return read_tags(file, ending=path.suffix)


def _opened(path: Path, shown: str | PurePath) -> BufferedReader:
    try:
        if not path.is_file():
            raise InputError(f"{shown}: " + ("is not a file" if path.exists() else "no such file"))
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{shown}: cannot be read as audio ({error.strerror})") from None
