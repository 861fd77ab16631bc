# SPDX-License-Identifier: MIT
"""Recordings run many steps of a streaming network at once, and the stems are the live ones, bit for bit."""

import numpy as np
import pytest
from stemlane.engine.session import StatefulSession
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ManifestError
from stemlane.manifests.model import load_manifest
from stemlane.manifests.registry import embedded_folder
from support.tiny_models import build_model, change_manifest

RATE = 8000


def separate(model, mixture, rate, *, whole):
    separator = StreamingSeparator(model, rate, 2, whole=whole)
    blocks = [mixture[:, start : start + 3000] for start in range(0, mixture.shape[1], 3000)]
    return np.concatenate([*map(separator.process, blocks), separator.finish()], axis=2)


def music(num_samples, silences=()):
    samples = np.random.default_rng(num_samples).uniform(-0.5, 0.5, (2, num_samples)).astype(np.float32)
    for start, stop in silences:
        samples[:, start:stop] = 0
    return samples


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("name", ["live", "mix", "studio", "tracking-fast"])
def test_embedded_models_give_a_recording_the_bits_of_a_stream(name, rate):
    mixture = music(3 * rate + 123)
    model = embedded_folder() / name
    assert load_manifest(model).settings.free_frames
    np.testing.assert_array_equal(
        separate(model, mixture, rate, whole=True), separate(model, mixture, rate, whole=False)
    )


@pytest.mark.parametrize(
    "sizes",
    [{}, {"lookahead_frames": 0}, {"frames_per_step": 1, "lookahead_frames": 0, "interleaved_states": 4}],
    ids=["looks ahead", "two frames a step", "interleaved"],
)
@pytest.mark.parametrize("rate", [RATE, 11025, 48000])
@pytest.mark.parametrize(
    "silences",
    [[], [(0, 30000)], [(9000, 9300)], [(20001, 45017)], [(5000, 28000), (31000, 60000)]],
    ids=["none", "at the start", "short", "long", "two, one to the end"],
)
def test_rests_lie_where_the_stream_has_them(tmp_path, sizes, rate, silences):
    model = build_model(tmp_path, sample_rate=RATE, free_frames=True, **sizes)
    mixture = music(60000 * rate // RATE, [(start * rate // RATE, stop * rate // RATE) for start, stop in silences])
    np.testing.assert_array_equal(
        separate(model, mixture, rate, whole=True), separate(model, mixture, rate, whole=False)
    )


def test_it_takes_fewer_runs_and_rests_in_silence(tmp_path, monkeypatch):
    runs = []
    for method in ("run", "run_size"):
        plain = getattr(StatefulSession, method)
        monkeypatch.setattr(
            StatefulSession, method, lambda session, *size, plain=plain: runs.append(1) or plain(session, *size)
        )
    model = build_model(tmp_path, sample_rate=RATE, free_frames=True)
    stride = 128
    separate(model, music(32 * stride * 10), RATE, whole=True)
    assert len(runs) == 12  # and the tail, and what brings the last stems out
    runs.clear()
    separate(model, music(100 * RATE, [(3 * RATE, 97 * RATE)]), RATE, whole=True)
    assert len(runs) < 2 * (8 * RATE) // stride  # without the rest it were 6250 steps


def test_other_networks_step_as_before(tmp_path):
    mixture = music(20000)
    for sizes in ({}, {"fade_in": True}):
        model = build_model(tmp_path, name=f"tiny{len(sizes)}", sample_rate=RATE, **sizes)
        assert not load_manifest(model).settings.free_frames
        np.testing.assert_array_equal(
            separate(model, mixture, RATE, whole=True), separate(model, mixture, RATE, whole=False)
        )


def test_free_frames_is_true_or_false(tmp_path):
    model = build_model(tmp_path)
    change_manifest(model, "free_frames", "1")
    with pytest.raises(ManifestError, match="free_frames is 1, should be true or false"):
        load_manifest(model)
