# SPDX-License-Identifier: MIT
"""Voices of formants: resonances against closed forms, harmonics of the pitch, the same track every time."""

import numpy as np
import pytest

from models.training.data import vowels
from models.training.network.spectral import SAMPLE_RATE


@pytest.mark.parametrize("centre, width", [(500.0, 60.0), (2300.0, 120.0)])
def test_a_resonance_is_1_at_0_hz_and_at_its_top_the_frequency_over_the_width(centre, width):
    gain = vowels.envelope(np.array([[0.0, centre, 1e6]]), np.array([[centre]]), np.array([[width]]))[0]
    assert gain[0] == pytest.approx(1.0)
    assert gain[1] == pytest.approx(centre / width, rel=0.01)  # the pole's distance to either axis
    assert gain[2] == pytest.approx((centre / 1e6) ** 2, rel=0.01)  # 12 dB an octave


def test_resonances_in_a_row_multiply():
    hertz = np.linspace(0.0, 5000.0, 50)[None]
    both = vowels.envelope(hertz, np.array([[500.0, 1500.0]]), np.array([[60.0, 90.0]]))
    alone = [vowels.envelope(hertz, np.array([[f]]), np.array([[w]])) for f, w in ((500.0, 60.0), (1500.0, 90.0))]
    np.testing.assert_allclose(both, alone[0] * alone[1], rtol=1e-12)


def test_resonances_abreast_add_up_over_a_floor():
    formants, widths = np.array([[500.0, 1500.0, 2500.0, 3500.0, 4500.0]]), np.array([[100.0] * 5])
    top, far = vowels.envelope_abreast(np.array([[1500.0, 20_000.0]]), formants, widths)[0]
    beside = np.array([1.0, 0.4, 0.3, 0.2]) / np.hypot(1.0, np.array([1000.0, 1000.0, 2000.0, 3000.0]) / 50.0)
    assert top == pytest.approx(0.7 + beside.sum() + 0.003)
    assert 0.003 < far < 0.015


def test_syllables_fade_in_and_out_and_begin_with_noise_above_a_corner():
    level, consonants = vowels.syllables(np.random.default_rng(5), 10 * SAMPLE_RATE, 0.5)
    assert level.min() == 0.0 and level.max() == 1.0
    starts = np.flatnonzero((level[:-1] < 0.02) & (level[1:] > level[:-1]))
    gaps = np.diff(starts[np.diff(starts, prepend=-SAMPLE_RATE) > 1000]) / SAMPLE_RATE
    assert set((gaps / 0.25).round()) <= {1.0, 2.0, 3.0, 4.0}  # halves of a beat up to two
    spectrum = np.abs(np.fft.rfft(consonants)) ** 2
    assert spectrum[: 300 * 10].sum() < 0.01 * spectrum.sum()


def test_harmonics_have_the_pitch_and_the_levels_of_the_resonances():
    num_frames, hz = 201, 200.0
    formants, widths = np.tile([[700.0, 1200.0]], (num_frames, 1)), np.array([[80.0, 90.0]])
    voiced, phase = vowels.sung_vowels(np.full(num_frames, hz), formants, widths, 1.0)
    one_second = voiced[:SAMPLE_RATE]  # whole periods of all harmonics
    spectrum = 2.0 * np.abs(np.fft.rfft(one_second)) / SAMPLE_RATE
    numbers = np.arange(1, 20)
    expected = vowels.envelope(hz * numbers[None], formants[:1], widths)[0] / numbers
    np.testing.assert_allclose(spectrum[200 * numbers], expected, rtol=1e-3)
    spectrum[::200] = 0.0
    assert spectrum.max() < 1e-3 * expected.max()
    assert phase[SAMPLE_RATE - 1] == pytest.approx(2 * np.pi * hz, rel=1e-6)


def test_vowels_glide_between_the_table_s():
    course = vowels.gliding_vowels(np.random.default_rng(3), 400, 0.5)
    assert course.shape == (400, 5)
    assert (course[:, :3] >= vowels.FORMANTS.min(0) - 1e-9).all() and (
        course[:, :3] <= vowels.FORMANTS.max(0) + 1e-9
    ).all()
    steps = np.abs(np.diff(vowels.FORMANTS[:, 1])).max()
    assert len(np.unique(course[:, 1].round())) > 2 and np.abs(np.diff(course[:, 1])).max() < steps


def test_a_track_of_a_seed_is_the_same_every_time(monkeypatch):
    monkeypatch.setattr(vowels, "TRACK_SECONDS", 4.0)
    track = vowels.make_track(2)
    assert track.shape == (2, 4 * SAMPLE_RATE) and 0.001 < np.sqrt((track**2).mean()) < 0.5
    np.testing.assert_array_equal(track, vowels.make_track(2))
