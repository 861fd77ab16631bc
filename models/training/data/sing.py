# SPDX-License-Identifier: MIT
"""Singing made from speech and singing with the WORLD vocoder: moved onto melodies, other formants, harmonies.

Solo singing under open licences is scarce; this widens voices and melodies, not the art of singing.
Run as `python -m models.training.data.sing --tracks 60`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.training.network.spectral import SAMPLE_RATE

from .command import make_vocals
from .instruments import mix_in
from .material import phrase_files, produced, read_stereo, vocal_chain
from .pool import audio_folder

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyworld still imports pkg_resources, which warns that it will go
    import pyworld

FRAME_SECONDS = 0.005
# Speech of these folders ends at 8 kHz; what is above is made up as breath that falls with frequency.
NARROW = ("speech_librispeech", "speech_vctk_16k")
WIDE = ("speech_kerstin_de",)
TRACK_SECONDS = 60.0


def melody_contour(rng: np.random.Generator, num_frames: int, centre: float, *, beat_seconds: float) -> np.ndarray:
    """Fundamental frequency in Hz per frame: notes of a scale with glides and vibrato."""
    scale = np.array([0, 2, 3, 5, 7, 8, 10]) if rng.random() < 0.6 else np.array([0, 2, 4, 5, 7, 9, 11])
    pitch, degree, position = np.zeros(num_frames), int(rng.integers(0, 7)), 0
    while position < num_frames:
        length = int(float(rng.choice([0.5, 1.0, 1.0, 2.0, 4.0])) * beat_seconds / FRAME_SECONDS)
        degree = int(np.clip(degree + rng.integers(-2, 3), -3, 10))
        pitch[position : position + length] = scale[degree % 7] + 12 * (degree // 7)
        position += max(1, length)
    glide = int(rng.integers(4, 20))
    pitch = np.convolve(np.pad(pitch, glide, mode="edge"), np.ones(glide) / glide, mode="same")[glide:-glide]
    time = np.arange(num_frames) * FRAME_SECONDS
    pitch = pitch + float(rng.uniform(0.0, 0.5)) * np.sin(2 * np.pi * float(rng.uniform(4.5, 6.5)) * time)
    return centre * 2.0 ** (pitch / 12.0)


def resing(
    rng: np.random.Generator,
    audio: np.ndarray,
    *,
    narrow: bool,
    melody: bool,
    stretch: float,
    formant: float,
    transpose: float,
    voices: int,
) -> np.ndarray:
    """One or more voices (2, samples) from a mono phrase.

    Parameters
    ----------
    audio : ndarray (samples,)
    narrow : bool
        The recording holds nothing above 8 kHz.
    melody : bool
        Replace the pitch by a melody, else keep its course.
    stretch, formant, transpose : float
        Factors on time, on the formants' frequencies, and on the pitch where it keeps its course.
    voices : int
        More than one: detuned and delayed doubles or harmonies across the panorama.
    """
    signal = audio.astype(np.float64)
    f0, times = pyworld.dio(signal, SAMPLE_RATE, frame_period=1000 * FRAME_SECONDS)
    f0 = pyworld.stonemask(signal, f0, times, SAMPLE_RATE)
    envelope = pyworld.cheaptrick(signal, f0, times, SAMPLE_RATE)
    noise = pyworld.d4c(signal, f0, times, SAMPLE_RATE)
    if not (f0 > 0).any():
        return np.zeros((2, 0), np.float32)
    index = np.minimum(np.arange(int(len(f0) * stretch)) / stretch, len(f0) - 1).astype(int)
    f0, envelope, noise = f0[index], envelope[index], noise[index]
    hz = np.fft.rfftfreq(2 * (envelope.shape[1] - 1), 1.0 / SAMPLE_RATE)
    if narrow:
        edge = int(np.searchsorted(hz, 7000.0))
        tail = 10.0 ** (-float(rng.uniform(6, 20)) * np.log2(np.maximum(hz[edge:], 7000.0) / 7000.0) / 10.0)
        envelope[:, edge:] = envelope[:, edge - 8 : edge].mean(1, keepdims=True) * tail
        noise[:, edge:] = 1.0
    source = np.clip(np.arange(len(hz)) / formant, 0, len(hz) - 1).astype(int)
    envelope, noise = np.ascontiguousarray(envelope[:, source]), np.ascontiguousarray(noise[:, source])
    centre = float(np.median(f0[f0 > 0]))
    if melody:
        target = float(np.clip(centre * formant**2 * rng.uniform(1.0, 1.6), 90.0, 500.0))
        contour = melody_contour(rng, len(f0), target, beat_seconds=float(rng.uniform(0.3, 0.8)))
        f0 = np.where(f0 > 0, contour, 0.0)
    else:
        f0 = f0 * transpose
    return _sung(rng, f0, envelope, noise, voices)


def _sung(rng: np.random.Generator, f0: np.ndarray, envelope: np.ndarray, noise: np.ndarray, voices: int) -> np.ndarray:
    """WORLD's parameters as audio (2, samples), by one or more voices."""
    track = np.zeros((2, int(len(f0) * FRAME_SECONDS * SAMPLE_RATE) + SAMPLE_RATE // 5), np.float32)
    for voice in range(voices):
        interval = 0.0 if voice == 0 else float(rng.choice([0.0, 0.0, 3.0, 4.0, 7.0, -5.0, 12.0]))
        sung = pyworld.synthesize(
            f0 * 2.0 ** ((interval + rng.normal(0, 0.08) * (voice > 0)) / 12.0),
            envelope,
            noise,
            SAMPLE_RATE,
            frame_period=1000 * FRAME_SECONDS,
        ).astype(np.float32)
        pan = 0.0 if voices == 1 else float(rng.uniform(-0.9, 0.9))
        panned = np.stack([sung * np.sqrt(0.5 - pan / 2), sung * np.sqrt(0.5 + pan / 2)]).astype(np.float32)
        mix_in(track, panned, 0.0 if voice == 0 else float(rng.uniform(0.0, 0.04)))
    return track


def voice_files() -> tuple[list[tuple[Path, bool]], list[tuple[Path, bool]]]:
    """(speech, singing) as (file, is narrow); the panel's voices are left out."""
    root = audio_folder() / "vocals"
    speech = [(path, name in NARROW) for name in NARROW + WIDE for path in sorted((root / name).rglob("*.ogg"))]
    sung, rest = phrase_files()
    return speech, [(path, False) for path in sung + rest]


def sing_track(
    rng: np.random.Generator, phrase: Callable[[], tuple[np.ndarray, bool]], *, is_speech: bool
) -> np.ndarray:
    """A minute of made singing (2, samples) through one channel strip.

    Parameters
    ----------
    phrase : callable
        Draws mono audio (samples,) of a few seconds, and whether it holds nothing above 8 kHz.
    is_speech : bool
        What is spoken always gets a melody, and longer notes.
    """
    track = np.zeros((2, int(TRACK_SECONDS * SAMPLE_RATE)), np.float32)
    formant, voices = float(np.exp(rng.normal(0.0, 0.13))), int(rng.choice([1, 1, 1, 2, 3, 5]))
    position = float(rng.uniform(0, 1.5))
    while position < TRACK_SECONDS - 1.0:
        spoken, narrow = phrase()
        audio = resing(
            rng,
            spoken,
            narrow=narrow,
            melody=is_speech or rng.random() < 0.4,
            stretch=float(rng.uniform(1.2, 3.0)) if is_speech else float(rng.uniform(0.9, 1.4)),
            formant=formant,
            transpose=formant * float(rng.choice([1.0, 0.84, 1.19, 1.5])),
            voices=voices,
        )
        if audio.shape[1] and float((audio**2).mean()) > 1e-9:
            if rng.random() < 0.2:
                audio = produced(rng, audio)
            mix_in(track, audio * np.float32(0.1 / np.sqrt((audio**2).mean())), position)
        position += audio.shape[1] / SAMPLE_RATE + float(rng.exponential(0.6))
    track = vocal_chain(rng)(track, SAMPLE_RATE)
    return track * np.float32(0.5 / max(0.5, float(np.abs(track).max())))


def make_track(seed: int) -> np.ndarray:
    """A minute of singing made of recordings (2, samples)."""
    rng = np.random.default_rng([10, seed])
    speech, sung = voice_files()
    files = speech if rng.random() < 0.6 else sung
    first = int(rng.integers(len(files)))  # neighbours in the list are mostly the same voice

    def phrase() -> tuple[np.ndarray, bool]:
        path, narrow = files[(first + int(rng.integers(0, 6))) % len(files)]
        audio = read_stereo(path).mean(0)
        return audio[int(rng.integers(0, max(1, len(audio) - 4 * SAMPLE_RATE))) :][: 4 * SAMPLE_RATE], narrow

    return sing_track(rng, phrase, is_speech=files is speech)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    make_vocals(__doc__, make_track, arguments, name="sung")


if __name__ == "__main__":
    main()
