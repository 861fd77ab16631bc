# SPDX-License-Identifier: MIT
"""FFmpeg's encoders: MP3, AAC and Opus."""

import os
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import soxr

from stemlane.files import covers
from stemlane.files.encoding import BLOCK_SAMPLES, Encoding
from stemlane.files.formats import KNOWN_FORMATS


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


class FfmpegWriter:
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
        """Append (channels, samples) float32."""
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
        """Finish the file."""
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
