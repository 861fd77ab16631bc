# SPDX-License-Identifier: MIT
"""Writes Native Instruments' stem files, which `stem_files` describes: ALAC or AAC, through FFmpeg."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr

from stemlane.files import covers
from stemlane.files.encoding import BLOCK_SAMPLES, DITHER_SEED, Encoding, dithered
from stemlane.files.ffmpeg_encoding import Sink
from stemlane.files.formats import AAC_RATES
from stemlane.files.mp4_boxes import add_box
from stemlane.files.stem_files import BOX, STEMS

_COLOURS = ("#009E73", "#D55E00", "#CC79A7", "#56B4E9")
# What a player may do to the sum of the stems so that it sounds like the mixture. Ours add up to it as they are.
_MASTERING = {
    "compressor": {
        "enabled": False, "ratio": 3, "output_gain": 0.5, "release": 0.3, "attack": 0.003, "input_gain": 0.5,
        "threshold": 0, "hp_cutoff": 300, "dry_wet": 50,
    },
    "limiter": {"enabled": False, "release": 0.05, "threshold": 0, "ceiling": -0.35},
}  # fmt: skip


class StemFileWriter:
    """Writes a stem file into a file that is there already, and empty.

    Parameters
    ----------
    encoding
        With `bits` 16, dithered, or 24 it is ALAC, which loses nothing; without, AAC of `bitrate` kbit/s a stream.
    cover
        A picture, JPEG or PNG; it is kept where there are tags.
    """

    def __init__(
        self, path: Path, encoding: Encoding, sample_rate: int, tags: Mapping[str, str], cover: bytes = b""
    ):  # fmt: skip
        self._cover = cover
        self._path, self._bits, self._random = path, encoding.bits, np.random.default_rng(DITHER_SEED)
        rate = sample_rate if self._bits else next((r for r in AAC_RATES if r >= sample_rate), AAC_RATES[-1])
        num_channels = 2 * (1 + len(STEMS))
        self._resampler = (
            None if rate == sample_rate else soxr.ResampleStream(sample_rate, rate, num_channels, "float32")
        )
        self._rate, self._position = rate, 0
        self._waiting = np.zeros((num_channels, 0), np.float32)
        self._sink = Sink(path)
        try:
            self._container = av.open(self._sink, "w", format="mp4")
            self._container.metadata.update(tags)
            self._streams = [self._add_stream(encoding) for _ in range(1 + len(STEMS))]
            self._frame_samples = self._streams[0].codec_context.frame_size
        except BaseException:
            self._sink.close()
            raise

    def _add_stream(self, encoding: Encoding) -> av.AudioStream:
        stream = self._container.add_stream("alac" if self._bits else "aac", rate=self._rate, layout="stereo")
        assert isinstance(stream, av.AudioStream)  # noqa: S101 - by its codec
        if self._bits:
            stream.codec_context.format = "s16p" if self._bits == "16" else "s32p"
        else:
            stream.bit_rate = 1000 * (encoding.bitrate or encoding.usual_bitrate)
        stream.codec_context.open()
        return stream

    def write(self, block: np.ndarray) -> None:
        """Append (5, 2, samples) float32: the mixture, then the stems in the order of `STEMS`."""
        for start in range(0, block.shape[2], BLOCK_SAMPLES):
            self._sink.check()
            piece = block[:, :, start : start + BLOCK_SAMPLES].reshape(-1, min(BLOCK_SAMPLES, block.shape[2] - start))
            self._take(piece if self._resampler is None else self._resampler.resample_chunk(_interleaved(piece)).T)

    def _take(self, samples: np.ndarray, *, last: bool = False) -> None:
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        while self._waiting.shape[1] >= self._frame_samples or (last and self._waiting.shape[1]):
            self._encode(self._waiting[:, : self._frame_samples])
            self._waiting = self._waiting[:, self._frame_samples :]

    def _encode(self, samples: np.ndarray) -> None:
        """Encode one frame of (10, samples) at the file's rate."""
        for index, stream in enumerate(self._streams):
            values, kind = self._values(samples[2 * index : 2 * index + 2])
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values), kind, "stereo")
            frame.sample_rate, frame.pts = self._rate, self._position
            self._container.mux(stream.encode(frame))
        self._position += samples.shape[1]

    def _values(self, samples: np.ndarray) -> tuple[np.ndarray, str]:
        if self._bits == "16":
            return dithered(samples, self._random), "s16p"
        if self._bits:
            steps = np.clip(np.rint(samples.astype(np.float64) * 2**23), -(2**23), 2**23 - 1)
            return steps.astype(np.int32) << 8, "s32p"  # FFmpeg keeps 24 bits at the top of 32
        return np.clip(samples, -1, 1), "fltp"

    def close(self) -> None:
        """Finish the file, the names of the stems included."""
        try:
            if self._resampler is not None:
                nothing = np.zeros((0, len(self._waiting)), np.float32)
                self._take(self._resampler.resample_chunk(nothing, last=True).T)
            self._take(self._waiting[:, :0], last=True)
            for stream in self._streams:
                self._container.mux(stream.encode(None))
            self._container.close()
        finally:
            self._sink.close()
        self._sink.check()
        with self._path.open("r+b") as file:
            add_box(file, BOX[:-1], BOX[-1], json.dumps(_about(STEMS)).encode())
        covers.add_to_mp4(self._path, self._cover)


def _about(names: Sequence[str]) -> dict[str, Any]:
    stems = [{"name": name.capitalize(), "color": colour} for name, colour in zip(names, _COLOURS, strict=True)]
    return {"version": 1, "mastering_dsp": _MASTERING, "stems": stems}


def _interleaved(samples: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(samples.T, np.float32)
