# SPDX-License-Identifier: MIT
"""Streaming models rest in digital silence: the network is not run, and what is heard stays the same."""

import numpy as np
import pytest
from stemlane.engine.session import StatefulSession
from stemlane.engine.streaming import StreamingSeparator
from support.tiny_models import build_model

RATE = 8000  # a low rate keeps seconds of silence small


@pytest.fixture
def num_runs(monkeypatch):
    """Counts the steps of all networks."""
    count = [0]
    run = StatefulSession.run

    def counted(session):
        count[0] += 1
        return run(session)

    monkeypatch.setattr(StatefulSession, "run", counted)
    return count


def music_silence_music():
    noise = np.random.default_rng(61).uniform(-1, 1, (2, 6000)).astype(np.float32)
    return np.concatenate([noise[:, :3001], np.zeros((2, 80001), np.float32), noise[:, 3001:]], axis=1)


def separate(separator, mixture, block):
    pieces = [separator.process(mixture[:, i : i + block]) for i in range(0, mixture.shape[1], block)]
    return np.concatenate([*pieces, separator.finish()], axis=2)


@pytest.mark.parametrize("rate", [RATE, 11025])
def test_long_silence_costs_no_steps_and_changes_nothing(tmp_path, num_runs, rate):
    # The masks are known, so the stems are, with or without a rest.
    separator = StreamingSeparator(build_model(tmp_path, sample_rate=RATE), rate, 2)
    mixture = music_silence_music()
    num_runs[0] = 0
    stems = separate(separator, mixture, 1000)
    sounding = 6000 + 2 * rate  # what is not rest, in samples of the stream
    stride = 128 * rate / RATE
    # `finish` adds 4096 samples of silence.
    assert sounding / stride < num_runs[0] < (sounding + 4096) / stride + 20 < 0.6 * mixture.shape[1] / stride
    if rate == RATE:
        for stem, mask in enumerate((0.5, 0.25, 0.125)):
            np.testing.assert_allclose(stems[stem], mask * mixture, atol=1e-6)  # float32 transforms
    assert not stems[:, :, 3001 + 4096 : 83002 - 4096].any()


def test_a_rest_does_not_depend_on_how_the_stream_is_cut(tmp_path):
    separator = StreamingSeparator(build_model(tmp_path, sample_rate=RATE, fade_in=True), RATE, 2)
    mixture = music_silence_music()
    whole = separate(separator, mixture, mixture.shape[1])
    for block in (37, 4096):
        separator.reset()
        np.testing.assert_array_equal(separate(separator, mixture, block), whole)


def test_silence_from_the_start_rests_too_and_the_first_sound_is_in_place(tmp_path, num_runs):
    separator = StreamingSeparator(build_model(tmp_path, sample_rate=RATE), RATE, 1)
    mixture = np.zeros((1, 60000), np.float32)
    mixture[:, 50000] = 1
    num_runs[0] = 0
    stems = separate(separator, mixture, 512)
    assert num_runs[0] < 0.6 * 60000 / 128
    assert set(np.argmax(np.abs(stems), axis=2).ravel()) == {50000}


def test_a_network_that_makes_sound_of_silence_does_not_rest(tmp_path, num_runs, monkeypatch):
    separator = StreamingSeparator(build_model(tmp_path, sample_rate=RATE), RATE, 2)
    run = StatefulSession.run

    def humming(session):
        run(session)
        session.output[...] = 1
        return session.output

    monkeypatch.setattr(StatefulSession, "run", humming)
    num_runs[0] = 0
    stems = separate(separator, np.zeros((2, 40000), np.float32), 1000)
    assert num_runs[0] >= 40000 // 128
    assert stems[:, :, 20000:].any()
