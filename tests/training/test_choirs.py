# SPDX-License-Identifier: MIT
"""Voices without words: the stretched voice keeps its spectrum, tracks are the same by seed."""

import numpy as np

from models.training.choirs import make_track, stretched
from models.training.spectral import SAMPLE_RATE


def test_stretching_keeps_pitch_and_level():
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = np.stack([np.sin(2 * np.pi * 440 * time)] * 2).astype(np.float32)
    slow = stretched(np.random.default_rng(1), tone, 4.0, 0.2)
    assert 3.5 * SAMPLE_RATE < slow.shape[1] < 5.0 * SAMPLE_RATE
    middle = slow[0, SAMPLE_RATE:2 * SAMPLE_RATE]
    assert abs(int(np.abs(np.fft.rfft(middle)).argmax()) - 440) <= 3
    assert abs(float(np.sqrt((middle ** 2).mean())) / np.sqrt(0.5) - 1.0) < 0.25


def test_a_track_is_the_same_by_seed(shared_audio):
    for seed in (0, 2):  # a choir and a texture
        first, again = make_track(seed), make_track(seed)
        assert np.array_equal(first, again) and 0.02 < np.abs(first).max() <= 0.5
