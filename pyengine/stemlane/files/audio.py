# SPDX-License-Identifier: MIT
"""Audio files in and out, block by block: the only module that touches them.

Channels come first inside Stemlane and last in files; the transpose happens here. What is written appears under its
name only when it is complete.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from stemlane.audio_checks import check_finite, check_stream
from stemlane.errors import InputError, one_line

FORMATS = {"wav": ("WAV", "FLOAT"), "flac": ("FLAC", "PCM_24"), "ogg": ("OGG", "VORBIS")}
BLOCK_SAMPLES = 16384  # libsndfile's Vorbis encoder overflows the stack on much larger writes
_MISCOUNTED_BYTES = 8  # some programs count the header itself, or a padding byte that is not there
_LARGEST_STATED_BYTES = 0x7F000000  # larger ones are also what programs write that did not know the size
_LARGEST_WAV_BYTES = 4_000_000_000  # a WAV header counts in 32 bits; larger files are written as RF64


class AudioInput:
    """An audio file opened for reading, checked to be something Stemlane can separate.

    Attributes
    ----------
    sample_rate, num_channels
        Of the file.
    num_samples
        Per channel, as the file's header states it (some compressed formats only estimate it).
    warning
        Text saying that the end of a WAV or AIFF file is missing, or nothing.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            if not self.path.is_file():
                raise InputError(f"{path}: " + ("is not a file" if self.path.exists() else "no such file"))
            self.path.open("rb").close()  # says what is wrong, which libsndfile does not
            self._file = soundfile.SoundFile(os.fsencode(self.path))
            self.warning = _cut_off(self.path)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{self.path}: cannot be read as audio ({_reason(error)})") from None
        self.sample_rate = self._file.samplerate
        self.num_channels = self._file.channels
        self.num_samples = self._file.frames
        try:
            check_stream(self.sample_rate, self.num_channels)
            if self.num_samples == 0:
                raise InputError("holds 0 samples")
        except InputError as error:
            self._file.close()
            raise InputError(f"{self.path}: {error}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read from the start; each loop reads anew."""
        return self.blocks()

    def blocks(self, block_samples: int = BLOCK_SAMPLES) -> Iterator[np.ndarray]:
        """Read from the start: yields (channels, samples) float32, all of `block_samples` but the last."""
        position = 0
        self._file.seek(0)
        while True:
            try:
                block = self._file.read(block_samples, dtype="float32", always_2d=True).T
            except (OSError, RuntimeError) as error:
                raise InputError(f"{self.path}: damaged after sample {position} ({_reason(error)})") from None
            if block.shape[1] == 0:
                break
            try:
                check_finite(block, position)
            except InputError as error:
                raise InputError(f"{self.path}: {error}") from None
            yield block
            position += block.shape[1]
        if position == 0:
            raise InputError(f"{self.path}: holds 0 samples")


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
        self._partial = _partial_name(self._target)
        try:
            if not self._target.parent.is_dir():
                raise InputError(f"{self._target.parent}: no such folder to write to")
            if self._target.exists() and not self._target.is_file():
                kind = "a folder" if self._target.is_dir() else "no plain file"
                raise InputError(f"{self._shown}: is {kind}, should be the name of a file to write")
            self._partial.open("xb").close()  # says what is wrong, which libsndfile does not
            self._file = soundfile.SoundFile(
                os.fsencode(self._partial), "w", int(sample_rate), num_channels, subtype=subtype, format=file_format
            )
        except BaseException as error:
            with contextlib.suppress(OSError):
                self._partial.unlink(missing_ok=True)
            if not isinstance(error, (OSError, RuntimeError, ValueError, TypeError)):
                raise
            raise self._problem(_reason(error)) from None

    def __enter__(self):
        return self

    def write(self, block: np.ndarray) -> None:
        """Append (channels, samples) float32."""
        if block.shape[1]:
            self.peak = max(self.peak, float(np.abs(block).max()))
        try:
            for start in range(0, block.shape[1], BLOCK_SAMPLES):
                self._file.write(block[:, start : start + BLOCK_SAMPLES].T)
        except (OSError, RuntimeError, AssertionError) as error:  # soundfile asserts that all was written
            raise self._problem(_reason(error), room=True) from None
        self._num_written += block.shape[1]

    def _problem(self, reason: str, *, room: bool = False) -> InputError:
        free = f"; {shutil.disk_usage(self._target.parent).free // 1_000_000} MB free" if room else ""
        return InputError(f"{self._shown}: cannot be written ({reason}{free})")

    def __exit__(self, error_type, *_):
        try:
            self._file.close()
            if error_type is None:
                if not _holds(self._partial, self._num_written):
                    raise self._problem("the end is missing", room=True)
                os.replace(self._partial, self._target)
        except (OSError, RuntimeError) as error:
            raise self._problem(_reason(error)) from None
        finally:
            self._partial.unlink(missing_ok=True)


def check_format(name: str, path: str | Path = "") -> str:
    """`name` in lower case if it is a format that can be written, else `InputError`."""
    if name.lower() not in FORMATS:
        prefix = f"{path}: " if path else ""
        raise InputError(f"{prefix}format {name!r} cannot be written, should be one of: {', '.join(FORMATS)}")
    return name.lower()


@contextlib.contextmanager
def staged_folder(target: str | Path) -> Iterator[Path]:
    """Give a temporary folder whose files move into `target` when the block ends well; after an error nothing is left.

    Folders missing on the way to `target` are made, and taken away again after an error.
    """
    target = Path(target).absolute()
    made = [folder for folder in target.parents if not folder.exists()]  # deepest first
    partial = _partial_name(target)
    try:
        partial.mkdir(parents=True)
        yield partial
        if target.is_dir():
            for path in partial.iterdir():
                os.replace(path, target / path.name)
        else:
            os.replace(partial, target)
        made = []
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({_reason(error)})") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _cut_off(path: Path) -> str:
    """Text about a RIFF or FORM file that states a greater size than it has, which libsndfile reads without a word."""
    with path.open("rb") as file:
        head = file.read(8)
    order = {b"RIFF": "little", b"FORM": "big"}.get(head[:4])
    if order is None:
        return ""
    stated, found = 8 + int.from_bytes(head[4:], order), path.stat().st_size
    if stated - found <= _MISCOUNTED_BYTES or stated > _LARGEST_STATED_BYTES:
        return ""
    return f"{path}: is cut off, {stated - found} of {stated} bytes are missing; what is there is used"


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


def _partial_name(path: Path) -> Path:
    return path.with_name(f".{secrets.token_hex(8)}.partial")  # `path.name` may have the greatest length already


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "error_string", "") or one_line(error)
    return text.strip().rstrip(".")
