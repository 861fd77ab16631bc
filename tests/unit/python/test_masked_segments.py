# SPDX-License-Identifier: MIT
"""Segment models: the original's result for whole segments, shorter windows, the right place, the right cost."""

import re

import numpy as np
import pytest
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ManifestError
from stemlane.manifests.model import load_manifest
from support.tiny_models import change_manifest
from support.tiny_spleeter import FFT, HOP, REACH_FRAMES, build_spleeter, slow_separation

# float32 transforms and sums of values up to 1
TOLERANCE = 3e-6
SHORT = [
    {"segment_frames": 64, "stride_frames": 32, "crossfade_frames": 8},
    {"segment_frames": 64, "stride_frames": 27, "crossfade_frames": 0},
    {"segment_frames": 128, "stride_frames": 64, "crossfade_frames": 1},
]


def noise(num_samples: int, num_channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(num_samples)
    return rng.uniform(-0.5, 0.5, (num_channels, num_samples)).astype(np.float32)


@pytest.mark.parametrize("num_samples", [1, 127, 4000, 63 * HOP - FFT, 64 * HOP, 3 * 64 * HOP + 77])
@pytest.mark.parametrize("mask_extension", ["zeros", "average"])
def test_whole_segments_are_the_originals(tmp_path, num_samples, mask_extension):
    model = build_spleeter(tmp_path, mask_extension=mask_extension)
    mixture = noise(num_samples)
    stems = Separator(model).separate(mixture, 44100)
    expected = slow_separation(
        mixture, segment_frames=64, network_bins=192, mask_extension=mask_extension, steepness=1.0, num_masks=2
    )
    for stem, values in zip(("vocals", "drums"), expected, strict=True):
        np.testing.assert_allclose(stems[stem], values, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(stems["other"], mixture - expected.sum(axis=0), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("window", SHORT, ids=str)
def test_short_windows_equal_one_whole_where_the_context_covers_the_reach(tmp_path, window):
    model = build_spleeter(tmp_path, **window)
    settings = load_manifest(model).settings
    assert min(settings.context_before_frames, settings.context_after_frames) >= REACH_FRAMES
    mixture = noise(30000)
    stems = Separator(model).separate(mixture, 44100)
    expected = slow_separation(  # one segment holds everything: no seam anywhere
        mixture, segment_frames=1024, network_bins=192, mask_extension="zeros", steepness=1.0, num_masks=2
    )
    np.testing.assert_allclose(stems["vocals"], expected[0], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(stems["drums"], expected[1], rtol=0, atol=TOLERANCE)


def test_masks_are_blended_where_segments_disagree(tmp_path):
    # Without context, frames at a segment's edge lack neighbours: their masks differ, the blend lies between.
    whole = build_spleeter(tmp_path, name="hard", stride_frames=64, steepness=0.1)
    soft = build_spleeter(tmp_path, name="soft", stride_frames=56, crossfade_frames=8, steepness=0.1)
    assert load_manifest(soft).settings.context_before_frames == 0
    mixture = np.ones((2, 40000), np.float32)  # a steady signal: steps come from seams alone
    steps = {}
    for model in (whole, soft):
        stem = Separator(model).separate(mixture, 44100)["vocals"][0, 4000:36000]
        steps[model.name] = np.abs(np.diff(stem)).max()
    assert steps["soft"] < 0.7 * steps["hard"]


@pytest.mark.parametrize("window", [{}, *SHORT], ids=str)
def test_stems_lie_where_the_mixture_lies(tmp_path, window):
    model = build_spleeter(tmp_path, steepness=0, mask_extension="average", **window)
    manifest = load_manifest(model)
    separator = StreamingSeparator(manifest, 44100, 2)
    mixture = np.zeros((2, 40000), np.float32)
    mixture[:, 20001] = 1
    first = separator.process(mixture)
    # What has come out is what the delay and whole strides promise, no sample less.
    strides = 40000 // manifest.stride_samples
    assert first.shape[2] == strides * manifest.stride_samples - manifest.delay_samples
    stems = np.concatenate([first, separator.finish()], axis=2)
    np.testing.assert_allclose(stems[0], mixture, atol=TOLERANCE)
    np.testing.assert_allclose(stems[1], 0.5 * mixture, atol=TOLERANCE)


def test_blocks_do_not_matter_and_reset_forgets(tmp_path):
    separator = StreamingSeparator(build_spleeter(tmp_path, **SHORT[0]), 48000, 1)
    mixture = noise(50000, 1)
    whole = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    separator.reset()
    cuts = np.sort(np.random.default_rng(3).integers(0, 50000, 40))
    pieces = [separator.process(block) for block in np.split(mixture, cuts, axis=1)]
    np.testing.assert_array_equal(np.concatenate([*pieces, separator.finish()], axis=2), whole)
    assert whole.shape == (2, 1, 50000)


def test_silence_needs_no_network(tmp_path, monkeypatch):
    separator = StreamingSeparator(build_spleeter(tmp_path), 44100, 2)
    runs = []
    original = separator._model.front_end._session.run
    monkeypatch.setattr(separator._model.front_end._session, "run", lambda: runs.append(1) or original())
    mixture = np.concatenate([np.zeros((2, 20000)), noise(100), np.zeros((2, 30000))], axis=1)
    stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    assert len(runs) == 1
    assert not stems[:, :, : 20000 - FFT].any() and stems[:, :, 20000:20100].any()


def test_latency_and_cost_of_the_windows(tmp_path):
    whole = load_manifest(build_spleeter(tmp_path, name="whole")).settings
    assert (whole.stride_samples, whole.delay_samples, whole.relative_cost) == (64 * HOP, FFT, 1)
    short = load_manifest(build_spleeter(tmp_path, name="short", **SHORT[0])).settings
    assert (short.context_before_frames, short.context_after_frames, short.relative_cost) == (12, 12, 2)
    assert short.delay_samples == FFT + (12 + 8) * HOP


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("hop_samples", 256, "fft_samples is 512, should be 4 times hop_samples = 256"),
        ("segment_frames", 100, "segment_frames is 100, should be a multiple of 64"),
        ("network_bins", 100, "network_bins is 100, should be a multiple of 64"),
        ("network_bins", 320, "network_bins is 320, should be from 64 to 256"),
        ("stride_frames", 65, "stride_frames is 65, should be from 1 to 64"),
        ("crossfade_frames", 1, "crossfade_frames is 1, should be from 0 to 0"),
        ("mask_extension", '"mirror"', "mask_extension is 'mirror', should be one of: zeros, average"),
    ],
)
def test_manifests_that_cannot_be(tmp_path, key, value, words):
    folder = build_spleeter(tmp_path)
    change_manifest(folder, key, value)
    with pytest.raises(ManifestError, match=re.escape(words)):
        load_manifest(folder)
