# SPDX-License-Identifier: MIT
"""MDX-Net models: the original's result, slowly computed; the right place and length; what manifests cannot be."""

import re

import numpy as np
import pytest
from stemlane.engine.separator import Separator
from stemlane.engine.session import SegmentSession
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ManifestError
from stemlane.manifests.model import load_manifest
from support.tiny_mdx import FFT, SEGMENT, build_mdx, slow_separation
from support.tiny_models import change_manifest

INNER = SEGMENT - FFT
# Of a stem of size 1: float32 transforms and a float32 network against float64. The project promises 1e-4.
TOLERANCE = 1e-5


def noise(num_samples: int, num_channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(num_samples)
    return rng.uniform(-0.5, 0.5, (num_channels, num_samples)).astype(np.float32)


@pytest.mark.parametrize("num_samples", [1, 200, INNER, 2 * INNER - FFT // 2 + 3, 2 * INNER - 1, 3 * INNER + 77])
def test_whole_recordings_are_the_originals(tmp_path, num_samples):
    mixture = noise(num_samples)
    found = Separator(build_mdx(tmp_path)).separate(mixture, 44100)
    expected = slow_separation(mixture, stride=INNER, hann=True, compensation=1.03)
    np.testing.assert_allclose(found["vocals"], expected, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(found["other"], mixture - expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", [
    {"stride_samples": INNER, "weights": '"flat"'},
    {"stride_samples": SEGMENT * 3 // 4},
    {"stride_samples": SEGMENT // 4},
    {"both_signs": "true"},
], ids=str)  # fmt: skip
def test_other_ways_of_joining_and_both_signs(tmp_path, case):
    mixture = noise(2000)
    found = Separator(build_mdx(tmp_path, **case)).separate(mixture, 44100)["vocals"]
    expected = slow_separation(
        mixture, stride=case.get("stride_samples", INNER), hann="weights" not in case, compensation=1.03,
        both_signs="both_signs" in case)  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


def test_an_instrumental_networks_residual_is_the_voice(tmp_path):
    model = build_mdx(tmp_path, stems=("vocals", "other"), residual="vocals")
    mixture = noise(1500)
    found = Separator(model).separate(mixture, 44100)
    expected = slow_separation(mixture, stride=INNER, hann=True, compensation=1.03)
    assert list(found) == ["vocals", "other"]
    np.testing.assert_allclose(found["other"], expected, rtol=0, atol=TOLERANCE)


LIVE = [
    {},
    {"stride_samples": INNER, "weights": '"flat"'},
    {"stride_samples": INNER // 4, "weights": '"flat"', "crossfade_samples": 100},
]


@pytest.mark.parametrize("case", LIVE, ids=str)
def test_a_live_stream_comes_as_late_as_stated_and_equals_a_recording_that_began_earlier(tmp_path, case):
    """A stream's segments lie otherwise than a recording's: as if silence had come before."""
    model = build_mdx(tmp_path, **case)
    manifest = load_manifest(model)
    edge = FFT // 2 + case.get("crossfade_samples", 0)
    assert manifest.delay_samples == (edge if case else SEGMENT - manifest.stride_samples)
    separator = StreamingSeparator(manifest, 44100, 2)
    mixture = noise(6000)
    first = separator.process(mixture)
    strides = 6000 // manifest.stride_samples
    assert first.shape[2] == strides * manifest.stride_samples - manifest.delay_samples
    live = np.concatenate([first, separator.finish()], axis=2)[0]
    assert live.shape == mixture.shape
    separator.reset()
    cuts = np.sort(np.random.default_rng(3).integers(0, 6000, 40))
    pieces = [separator.process(block) for block in np.split(mixture, cuts, axis=1)]
    np.testing.assert_array_equal(np.concatenate([*pieces, separator.finish()], axis=2)[0], live)
    stride = manifest.stride_samples
    # So that the recording's segments, the first of which starts half a transform before it, lie where the stream's do.
    num_before = 3 * stride - (FFT // 2 - SEGMENT) % stride + SEGMENT // stride * stride
    longer = np.concatenate([np.zeros((2, num_before), np.float32), mixture], axis=1)
    whole = Separator(model).separate(longer, 44100)["vocals"][:, num_before:]
    num_same = 6000 - (0 if case else SEGMENT)  # the original's last segments are cut off, a stream's are not
    np.testing.assert_array_equal(live[:, :num_same], whole[:, :num_same])


def test_silence_stays_silence_and_needs_no_network(tmp_path, monkeypatch):
    separator = StreamingSeparator(build_mdx(tmp_path), 44100, 2)
    runs = []
    original = SegmentSession.run
    monkeypatch.setattr(SegmentSession, "run", lambda session: runs.append(1) or original(session))
    mixture = np.concatenate([np.zeros((2, 4000)), noise(50), np.zeros((2, 4000))], axis=1)
    stem = np.concatenate([separator.process(mixture), separator.finish()], axis=2)[0]
    assert len(runs) in (1, 2, 3)
    assert not stem[:, : 4000 - 2 * SEGMENT].any() and stem[:, 4000:4050].any() and not stem[:, -1000:].any()


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("fft_samples", 383, "fft_samples is 383, should be even"),
        ("segment_frames", 7, "segment_frames is 7: 384 samples, should be more than fft_samples = 384"),
        ("network_bins", 200, "network_bins is 200, should be from 1 to 193"),
        ("weights", '"sharp"', "weights is 'sharp', should be one of: hann, flat"),
        ("stride_samples", SEGMENT, f"stride_samples is {SEGMENT}, should be from 1 to {SEGMENT - 1}"),
        ("crossfade_samples", 1, "crossfade_samples is 1, should be from 0 to 0"),
        ("compensation", 0, "compensation is 0, should be from 0.01 to 100"),
        ("compensation", '"much"', "compensation is 'much', should be a number from 0.01 to 100"),
        ("both_signs", 1, "both_signs is 1, should be true or false"),
        ("stems", '["vocals", "drums", "other"]', "stems should be two for the kind mdx"),
    ],
)
def test_manifests_that_cannot_be(tmp_path, key, value, words):
    folder = build_mdx(tmp_path)
    change_manifest(folder, key, value)
    with pytest.raises(ManifestError, match=re.escape(words)):
        load_manifest(folder)
