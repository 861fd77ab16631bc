# SPDX-License-Identifier: MIT
"""The formats that stems can be written in, and the encoders: libsndfile's, and FFmpeg's for MP3, AAC and Opus."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import soundfile
import soxr

from stemlane.arguments import is_count, shown
from stemlane.errors import InputError
from stemlane.files import covers
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
        return _FfmpegWriter(path, encoding, sample_rate, num_channels, tags, cover)
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
        self._random = np.random.default_rng(DITHER_SEED)
        self._num_written, self._path = 0, path

    def write(self, block: np.ndarray) -> None:
        for start in range(0, block.shape[1], BLOCK_SAMPLES):
            piece = block[:, start : start + BLOCK_SAMPLES].T
            self._file.write(dithered(piece, self._random) if self._bits == "16" else piece)
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


class Sink:
    """The file FFmpeg writes to. A full disk is kept until somebody asks: FFmpeg's MP4 crashes when it is told."""

    def __init__(self, path: Path):
        self._file = path.open("wb")
        self._error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, or pretend to."""
        if self._error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self._error = error
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to where sizes are filled in."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # what was buffered cannot be written
            self._error = self._error or error
            return offset

    def tell(self) -> int:
        """Where the file is."""
        return self._file.tell()

    def close(self) -> None:
        """Write out what is buffered."""
        try:
            self._file.close()
        except OSError as error:
            self._error = self._error or error

    def check(self) -> None:
        """Raise what has gone wrong."""
        if self._error is not None:
            raise self._error


class _FfmpegWriter:
    """MP3, AAC in MP4, and Opus in Ogg. Rates a format does not have are turned into the next higher one it has."""

    def __init__(
        self, path: Path, encoding: Encoding, sample_rate: int, num_channels: int, tags: Mapping[str, str],
        cover: bytes,
    ):  # fmt: skip
        known = KNOWN_FORMATS[encoding.file_format]
        self._path, self._format, self._cover = path, encoding.file_format, cover
        rate = next((rate for rate in known.rates if rate >= sample_rate), known.rates[-1])
        layout = "mono" if num_channels == 1 else "stereo"
        self._sink = Sink(path)
        try:
            container = "ipod" if encoding.file_format == "m4a" else encoding.file_format
            self._container = av.open(self._sink, "w", format=container)
            self._container.metadata.update(tags)
            if self._format == "opus":
                self._container.metadata.update(covers.as_comment(cover))
            stream = self._container.add_stream(known.codec, rate=rate, layout=layout)
            assert isinstance(stream, av.AudioStream)  # noqa: S101 - by its codec
            self._stream = stream
            self._stream.bit_rate = 1000 * (encoding.bitrate or known.bitrate) // (2 if num_channels == 1 else 1)
            context = self._stream.codec_context
            context.open()
            if self._format == "mp3":
                covers.attach(self._container, cover)
            self._converter = av.AudioResampler(context.format, layout, rate, frame_size=context.frame_size)
        except BaseException:
            self._sink.close()
            raise
        # soxr keeps the length to the sample, which FFmpeg's resampler does not.
        self._resampler = (
            None if rate == sample_rate else soxr.ResampleStream(sample_rate, rate, num_channels, "float32")
        )
        self._rate, self._layout, self._num_channels, self._position = rate, layout, num_channels, 0

    def write(self, block: np.ndarray) -> None:
        for start in range(0, block.shape[1], BLOCK_SAMPLES):
            self._sink.check()
            piece = np.ascontiguousarray(block[:, start : start + BLOCK_SAMPLES].T, np.float32)
            self._encode(piece if self._resampler is None else self._resampler.resample_chunk(piece))

    def _encode(self, samples: np.ndarray) -> None:
        """Encode (samples, channels) at the file's rate."""
        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1).reshape(1, -1), "flt", self._layout)
        frame.sample_rate, frame.pts = self._rate, self._position
        self._position += len(samples)
        self._mux(self._converter.resample(frame))

    def _mux(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        try:
            if self._resampler is not None:
                self._encode(self._resampler.resample_chunk(np.zeros((0, self._num_channels), np.float32), last=True))
            if self._position:
                self._mux(self._converter.resample(None))
            self._container.mux(self._stream.encode(None))
            self._container.close()
        finally:
            self._sink.close()
        self._sink.check()
        if self._format == "m4a":
            covers.add_to_mp4(self._path, self._cover)


def dithered(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Float samples as int16, with triangular noise of two steps in all, so that what is rounded off is no distortion.

    Samples that 16 bits hold exactly, silence above all, stay as they are: nothing is rounded there.
    """
    scaled = samples.astype(np.float64) * 32768
    noise = random.random(samples.shape) - random.random(samples.shape)
    rounded = np.where(scaled == np.rint(scaled), scaled, np.rint(scaled + noise))
    return np.clip(rounded, -32768, 32767).astype(np.int16)
