# SPDX-License-Identifier: MIT
"""The demonstration's song and its voice: pitch, vowels and consonants as a phonetician would measure them."""

import numpy as np
import pytest
from stemlane.catalog import singer
from stemlane.catalog.singer import Syllable, sing
from stemlane.catalog.song import BEAT, SAMPLE_RATE, make_song


def sung(text: str, note: float = 57.0) -> np.ndarray:
    """A syllable of a second that begins, with its vowel, at 0.3 s."""
    return sing([Syllable(0.3, 1.0, note, text)], SAMPLE_RATE, np.random.default_rng(5))


def power(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    """In a band, in dB."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    return 10 * float(np.log10(spectrum[(hertz >= low_hz) & (hertz < high_hz)].sum() + 1e-12))


def part(sound: np.ndarray, begin: float, end: float) -> np.ndarray:
    return sound[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


@pytest.mark.parametrize("note", [50.0, 57.0, 64.0])
def test_it_sings_the_note(note):
    steady = part(sung("ma", note), 0.5, 1.1)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(steady, 2 * len(steady))) ** 2)
    lags = slice(SAMPLE_RATE // 500, SAMPLE_RATE // 80)
    period = lags.start + int(correlation[lags].argmax())
    assert 12 * np.log2(SAMPLE_RATE / period / 440) + 69 == pytest.approx(note, abs=0.5)


def test_vowels_have_their_formants():
    front, back = part(sung("i"), 0.5, 1.1), part(sung("o"), 0.5, 1.1)
    assert power(front, 2600, 3500) > power(front, 1000, 2000) + 10  # Peterson & Barney: 2790 and 3310 Hz
    assert power(back, 700, 1200) > power(back, 1500, 2500) + 10  # 590 and 920 Hz


def test_consonants_come_before_the_vowel():
    hissed = sung("sa")
    assert power(part(hissed, 0.2, 0.28), 5000, 11000) > power(part(hissed, 0.2, 0.28), 50, 3000) + 10
    assert power(part(hissed, 0.5, 0.58), 50, 3000) > power(part(hissed, 0.5, 0.58), 5000, 11000) + 10
    hummed = sung("ma")
    assert power(part(hummed, 0.23, 0.28), 100, 400) > power(part(hummed, 0.23, 0.28), 500, 3000) + 3


def test_pulses_are_harmonics_and_nothing_folds_back_between_them():
    """Those above half the rate would, onto places where no filter takes them away."""
    pitch = 445.0
    pulses, phase = singer._pulses(np.full(200, pitch), SAMPLE_RATE)
    time = np.arange(1, len(pulses) + 1) / SAMPLE_RATE
    np.testing.assert_allclose(phase, 2 * np.pi * pitch * time, rtol=1e-9)
    spectrum = np.abs(np.fft.rfft(pulses * np.blackman(len(pulses)))) ** 2
    apart = np.fft.rfftfreq(len(pulses), 1 / SAMPLE_RATE) / pitch % 1.0
    assert 10 * np.log10(spectrum[(apart > 0.1) & (apart < 0.9)].max() / spectrum.max()) < -70


def test_a_song_is_the_sum_of_its_stems_and_repeats_itself():
    song, again, other = make_song(), make_song(), make_song(seed=3)
    assert list(song) == ["vocals", "drums", "bass", "other"]
    assert {stem.shape for stem in song.values()} == {(2, song["drums"].shape[1])}
    assert 25 < song["drums"].shape[1] / SAMPLE_RATE < 27
    assert np.abs(sum(song.values())).max() == pytest.approx(0.9, rel=1e-5)
    for name, stem in song.items():
        assert stem.dtype == np.float32
        np.testing.assert_array_equal(stem, again[name])
        assert not np.array_equal(stem, other[name])
        share = float((stem**2).sum() / (sum(song.values()) ** 2).sum())
        assert share > 0.1, name  # each is heard
    introduction = 8 * BEAT - 0.25  # two bars, but for the first consonant
    assert np.abs(song["vocals"][:, : round(introduction * SAMPLE_RATE)]).max() < 1e-9  # the room's transform rounds
