# SPDX-License-Identifier: MIT
"""Voices made of nothing but formants: vowels that glide into each other over a melody, with breath and vibrato.

Electronic productions sing with such voices, and without words; all of it is filed as vocals.
Run as `python -m models.training.data.vowels --tracks 70`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.signal

from models.training.network.spectral import SAMPLE_RATE

from .command import make_vocals
from .instruments import mix_in
from .material import vocal_chain
from .sing import melody_contour

TRACK_SECONDS = 45.0
FRAME = 220  # samples between the points of pitch and envelope: those of `melody_contour`
# Formants in Hz of men's vowels, averages of Peterson & Barney (1952), table II; those above are the same for all.
FORMANTS = np.array(
    [
        (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440), (570, 840, 2410),
        (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690),
    ],
    float,
)  # fmt: skip
HIGHER = (3500.0, 4500.0)
GAINS_ABREAST = (1.0, 0.7, 0.4, 0.3, 0.2)


def envelope(hertz: np.ndarray, formants: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Gain of resonances in a row (frames, frequencies), 1 at 0 Hz.

    Parameters
    ----------
    hertz : (frames, frequencies)
    formants, widths : (frames or 1, resonances) in Hz
    """
    square = hertz[..., None] ** 2
    centre, width = formants[:, None, :] ** 2, widths[:, None, :] ** 2
    gain = (centre + width / 4.0) / np.sqrt((square - centre - width / 4.0) ** 2 + square * width)
    return gain.prod(-1)


def envelope_abreast(hertz: np.ndarray, formants: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """The same of resonances side by side, each of a gain of its own at its top, with a floor that keeps the highs."""
    apart = (hertz[..., None] - formants[:, None, :]) / (widths[:, None, :] / 2.0)
    return (np.array(GAINS_ABREAST) / np.sqrt(1.0 + apart**2)).sum(-1) + 0.003


def syllables(rng: np.random.Generator, num_samples: int, beat_seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Level of a voice that begins anew with each syllable, and the noise of its consonants, both (samples,)."""
    level, consonants = np.zeros(num_samples), np.zeros(num_samples)
    rise, fall = (int(rng.uniform(0.01, 0.08) * SAMPLE_RATE) for _ in range(2))
    consonant_gain, position = 10.0 ** (float(rng.uniform(-30.0, -3.0)) / 20.0), 0
    while position < num_samples:
        length = int(float(rng.choice([0.5, 1.0, 1.0, 1.5, 2.0])) * beat_seconds * SAMPLE_RATE)
        part = level[position : position + length]
        time = np.arange(len(part))
        part[:] = np.minimum(1.0, time / rise) * np.minimum(1.0, (len(part) - time) / fall)
        burst = np.hanning(int(rng.uniform(0.02, 0.12) * SAMPLE_RATE))
        if rng.random() < 0.6:
            there = consonants[position : position + len(burst)]
            there += consonant_gain * (burst * rng.standard_normal(len(burst)))[: len(there)]
        position += length
    corner = float(rng.uniform(800.0, 6000.0))
    return level, scipy.signal.sosfilt(
        scipy.signal.butter(2, corner, "highpass", fs=SAMPLE_RATE, output="sos"), consonants
    )


def gliding_vowels(rng: np.random.Generator, num_frames: int, beat_seconds: float) -> np.ndarray:
    """Formants in Hz (frames, 5) of vowels drawn for each beat, or for half or two of them."""
    held = max(1, int(beat_seconds * SAMPLE_RATE / FRAME * rng.choice([0.5, 1.0, 2.0])))
    vowels = FORMANTS[rng.integers(0, len(FORMANTS), num_frames // held + 1)].repeat(held, 0)[:num_frames]
    glide = int(rng.integers(2, 25))
    window = np.hanning(glide + 2)[1:-1]
    padded = np.pad(vowels, ((glide, glide), (0, 0)), mode="edge")
    smooth = [np.convolve(column, window / window.sum(), mode="same")[glide:-glide] for column in padded.T]
    return np.stack([*smooth, *(np.full(num_frames, hertz) for hertz in HIGHER)], 1)


Gain = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def sung_vowels(
    pitch: np.ndarray, formants: np.ndarray, widths: np.ndarray, tilt: float, gain: Gain = envelope
) -> tuple[np.ndarray, np.ndarray]:
    """Harmonics of a pitch through resonances, and the phase of the first one, both (samples,).

    Parameters
    ----------
    pitch : (frames,) in Hz
    formants, widths : (frames or 1, resonances) in Hz
    tilt : float
        The source's amplitudes fall with this power of the harmonic's number.
    gain : callable
        `envelope` or `envelope_abreast`.
    """
    time, frames = np.arange(len(pitch) * FRAME) / FRAME, np.arange(len(pitch))
    phase = 2.0 * np.pi * np.cumsum(np.interp(time, frames, pitch)) / SAMPLE_RATE
    highest = 0.45 * SAMPLE_RATE
    numbers = np.arange(1, min(200, int(highest / pitch.min())) + 1)
    hertz = pitch[:, None] * numbers
    gains = np.where(hertz > highest, 0.0, gain(hertz, formants, widths) * numbers**-tilt)
    voiced = np.zeros(len(time))
    for number in numbers[gains.max(0) > 1e-4 * gains.max()]:
        voiced += np.interp(time, frames, gains[:, number - 1]) * np.sin(number * phase)
    return voiced, phase


def phrase(rng: np.random.Generator, seconds: float, centre: float, tract: float) -> np.ndarray:
    """A phrase of one voice (samples,), its harmonics of an RMS of 1.

    Parameters
    ----------
    centre : float
        Its middle pitch in Hz.
    tract : float
        Factor on all formants: 1 as of a man, 1.17 of a woman, 1.35 of a child.
    """
    num_frames = int(seconds * SAMPLE_RATE) // FRAME
    beat = float(rng.uniform(0.25, 0.9))
    pitch = melody_contour(rng, num_frames, centre, beat_seconds=beat)
    pitch *= 2.0 ** (np.cumsum(rng.normal(0.0, 0.02, num_frames)) * float(rng.uniform(0.0, 0.02)))
    formants = tract * gliding_vowels(rng, num_frames, beat)
    widths = np.array([[60.0, 90.0, 130.0, 200.0, 300.0]]) * float(rng.uniform(0.7, 2.0))
    gain = envelope_abreast if rng.random() < 0.5 else envelope
    voiced, phase = sung_vowels(pitch, formants, widths, float(rng.uniform(0.4, 1.6)), gain)
    noise = scipy.signal.lfilter([1.0], [1.0, -0.5], rng.standard_normal(len(phase)))
    breath = _filtered(noise * (0.6 + 0.4 * np.sin(phase)), formants, widths)
    level = 10.0 ** (float(rng.uniform(-45.0, -12.0)) / 20.0)
    sound = voiced / _rms(voiced) + level * breath / _rms(breath)
    if rng.random() < 0.6:
        syllable, consonants = syllables(rng, len(sound), beat)
        sound = sound * syllable + consonants
    ramp = np.minimum(1.0, np.arange(len(sound)) / int(rng.uniform(0.005, 0.15) * SAMPLE_RATE))
    return (sound * ramp * ramp[::-1]).astype(np.float32)


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt((sound**2).mean()) + 1e-9)


def _filtered(noise: np.ndarray, formants: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Noise through the resonances as they are at each moment, by a short-time transform."""
    size = 4 * FRAME
    hertz, _, spectrum = scipy.signal.stft(noise, SAMPLE_RATE, nperseg=size, noverlap=size - FRAME)
    index = np.minimum(np.arange(spectrum.shape[1]), len(formants) - 1)
    spectrum = spectrum * envelope(np.tile(hertz, (len(index), 1)), formants[index], widths).T
    return scipy.signal.istft(spectrum, SAMPLE_RATE, nperseg=size, noverlap=size - FRAME)[1][: len(noise)]


def make_track(seed: int) -> np.ndarray:
    """45 s of one made voice (2, samples), alone or with doubles, through one channel strip."""
    rng = np.random.default_rng([24, seed])
    track = np.zeros((2, int(TRACK_SECONDS * SAMPLE_RATE)), np.float32)
    tract = float(rng.uniform(0.9, 1.35))
    centre = 90.0 * tract ** float(rng.uniform(2.0, 6.0)) * float(rng.uniform(0.9, 1.6))
    doubles = int(rng.choice([0, 0, 1, 3]))
    position = float(rng.uniform(0.0, 1.5))
    while position < TRACK_SECONDS - 1.0:
        seconds = float(rng.uniform(1.0, 6.0))
        state = rng.bit_generator.state
        for double in range(1 + doubles):
            rng.bit_generator.state = state  # the same phrase, a little off in pitch, tract and time
            detuned = 2.0 ** (0.012 * double * (-1) ** double)
            voice = phrase(rng, seconds, centre * detuned, tract * detuned)
            pan = 0.0 if double == 0 else 0.5 * (-1) ** double
            panned = np.stack([voice * np.sqrt(0.5 - pan / 2), voice * np.sqrt(0.5 + pan / 2)]).astype(np.float32)
            mix_in(track, 0.1 * panned, position + 0.011 * double)
        position += seconds + float(rng.exponential(0.4))
    track = vocal_chain(rng)(track, SAMPLE_RATE)
    return track * np.float32(0.5 / max(0.5, float(np.abs(track).max())))


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    make_vocals(__doc__, make_track, arguments, name="choir_vowel")  # of the kind "choir", as the recipe draws it


if __name__ == "__main__":
    main()
