# SPDX-License-Identifier: MIT
"""Writes audio files of every kind with PyAV's encoders, so that tests need no tools and the repository no audio."""

import contextlib
from pathlib import Path

import av
import numpy as np

RATE = 44100


def music(num_samples: int, num_channels: int = 2, seed: int = 61) -> np.ndarray:
    """A chirp and noise in bursts, (channels, samples) float32, below 0.7: encoders spend changing numbers of bits."""
    random = np.random.default_rng(seed)
    times = np.arange(num_samples) / RATE
    chirp = 0.4 * np.sin(2 * np.pi * (200 + 150 * np.sin(2 * np.pi * 0.7 * times)) * times)
    bursts = 0.05 * random.uniform(-1, 1, num_samples) * (np.sin(2 * np.pi * 1.3 * times) > 0)
    left = chirp + bursts
    return np.stack([left, 0.5 * chirp - bursts][:num_channels]).astype(np.float32)


def encode(
    path: Path, samples: np.ndarray, codec: str, *, rate: int = RATE, container: dict | None = None, **options: str
) -> Path:
    """Write (channels, samples) float32 with FFmpeg's encoder `codec`; the ending of `path` says the container."""
    layout = {1: "mono", 2: "stereo"}[samples.shape[0]]
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout, options=options)
        stream.bit_rate = 192_000
        wanted = av.Codec(codec, "w").audio_formats[0].name
        resampler = av.AudioResampler(wanted, layout, rate, frame_size=stream.codec_context.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T).reshape(1, -1), "flt", layout)
        frame.sample_rate, frame.pts = rate, 0
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return path


def vbr_mp3(path: Path, samples: np.ndarray, *, xing: bool = True) -> Path:
    """Write an MP3 with variable bit rate, as `lame -V 2` does, with or without the header of Xing's that counts it."""
    lambda_per_step = 118  # FF_QP2LAMBDA
    return encode(
        path, samples, "libmp3lame", container={"write_xing": str(int(xing))},
        flags="+qscale", global_quality=str(2 * lambda_per_step),
    )  # fmt: skip


def decoded(path: Path) -> np.ndarray:
    """What FFmpeg's libraries make of a file of float samples, without any of Stemlane's code."""
    pieces = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio[0]):
            with contextlib.suppress(av.InvalidDataError):  # FFmpeg's programs go on behind such packets
                pieces += [frame.to_ndarray() for frame in packet.decode()]
    return np.concatenate(pieces, axis=1)
