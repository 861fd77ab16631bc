# SPDX-License-Identifier: MIT
"""Strides of a live stream that are computed together have the bits of strides one by one, for less work."""

import numpy as np
import pytest
from stemlane.engine.session import StatefulSession
from stemlane.engine.streaming import StreamingSeparator
from stemlane.engine.worker import Worker
from stemlane.errors import InputError
from support.tiny_models import build_model

RATE = 8000
STRIDE = 128  # of `build_model` at that rate


def music(num_samples, silences=()):
    samples = np.random.default_rng(num_samples).uniform(-0.5, 0.5, (2, num_samples)).astype(np.float32)
    for start, stop in silences:
        samples[:, start:stop] = 0
    return samples


def separate(separator, mixture, blocks):
    """The stems of all that comes in blocks of the lengths `blocks`, and the tail."""
    separator.reset()
    pieces, position = [], 0
    for block in blocks:
        pieces.append(separator.process(mixture[:, position : position + block]))
        position += block
        if position >= mixture.shape[1]:
            break
    return np.concatenate([*pieces, separator.finish()], axis=2)


def one_by_one(model, mixture, rate, stride):
    separator = StreamingSeparator(model, rate, len(mixture))
    assert separator.strides_at_once == 1
    return separate(separator, mixture, [stride] * (mixture.shape[1] // stride + 1))


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("model", ["live", "mix", "studio"])
def test_embedded_models_give_the_bits_of_single_strides_in_blocks_of_any_length(model, rate):
    mixture = music(rate + 4567)
    together = StreamingSeparator(model, rate, 2, strides_at_once=4)
    assert together.strides_at_once == 4
    expected = one_by_one(model, mixture, rate, together.manifest.stride_samples)
    assert np.abs(expected).max() > 0.01
    any_length = np.random.default_rng(5).integers(1, 5000, 1000)
    for blocks in ([64] * 1000, [512] * 1000, [4096] * 100, [len(mixture[0])], any_length):
        np.testing.assert_array_equal(separate(together, mixture, blocks), expected)


@pytest.mark.parametrize(
    "sizes",
    [{}, {"lookahead_frames": 0}],
    ids=["looks ahead", "two frames a step"],
)
@pytest.mark.parametrize("at_once", [2, 3, 4, 7])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_rests_and_memories_are_those_of_single_strides(tmp_path, sizes, at_once, num_channels):
    model = build_model(tmp_path, sample_rate=RATE, free_frames=True, **sizes)
    mixture = music(75000, [(0, 9000), (20001, 45017), (50000, 50100)])[:num_channels]
    together = StreamingSeparator(model, RATE, num_channels, strides_at_once=at_once)
    expected = one_by_one(model, mixture, RATE, together.manifest.stride_samples)
    any_length = np.random.default_rng(6).integers(0, 10 * STRIDE, 1000)
    for blocks in ([37] * 3000, any_length, [len(mixture[0])]):
        np.testing.assert_array_equal(separate(together, mixture, blocks), expected)


def test_a_focus_acts_on_the_strides_that_come_with_it(tmp_path):
    model = build_model(tmp_path, sample_rate=RATE, free_frames=True)
    mixture = music(8000)
    focuses = np.random.default_rng(7).integers(0, 3, (20, 4)).astype(np.float32) * 50
    results = []
    for at_once in (1, 4):
        separator = StreamingSeparator(model, RATE, 2, strides_at_once=at_once)
        pieces = []
        for number, focus in enumerate(focuses):
            separator.set_focus(focus)
            pieces.append(separator.process(mixture[:, 400 * number : 400 * (number + 1)]))
        results.append(np.concatenate([*pieces, separator.finish()], axis=2))
    np.testing.assert_array_equal(*results)


def test_the_network_runs_once_for_all(tmp_path, monkeypatch):
    runs = []
    run_size = StatefulSession.run_size
    monkeypatch.setattr(
        StatefulSession, "run_size", lambda session, size: runs.append(size.input.shape[3]) or run_size(session, size)
    )
    run = StatefulSession.run
    monkeypatch.setattr(StatefulSession, "run", lambda session: runs.append("single") or run(session))
    worker = Worker(str(build_model(tmp_path, sample_rate=RATE, free_frames=True)), RATE, 2, 3)
    assert worker.strides_at_once == 3
    frames = worker._separator.manifest.settings.frames_per_step
    runs.clear()
    for strides in (3, 3, 1, 2):
        worker.process(music(strides * STRIDE))
    assert runs == [3 * frames, 3 * frames, "single", 2 * frames]


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"free_frames": True, "lookahead_frames": 0, "interleaved_states": 2},
        {"free_frames": True, "frames_per_step": 1, "lookahead_frames": 0, "interleaved_states": 3},
    ],
    ids=["fixed", "two memories, two frames each", "three memories, a frame each"],
)
def test_other_networks_take_a_stride_at_a_time(tmp_path, model):
    """Memories that take turns see one stride each, so nothing is won by a wait."""
    separator = StreamingSeparator(build_model(tmp_path, sample_rate=RATE, **model), RATE, 2, strides_at_once=4)
    assert separator.strides_at_once == 1


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "3", None, True, 10**7])
def test_a_number_of_strides_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match=r"strides_at_once is .*, should be 1 to 64"):
        StreamingSeparator("mix", RATE, 2, strides_at_once=wrong)
