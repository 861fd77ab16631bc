# SPDX-License-Identifier: MIT
"""What decodes an audio file: FFmpeg, or libsndfile where FFmpeg is not there, as in a plugin's own Python.

One of them reads every file of an installation: they have two notions of length and damage.
"""

from collections.abc import Iterator
from io import BufferedReader
from typing import Protocol

import numpy as np

from stemlane.files import ffmpeg


class Decoder(Protocol):
    """Reads one file.

    Attributes
    ----------
    sample_rate, num_channels
        Of the file.
    num_stated
        Samples per channel that the file's header states or lets estimate; 0 is not known.
    tolerance_seconds
        By how much less may be there; None where the number is an estimate.
    overshoots
        True if the samples of a short file may be more than it states.
    tags
        Title, artist and so on, in lower case.
    cut_off, damage
        What was found to be missing or damaged, as words to follow the file's name, once all has been read.
    """

    sample_rate: int
    num_channels: int
    num_stated: int
    tolerance_seconds: float | None
    overshoots: bool
    tags: dict[str, str]
    cut_off: str
    damage: str

    def pieces(self) -> Iterator[np.ndarray]:
        """All samples from the first on, as float32 (channels, samples) of any length."""

    def cover(self, file: BufferedReader) -> bytes:
        """The picture in the same file, opened once more, or nothing."""


def open_decoder(file: BufferedReader, *, ending: str, stream: int | None, reason: str) -> Decoder:
    """The decoder of an open file, whose position is lost.

    Parameters
    ----------
    ending
        Of its name, for what is said where it cannot be read; it decides nothing.
    stream
        Which of its streams of sound, counted from 0; None for the one that players play.
    reason
        Why it may be unreadable, if that is known already.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if ffmpeg.IS_THERE:
        from stemlane.files.ffmpeg_decoding import FfmpegDecoder

        return FfmpegDecoder(file, stream=stream, reason=reason)
    from stemlane.files.sndfile_decoding import SndfileDecoder

    return SndfileDecoder(file, ending=ending, stream=stream, reason=reason)


def read_tags(file: BufferedReader, *, ending: str) -> dict[str, str]:
    """The tags of an open file, in lower case, without a look at its sound; its position is lost.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if ffmpeg.IS_THERE:
        from stemlane.files import ffmpeg_decoding

        return ffmpeg_decoding.read_tags(file)
    return open_decoder(file, ending=ending, stream=None, reason="").tags
