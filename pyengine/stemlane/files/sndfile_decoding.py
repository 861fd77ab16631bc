# SPDX-License-Identifier: MIT
"""Decodes WAV, FLAC, Ogg, MP3 and their like through libsndfile, where FFmpeg is not there.

What it finds damaged inside of MP3 and Ogg, libsndfile leaves out without a word.
"""

import os
from collections.abc import Iterator
from io import BufferedReader

import numpy as np
import soundfile

from stemlane.errors import InputError
from stemlane.files import ffmpeg
from stemlane.files.formats import ENDINGS
from stemlane.files.joined import is_joined_ogg, mp3_length

_BLOCK_SAMPLES = 4096  # what is lost of a file at most before the place where it is damaged
# What of libsndfile's formats is read, and whether it states its length. There are more: raw files, and others of which
# nobody could say whether they are whole.
_STATED = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC")
_ESTIMATED = ("OGG", "MP3")
_ENDINGS = frozenset(
    {
        *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp2", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".snd"),
        *(".w64", ".wav", ".wave"),
    }
)
_UNRECOGNISED = 1  # SF_ERR_UNRECOGNISED_FORMAT of sndfile.h
_MOST_SAMPLES = 1 << 62  # what libsndfile says of a length that it does not know is more


class SndfileDecoder:
    """What is in one file; see `stemlane.files.decoding.Decoder`.

    Parameters
    ----------
    file
        Open for reading; its position is lost.
    ending
        Of its name.
    stream
        0 or None: what is read here holds one stream.
    reason
        Known already why it may be unreadable, or nothing.
    """

    def __init__(self, file: BufferedReader, *, ending: str = "", stream: int | None = None, reason: str = ""):
        self.cut_off = self.damage = ""
        self.overshoots = False
        self._file, self._is_endless = file, False
        try:
            with self._open() as opened:
                kind = opened.format
                self.sample_rate, self.num_channels = opened.samplerate, opened.channels
                self.num_stated = opened.frames if opened.frames < _MOST_SAMPLES else 0
                self.tags = {name: text for name, text in opened.copy_metadata().items() if text}
        except soundfile.LibsndfileError as error:
            if not reason and error.code == _UNRECOGNISED and ending.lower() in ENDINGS - _ENDINGS:
                raise InputError(f"{ending[1:].upper()} {ffmpeg.missing_text()}") from None
            raise InputError(f"cannot be read as audio ({reason or _reason(error)})") from None
        if kind not in (*_STATED, *_ESTIMATED):
            raise InputError(f"{kind} {ffmpeg.missing_text()}")
        if stream:
            raise InputError(f"holds 1 stream of sound, should have {stream + 1}")
        self.tolerance_seconds = 0.0 if kind in _STATED else None
        length = mp3_length(file) if kind == "MP3" else "stated"
        if length == "joined" or (kind == "OGG" and is_joined_ogg(file)):  # libsndfile stops at the end of the first
            name = "Ogg" if kind == "OGG" else kind
            raise InputError(f"holds several {name} files in one, which {ffmpeg.missing_text()}")
        self._is_endless = length == "unstated"

    def _open(self) -> "_Straight":
        self._file.seek(0)
        return _Straight(_Endless(self._file) if self._is_endless else _Nameless(self._file))

    def cover(self, _file: BufferedReader) -> bytes:
        """Nothing: libsndfile knows no pictures."""
        return b""

    def pieces(self) -> Iterator[np.ndarray]:
        """What the file holds, up to where it cannot be read."""
        position = 0
        with self._open() as opened:
            while True:
                try:
                    piece = opened.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as error:
                    self.damage = f"cannot be read after sample {position} ({_reason(error)})"
                    return
                if not len(piece):
                    return
                position += len(piece)
                yield piece.T


class _Straight(soundfile.SoundFile):  # type: ignore[misc] # it ships no types
    """A file that is read from the start to the end: python-soundfile seeks after each block where it can.

    In MP3 that drops samples.
    """

    def seekable(self) -> bool:
        return False


class _Nameless:
    """A file without its name, which python-soundfile would take the format from: of a `.raw` it asks for a rate."""

    def __init__(self, file: BufferedReader):
        self.seek, self.tell, self.readinto = file.seek, file.tell, file.readinto


class _Endless:
    """A file that seems longer than it is.

    libsndfile reads no further than it thinks an MP3 file goes. Where the file does not say, it estimates that from the
    first frames and the size; with this one it reads to the end.
    """

    _FACTOR = 64  # more than the highest bit rate is of the lowest
    _TAG_BYTES = 128  # of ID3v1, which is looked for at the end

    def __init__(self, file: BufferedReader):
        self._file, self._position = file, 0
        self._size = file.seek(0, os.SEEK_END)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, which may lie behind the end."""
        self._position = offset + (0, self._position, self._FACTOR * self._size)[whence]
        return self._position

    def tell(self) -> int:
        """Where it is."""
        return self._position

    def read(self, num_bytes: int) -> bytes:
        """What is there; behind it only what could be a tag, and is none."""
        self._file.seek(min(self._position, self._size))
        data = self._file.read(num_bytes)
        left = self._FACTOR * self._size - self._position
        if not data and left <= self._TAG_BYTES:
            data = bytes(min(num_bytes, left))
        self._position += len(data)
        return data


def _reason(error: soundfile.LibsndfileError) -> str:
    if error.code == _UNRECOGNISED:
        return "no format that is known, or damaged"
    return str(error.error_string).strip().rstrip(".")
