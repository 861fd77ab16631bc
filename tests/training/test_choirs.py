# SPDX-License-Identifier: MIT
"""Voices without words: the stretched voice keeps its spectrum, tracks are the same by seed."""

import numpy as np

from models.training.data.choirs import draw_voice, drone, make_track, spoken_by, stretched
from models.training.network.spectral import SAMPLE_RATE


def test_stretching_keeps_pitch_and_level():
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = np.stack([np.sin(2 * np.pi * 440 * time)] * 2).astype(np.float32)
    slow = stretched(np.random.default_rng(1), tone, 4.0, 0.2)
    assert 3.5 * SAMPLE_RATE < slow.shape[1] < 5.0 * SAMPLE_RATE
    middle = slow[0, SAMPLE_RATE : 2 * SAMPLE_RATE]
    assert abs(int(np.abs(np.fft.rfft(middle)).argmax()) - 440) <= 3
    assert abs(float(np.sqrt((middle**2).mean())) / np.sqrt(0.5) - 1.0) < 0.25


def test_voices_are_drawn_from_phrases_and_from_where_a_song_is_sung(shared_audio):
    rng = np.random.default_rng(2)
    voices = [draw_voice(rng, 2.0) for _ in range(20)]
    assert all(voice.shape[0] == 2 and 0 < voice.shape[1] <= 2 * SAMPLE_RATE for voice in voices)
    assert all((voice**2).mean() > 1e-6 for voice in voices)
    from_songs = [
        voice for voice in voices if np.abs(voice[0] - voice[1]).max() > 1e-3 and voice.shape[1] == 2 * SAMPLE_RATE
    ]
    assert 3 <= len(from_songs) <= 14 and all((voice**2).mean() > 1e-4 for voice in from_songs)


def test_a_track_is_the_same_by_seed(shared_audio):
    for seed in range(5):  # one of each kind
        first, again = make_track(seed), make_track(seed)
        assert np.array_equal(first, again) and 0.02 < np.abs(first).max() <= 0.5


def test_a_vocoder_has_the_pitch_of_its_carrier_and_the_level_of_its_voice_in_every_band():
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    carrier = np.stack([sum(np.sin(2 * np.pi * 200 * n * time) for n in range(1, 40))] * 2).astype(np.float32)
    voice = np.stack([np.sin(2 * np.pi * 1010 * time) * (time < 1.0)] * 2).astype(np.float32)
    spoken = spoken_by(voice, carrier, 24)[0]
    spectrum = np.abs(np.fft.rfft(spoken[:SAMPLE_RATE]))
    assert spectrum.argmax() in (1000, 1200) and spectrum[2800:].max() < 0.05 * spectrum.max()
    assert (spoken[-SAMPLE_RATE // 2 :] ** 2).mean() < 1e-6 * (spoken[: SAMPLE_RATE // 2] ** 2).mean()
    assert 0.2 < (spoken[4096 : SAMPLE_RATE // 2] ** 2).mean() / (voice[0, : SAMPLE_RATE // 2] ** 2).mean() < 2.0


def test_a_drone_holds_few_lines_at_a_level_that_stays(shared_audio):
    for seed in range(4):
        audio = drone(np.random.default_rng(seed)).mean(0)[: 40 * SAMPLE_RATE]
        second = np.sort(
            np.abs(np.fft.rfft(audio[SAMPLE_RATE // 4 : 5 * SAMPLE_RATE // 4] * np.hanning(SAMPLE_RATE))) ** 2
        )
        assert second[-200:].sum() > 0.85 * second.sum()  # of 22051 bins
        level = 10.0 * np.log10((audio**2).reshape(400, -1).mean(1) + 1e-9)
        assert np.percentile(level, 75) - np.percentile(level, 25) < 8.0 and level.max() < 0.0
