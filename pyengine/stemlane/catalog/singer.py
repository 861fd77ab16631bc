# SPDX-License-Identifier: MIT
"""A voice made of nothing but numbers, which sings syllables: a source, a tract of resonances, and noise.

Source and filter after Fant, "Acoustic Theory of Speech Production" (1960); resonances in a row, and consonants as
murmurs, bursts and hisses, after Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67 (1980).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FRAME = 220  # samples between the points of pitch, level and resonances
_SIZE = 4 * FRAME  # of a transform
_DECAY = np.log(1000.0) / 18000.0  # of pulses: 60 dB at 18 kHz
_HIGHEST_HZ = 14000.0  # of the voice

# Formants in Hz of women's vowels, averages of Peterson & Barney (1952), table II; those above are the same for all.
_VOWELS = {
    "i": (310, 2790, 3310),
    "e": (610, 2330, 2990),
    "a": (850, 1220, 2810),
    "o": (590, 920, 2710),
    "u": (370, 950, 2670),
}
_HIGHER = (4000.0, 4900.0, 6000.0, 7100.0, 8200.0, 9300.0, 10400.0)
_WIDTHS = (90.0, 110.0, 150.0, 220.0, 320.0, 400.0, 500.0, 600.0, 700.0, 800.0)


@dataclass(frozen=True)
class _Consonant:
    """What comes before a vowel.

    Attributes
    ----------
    seconds : float
    formants : tuple
        Of the tract meanwhile, in Hz; nothing: those of the vowel.
    voiced : float
        Level of the voice meanwhile, against the vowel.
    noise : float
        Level of the noise.
    noise_hz : tuple
        Middle and width of the noise.
    """

    seconds: float
    formants: tuple[float, float, float] | None
    voiced: float
    noise: float
    noise_hz: tuple[float, float]


_CONSONANTS = {
    "": _Consonant(0.03, None, 0.3, 0.0, (3000.0, 2000.0)),
    "m": _Consonant(0.09, (280.0, 1100.0, 2200.0), 0.35, 0.0, (3000.0, 2000.0)),
    "n": _Consonant(0.08, (280.0, 1600.0, 2600.0), 0.35, 0.0, (3000.0, 2000.0)),
    "l": _Consonant(0.08, (380.0, 1200.0, 2900.0), 0.5, 0.0, (3000.0, 2000.0)),
    "d": _Consonant(0.06, (280.0, 1800.0, 2800.0), 0.05, 0.25, (4200.0, 2500.0)),
    "t": _Consonant(0.07, None, 0.0, 0.5, (4800.0, 3000.0)),
    "k": _Consonant(0.07, None, 0.0, 0.45, (2400.0, 1500.0)),
    "h": _Consonant(0.08, None, 0.0, 0.2, (1800.0, 2500.0)),
    "f": _Consonant(0.10, None, 0.0, 0.16, (7000.0, 6000.0)),
    "s": _Consonant(0.13, None, 0.0, 0.4, (7500.0, 2500.0)),
}


@dataclass(frozen=True)
class Syllable:
    """One sung syllable.

    Attributes
    ----------
    start, length : float
        In seconds, from the phrase's beginning.
    note : float
        MIDI note number.
    text : str
        A consonant, or none, and a vowel: "ma", "o".
    """

    start: float
    length: float
    note: float
    text: str


def sing(syllables: Sequence[Syllable], sample_rate: int, random: np.random.Generator) -> np.ndarray:
    """A phrase, float64 (samples,), with an RMS of about 0.1 where it sounds.

    `sample_rate` is 44100 or near: lower ones fold harmonics back, and all that moves is counted in frames of samples.
    """
    seconds = max(syllable.start + syllable.length for syllable in syllables) + 0.3
    num_frames = int(seconds * sample_rate) // FRAME
    tract = _Tract(syllables, num_frames, sample_rate / FRAME, random)
    pitch = _pitch(syllables, num_frames, sample_rate / FRAME, random)
    pulses, phase = _pulses(pitch, sample_rate)
    voice = _filtered(pulses, tract.voice_gains(pitch, sample_rate))
    breath = random.standard_normal(len(voice)) * (0.5 + 0.5 * np.maximum(0.0, np.cos(phase)))
    voice += _filtered(breath, tract.breath_gains(sample_rate))
    voice /= 10.0 * np.sqrt(np.mean(voice[np.abs(voice) > 0.01 * np.abs(voice).max()] ** 2))
    hiss = random.standard_normal(len(voice))
    return voice + 0.1 * _filtered(hiss, tract.noise_gains(sample_rate))


def _smooth(values: np.ndarray, frames: int) -> np.ndarray:
    """Each column with a Hann window's mean over about so many frames."""
    window = np.hanning(frames + 2)[1:-1]
    window /= window.sum()
    padded = np.pad(values, [(frames, frames)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    if values.ndim == 1:
        return np.convolve(padded, window, mode="same")[frames:-frames]
    return np.stack([np.convolve(column, window, mode="same") for column in padded.T], 1)[frames:-frames]


def _pitch(syllables: Sequence[Syllable], num_frames: int, rate: float, random: np.random.Generator) -> np.ndarray:
    """Hz at each frame: notes that glide, scoop from below, waver after a while and drift."""
    time = np.arange(num_frames) / rate
    notes = np.full(num_frames, syllables[0].note, float)
    vibrato = np.zeros(num_frames)
    for index, syllable in enumerate(syllables):
        inside = time >= syllable.start
        notes[inside] = syllable.note
        since = time[inside] - syllable.start
        scoop = 1.5 if index == 0 or syllable.start > syllables[index - 1].start + syllables[index - 1].length else 0.4
        notes[inside] -= scoop * np.exp(-since / 0.05)
        vibrato[inside] = np.clip((since - 0.25) / 0.35, 0.0, 1.0)
    beats = 5.4 + 0.4 * _smooth(random.standard_normal(num_frames), 60) * 5
    wave = np.sin(2 * np.pi * np.cumsum(beats) / rate)
    drift = np.cumsum(random.standard_normal(num_frames)) * 0.012
    drift -= _smooth(drift, 100)
    jitter = 0.03 * random.standard_normal(num_frames)
    line = _smooth(notes, 12) + 0.4 * vibrato * wave + drift + jitter
    pitch: np.ndarray = 440.0 * 2.0 ** ((line - 69.0) / 12.0)
    return pitch


class _Tract:
    """Resonances, levels and noises at each frame."""

    def __init__(self, syllables: Sequence[Syllable], num_frames: int, rate: float, random: np.random.Generator):
        formants = np.zeros((num_frames, len(_WIDTHS)))
        level, effort = np.zeros(num_frames), np.zeros(num_frames)
        self.noise = np.zeros(num_frames)
        self.noise_hz = np.tile(np.array([[3000.0, 2000.0]]), (num_frames, 1))
        formants[:] = (*_VOWELS[syllables[0].text[-1]], *_HIGHER)
        for syllable in syllables:
            consonant = _CONSONANTS[syllable.text[:-1]]
            vowel = _VOWELS[syllable.text[-1]]
            begin = round((syllable.start - consonant.seconds) * rate)
            middle, end = round(syllable.start * rate), round((syllable.start + syllable.length) * rate)
            begin = max(0, begin)
            formants[begin:middle] = (*(consonant.formants or vowel), *_HIGHER)
            formants[middle:] = (*vowel, *_HIGHER)
            level[begin:middle] = consonant.voiced
            since = np.arange(end - middle) / rate
            shape = (0.75 + 0.25 * np.exp(-(((since - 0.15) / 0.2) ** 2))) * np.minimum(1.0, (since[::-1] + 0.02) / 0.1)
            level[middle:end] = shape * random.uniform(0.85, 1.1)
            effort[middle:end] = shape
            burst = middle - begin
            form = np.hanning(burst + 2)[1:-1] if consonant.seconds > 0.07 else np.exp(-np.arange(burst)[::-1] / 4.0)
            self.noise[begin:middle] = consonant.noise * form
            self.noise_hz[begin:middle] = consonant.noise_hz
        self.formants = _smooth(formants * (1 + 0.01 * _smooth(random.standard_normal(formants.shape), 20)), 10)
        self.level = _smooth(level, 5) * (1 + 0.04 * random.standard_normal(num_frames))
        self.effort = _smooth(effort, 20)

    def gains(self, hertz: np.ndarray) -> np.ndarray:
        """Complex gain (frames, frequencies) of the resonances in a row at `hertz` (frequencies,), 1 at 0 Hz."""
        result = np.ones((len(self.level), len(hertz)), complex)
        for place, width in enumerate(_WIDTHS):
            square = self.formants[:, place : place + 1] ** 2 + width**2 / 4
            result *= square / (square - hertz**2 + 1j * hertz * width)
        return result

    def voice_gains(self, pitch: np.ndarray, sample_rate: int) -> np.ndarray:
        """From pulses to the voice: what they lose towards the top, the source's tilt, the tract."""
        hertz = _bins(sample_rate)
        flat = np.exp(_DECAY * np.minimum(hertz, _HIGHEST_HZ)) * (hertz < _HIGHEST_HZ)
        tilt = 1.25 - 0.35 * self.effort[:, None]  # louder is brighter
        source = np.maximum(hertz / pitch[:, None], 0.5) ** -tilt
        gains: np.ndarray = self.gains(hertz) * flat * source * self.level[:, None]
        return gains

    def breath_gains(self, sample_rate: int) -> np.ndarray:
        """Of the breath that goes through the tract with the voice."""
        hertz = _bins(sample_rate)
        gains: np.ndarray = 0.02 * np.abs(self.gains(hertz)) * self.level[:, None] * np.minimum(1.0, hertz / 2000.0)
        return gains

    def noise_gains(self, sample_rate: int) -> np.ndarray:
        """Of the consonants' noises."""
        apart = (_bins(sample_rate) - self.noise_hz[:, :1]) / self.noise_hz[:, 1:]
        gains: np.ndarray = self.noise[:, None] * np.exp(-0.5 * apart**2)
        return gains


def _bins(sample_rate: int) -> np.ndarray:
    return np.fft.rfftfreq(_SIZE, 1 / sample_rate)


def _pulses(pitch: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The harmonics of a pitch, each a little quieter than the one below, and the phase of the first; both (samples,).

    A geometric series of cosines, sum of r^k cos(k phase) over k >= 1, so next to nothing lies above half the rate.
    """
    time = np.arange(len(pitch) * FRAME) / FRAME
    hertz = np.interp(time, np.arange(len(pitch)), pitch)
    phase = 2 * np.pi * np.cumsum(hertz) / sample_rate
    ratio, cosine = np.exp(-_DECAY * hertz), np.cos(phase)
    return (ratio * cosine - ratio**2) / (1 - 2 * ratio * cosine + ratio**2), phase


def _filtered(sound: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """A sound (samples,) through gains (frames, bins) that change with each frame, by overlapped transforms."""
    window = np.hanning(_SIZE + 1)[:-1]
    padded = np.pad(sound, (_SIZE // 2, _SIZE))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::FRAME][: len(gains)]
    parts = np.fft.irfft(np.fft.rfft(frames * window, axis=1) * gains, _SIZE, axis=1) * window / 1.5
    result = np.zeros(len(padded))
    for index, part in enumerate(parts):
        result[index * FRAME : index * FRAME + _SIZE] += part
    return result[_SIZE // 2 : _SIZE // 2 + len(sound)]
