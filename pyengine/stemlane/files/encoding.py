# SPDX-License-Identifier: MIT
"""How stems are written, and libsndfile's encoders; FFmpeg's, for MP3, AAC and Opus, are in `ffmpeg_encoding`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from stemlane.arguments import is_count, shown
from stemlane.errors import InputError
from stemlane.files import covers, ffmpeg
from stemlane.files.formats import FORMATS, KNOWN_FORMATS, STEM_FILE

BLOCK_SAMPLES = 16384  # libsndfile's Vorbis encoder overflows the stack on much larger writes
_LARGEST_WAV_BYTES = 4_000_000_000  # a WAV header counts in 32 bits; larger files are written as RF64
DITHER_SEED = 20_011  # the same noise each time: the same recording gives the same file
_TAGS = ("title", "artist", "album", "date", "genre", "tracknumber", "comment")  # that libsndfile can write
_ADD_COVER = {"flac": covers.add_to_flac, "wav": covers.add_to_wav, "ogg": covers.add_to_ogg}
_SUBTYPES = {"32f": "FLOAT", "24": "PCM_24", "16": "PCM_16"}


@dataclass(frozen=True)
class Encoding:
    """How stems are written.

    Attributes
    ----------
    file_format
        `wav`, `flac`, `ogg` (Vorbis), `mp3`, `m4a` (AAC) or `opus`; or `stem.mp4`, all stems in one file.
    bits
        `16`, with dither, `24`, or `32f`, float, which keeps samples above full scale; None for 32f in WAV, 24 in FLAC.
        In a stem file 16 and 24 are ALAC, None is AAC.
    bitrate
        kbit/s, for mp3, m4a, opus and a stem file's AAC; None for 320, 256, 192 and 256.
    """

    file_format: str = "wav"
    bits: str | int | None = None
    bitrate: int | None = None

    def __post_init__(self) -> None:
        name = str(self.file_format).lower()
        known = KNOWN_FORMATS.get(name)
        if known is None:
            raise InputError(
                f"format {shown(self.file_format)} cannot be written, should be one of: {', '.join(FORMATS)}"
            )
        if known.needs_ffmpeg and not ffmpeg.IS_THERE:
            others = ", ".join(name for name in FORMATS if not KNOWN_FORMATS[name].needs_ffmpeg)
            raise InputError(f"format {name} {ffmpeg.missing_text()}. Formats that need none: {others}")
        object.__setattr__(self, "file_format", name)
        if self.bits is not None and str(self.bits) not in known.bits:
            allowed = f"should be one of: {', '.join(sorted(known.bits))}" if known.bits else "which it does not have"
            raise InputError(f"format {name} was asked for bits {shown(self.bits)}, {allowed}")
        usual_bits = None if name == STEM_FILE else next(iter(known.bits), None)
        object.__setattr__(self, "bits", str(self.bits) if self.bits is not None else usual_bits)
        low, high = known.bitrates or (0, 0)
        if self.bitrate is not None and not is_count(self.bitrate, low, high):
            allowed = f"should be from {low} to {high} kbit/s" if high else "which it does not have"
            raise InputError(f"format {name} was asked for bit rate {shown(self.bitrate)}, {allowed}")
        if self.bits is not None and self.bitrate is not None:
            raise InputError(f"format {name} was asked for bits {self.bits} and a bit rate; leave one of the two out")

    @property
    def usual_bitrate(self) -> int:
        """kbit/s if none is asked for, 0 where there is no bit rate."""
        return KNOWN_FORMATS[self.file_format].bitrate

    @property
    def keeps_peaks(self) -> bool:
        """Whether samples above full scale survive."""
        return self.bits == "32f"


class Writer(Protocol):
    """Writes one file."""

    def write(self, block: np.ndarray) -> None:
        """Append (channels, samples) float32."""

    def close(self) -> None:
        """Finish the file."""


def open_writer(
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
    return _SndfileWriter(path, encoding, sample_rate, num_channels, num_samples, tags, cover)


class _SndfileWriter:
    """WAV, FLAC and Ogg Vorbis."""

    def __init__(
        self, path: Path, encoding: Encoding, sample_rate: int, num_channels: int, num_samples: int,
        tags: Mapping[str, str], cover: bytes,
    ):  # fmt: skip
        self._cover = cover
        self._add_cover = _ADD_COVER[encoding.file_format]
        kind = encoding.file_format.upper()
        self._bits = str(encoding.bits)
        width = {"32f": 4, "24": 3, "16": 2}.get(self._bits, 0)
        if kind == "WAV" and num_samples * num_channels * width > _LARGEST_WAV_BYTES:
            kind = "RF64"
        self._file = soundfile.SoundFile(
            os.fsencode(path), "w", int(sample_rate), num_channels,
            subtype=_SUBTYPES.get(self._bits, "VORBIS"), format=kind,
        )  # fmt: skip
        for name, text in tags.items():
            if name in _TAGS:
                setattr(self._file, name, text)
        self._random = np.random.default_rng(DITHER_SEED) if self._bits == "16" else None
        self._num_written, self._path = 0, path

    def write(self, block: np.ndarray) -> None:
        for start in range(0, block.shape[1], BLOCK_SAMPLES):
            piece = block[:, start : start + BLOCK_SAMPLES].T
            self._file.write(piece if self._random is None else dithered(piece, self._random))
        self._num_written += block.shape[1]

    def close(self) -> None:
        self._file.close()
        if not self._holds_all():
            raise RuntimeError("the end is missing")
        if self._cover and self._num_written:  # an empty Vorbis file has not even headers
            self._add_cover(self._path, self._cover)

    def _holds_all(self) -> bool:
        """Whether the last sample is there: closing a file, libsndfile says nothing of a full disk."""
        try:
            with soundfile.SoundFile(os.fsencode(self._path)) as file:
                if file.frames != self._num_written:
                    return False
                file.seek(max(self._num_written - 1, 0))
                return len(file.read(1)) == min(self._num_written, 1)
        except (OSError, RuntimeError):
            return self._num_written == 0  # an empty Vorbis file cannot be opened


def dithered(samples: np.ndarray, random: "np.random.Generator") -> np.ndarray:
    """Float samples as int16, with triangular noise of two steps in all, so that what is rounded off is no distortion.

    Samples that 16 bits hold exactly, silence above all, stay as they are: nothing is rounded there.
    """
    scaled = samples.astype(np.float64) * 32768
    noise = random.random(samples.shape) - random.random(samples.shape)
    rounded = np.where(scaled == np.rint(scaled), scaled, np.rint(scaled + noise))
    return np.clip(rounded, -32768, 32767).astype(np.int16)
