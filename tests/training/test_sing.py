# SPDX-License-Identifier: MIT
"""Made singing: the melody's pitch, the length asked for, nothing invented without a voice."""

import numpy as np

from models.training.data.sing import FRAME_SECONDS, melody_contour, resing
from models.training.network.spectral import SAMPLE_RATE


def vowel(hz: float, seconds: float) -> np.ndarray:
    """A buzz of harmonics with a broad formant at 700 Hz."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics = np.arange(1, int(8000 / hz))
    level = 1.0 / (1.0 + ((harmonics * hz - 700.0) / 500.0) ** 2)
    return 0.1 * (level[:, None] * np.sin(2 * np.pi * harmonics[:, None] * hz * time)).sum(0)


def test_a_melody_stays_near_its_centre():
    contour = melody_contour(np.random.default_rng(1), 2000, 220.0, beat_seconds=0.5)
    assert contour.shape == (2000,)
    assert contour.min() > 220.0 * 2 ** (-13 / 12) and contour.max() < 220.0 * 2 ** (20 / 12)


def test_a_stretched_voice_keeps_its_pitch():
    rng = np.random.default_rng(2)
    audio = resing(
        rng, vowel(150.0, 1.0), narrow=False, melody=False, stretch=2.0, formant=1.0, transpose=1.0, voices=1
    )
    assert abs(audio.shape[1] / SAMPLE_RATE - 2.2) < 4 * FRAME_SECONDS  # 0.2 s for late doubles
    middle = audio[0, SAMPLE_RATE // 2 : SAMPLE_RATE // 2 + SAMPLE_RATE]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    strongest = spectrum[:2000].argmax()
    assert min(strongest % 150, 150 - strongest % 150) <= 3  # a harmonic of 150 Hz, in bins of 1 Hz


def test_narrow_recordings_get_highs():
    rng = np.random.default_rng(3)
    audio = resing(rng, vowel(150.0, 0.7), narrow=True, melody=True, stretch=1.5, formant=1.1, transpose=1.0, voices=2)
    spectrum = np.abs(np.fft.rfft(audio[0])) ** 2
    hz = np.fft.rfftfreq(audio.shape[1], 1.0 / SAMPLE_RATE)
    assert spectrum[hz > 9000.0].sum() > 1e-9 * spectrum.sum()
    assert np.isfinite(audio).all()


def test_silence_gives_no_voice():
    silent = np.zeros(SAMPLE_RATE // 2)
    audio = resing(
        np.random.default_rng(4), silent, narrow=False, melody=True, stretch=1.0, formant=1.0, transpose=1.0, voices=1
    )
    assert audio.shape == (2, 0)
