# SPDX-License-Identifier: MIT
"""Synthesised notes and kicks have the pitch, the start and the decay that they say."""

import numpy as np
import pytest

from models.training.data import scores
from models.training.data.drums import booming_kicks
from models.training.data.synths import Synth, play_808, play_pings
from models.training.network.spectral import SAMPLE_RATE


def test_a_synthesised_note_has_its_pitch():
    synth = Synth(np.random.default_rng(7), "bass")
    synth.shapes, synth.unison, synth.sub, synth.cutoff_hz, synth.drive_db = ["sine"], 1, 0.0, 5000.0, 0.0
    audio = synth.play([scores.Note(0.0, 2.0, 45, 1.0)], 0.5, SAMPLE_RATE)
    peak = np.abs(np.fft.rfft(audio[0])).argmax()
    assert peak == 110  # MIDI note 45 is 110 Hz; one second, so bins are 1 Hz


def test_a_falling_bass_ends_on_its_pitch():
    synth = Synth(np.random.default_rng(7), "bass")
    synth.shapes, synth.unison, synth.sub, synth.cutoff_hz, synth.drive_db = ["sine"], 1, 0.0, 5000.0, 0.0
    synth.fall_ratio, synth.fall_seconds, synth.detune = 4.0, 0.03, 0.0
    audio = synth.play([scores.Note(0.0, 2.0, 33, 1.0)], 0.5, SAMPLE_RATE)[0]
    late = audio[SAMPLE_RATE // 2 : SAMPLE_RATE // 2 + 8820]
    crossings = np.flatnonzero((late[:-1] < 0) & (late[1:] >= 0))
    assert abs(SAMPLE_RATE / np.diff(crossings).mean() - 55.0) < 0.5
    early = audio[100 : 100 + 882]
    assert ((early[:-1] < 0) & (early[1:] >= 0)).sum() >= 3  # 20 ms of 55 Hz have at most two


def test_booming_kicks_fall_to_their_low_tone_on_every_beat():
    audio = booming_kicks(np.random.default_rng(3), 0.25, 8 * SAMPLE_RATE)
    spectrum = np.abs(np.fft.rfft(audio[0]))
    assert 35.0 < spectrum[8 * 20 : 8 * 200].argmax() / 8.0 + 20.0 < 75.0  # bins are 1/8 Hz
    blocks = np.sqrt((audio[0].reshape(-1, SAMPLE_RATE // 20) ** 2).mean(1))  # 50 ms
    assert np.median(blocks) > 0.25 * blocks.max()  # the tails fill the time between the beats
    assert np.array_equal(audio, booming_kicks(np.random.default_rng(3), 0.25, 8 * SAMPLE_RATE))


def test_a_booming_kick_is_over_after_half_a_second():
    for seed in range(8):  # what stays longer is a bass
        audio = booming_kicks(np.random.default_rng(seed), 2.0, 2 * SAMPLE_RATE)[0]
        assert np.abs(audio[: SAMPLE_RATE // 2]).max() > 0.3
        assert np.abs(audio[SAMPLE_RATE // 2 + 1 : SAMPLE_RATE - 1]).max() == 0.0


def test_an_808_falls_onto_its_pitch_and_stays_there_with_all_its_harmonics():
    for seed in range(6):
        note = scores.Note(1.0, 2.0, 45, 1.0)
        audio = play_808(np.random.default_rng(seed), [note], 0.5, 2 * SAMPLE_RATE)[0]
        assert np.abs(audio[: SAMPLE_RATE // 2]).max() == 0.0 < np.abs(audio).max() < 1.0
        stays = audio[SAMPLE_RATE : int(1.4 * SAMPLE_RATE)]  # a bass drum would have fallen silent
        spectrum = np.abs(np.fft.rfft(stays * np.hanning(len(stays)), 10 * SAMPLE_RATE))
        assert abs(spectrum.argmax() / 10.0 - 55.0) < 1.0  # MIDI 45 is 110 Hz: down into the sub-bass
        starts = audio[SAMPLE_RATE // 2 :][: SAMPLE_RATE // 50]
        assert np.sqrt((stays**2).mean()) > 0.15 * np.sqrt((starts**2).mean())


def test_a_ping_starts_with_its_note_has_its_pitch_and_dies_away():
    for seed in range(14):
        peaks = []
        for pitch in (57, 69):
            audio = play_pings(np.random.default_rng(seed), [scores.Note(1.0, 0.5, pitch, 1.0)], 0.5, 4 * SAMPLE_RATE)
            assert np.abs(audio[:, : SAMPLE_RATE // 2 - 1]).max() < 1e-6
            rings = (audio[:, SAMPLE_RATE // 2 : 3 * SAMPLE_RATE] ** 2).mean(0).reshape(25, -1).mean(1)  # 100 ms each
            assert rings.argmax() <= 1 and rings[-1] < 0.01 * rings.max()
            peaks.append(np.abs(np.fft.rfft(audio[0], 8 * SAMPLE_RATE)).argmax() / 8.0)
        assert peaks[1] / peaks[0] == pytest.approx(2.0, rel=0.02)  # an octave, whichever partial is the strongest
        nearest = np.array([0.5, 1.0, 1.5, 3.0]) * 220.0
        assert np.abs(peaks[0] / nearest - 1.0).min() < 0.02
