# SPDX-License-Identifier: MIT
"""The Wiener filter against its formulas, bin by bin, and in live streams, where it knows a segment alone."""

import numpy as np
import pytest
from stemlane.engine.separator import Separator
from stemlane.engine.spectral.wiener import refined
from stemlane.engine.streaming import StreamingSeparator
from stemlane.manifests.model import load_manifest
from support.slow_wiener import slow_wiener_separation, slowly_refined
from support.tiny_spleeter import build_spleeter

NUM_STEMS, NUM_FRAMES, NUM_BINS = 3, 37, 5
BLEND_TOLERANCE = 3e-6  # of full scale: float32 transforms and sums of values up to 1


def spectra(seed: int, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


@pytest.mark.parametrize("level", [1e-3, 1, 300])
@pytest.mark.parametrize("iterations, epsilon", [(1, 1e-10), (2, 1e-10), (1, 1.2e-7), (0, 1e-10)])
def test_the_formulas(iterations, epsilon, level):
    estimates = level * spectra(7, NUM_STEMS, 2, NUM_FRAMES, NUM_BINS)
    estimates[1] *= 0.1
    mixture = estimates.sum(axis=0) + level * 0.1 * spectra(8, 2, NUM_FRAMES, NUM_BINS)
    found = refined(mixture, estimates, iterations=iterations, epsilon=epsilon)
    expected = slowly_refined(mixture, estimates, iterations, epsilon)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * level)  # complex64 in and out


def test_silence_and_one_channel_alone_stay_finite():
    mixture = np.zeros((2, NUM_FRAMES, NUM_BINS), np.complex64)
    estimates = np.zeros((NUM_STEMS, 2, NUM_FRAMES, NUM_BINS), np.complex64)
    assert not refined(mixture, estimates, iterations=2, epsilon=1e-10).any()
    mixture[0], estimates[:, 0] = 3, 1
    found = refined(mixture, estimates, iterations=2, epsilon=1e-10)
    assert not found[:, 1].any()
    np.testing.assert_allclose(found[:, 0], 1, rtol=0, atol=1e-4)  # a third each; the floor takes the rest


def noise(num_samples: int) -> np.ndarray:
    return np.random.default_rng(num_samples).uniform(-0.5, 0.5, (2, num_samples)).astype(np.float32)


@pytest.mark.parametrize("window", [{}, {"stride_frames": 32, "crossfade_frames": 8}], ids=["whole", "short"])
def test_a_stems_share_is_the_same_where_it_is_spread_like_the_mixture(tmp_path, window):
    """Constant masks: every stem is spread as the mixture is, so that the filter only takes away the floor."""
    for live in (False, True):
        model = build_spleeter(tmp_path / str(live), steepness=0, wiener_iterations=1, **window)
        mixture = noise(30000)
        if live:
            separator = StreamingSeparator(model, 44100, 2)
            stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
        else:
            stems = np.stack([Separator(model).separate(mixture, 44100)[stem] for stem in ("vocals", "drums")])
        banded = Separator(build_spleeter(tmp_path / f"plain{live}", steepness=0)).separate(mixture, 44100)
        # Magnitudes 1, 1/2 and 1/3 of the mixture's; powers 1, 1/4 and 1/9 of it.
        for stem, share in zip(stems, (36 / 49, 9 / 49), strict=True):
            np.testing.assert_allclose(stem, share * banded["vocals"], rtol=0, atol=2e-3)


@pytest.mark.parametrize("live", [False, True], ids=["recording", "live"])
@pytest.mark.parametrize(
    "window", [{"stride_frames": 56, "crossfade_frames": 8}, {"stride_frames": 44, "crossfade_frames": 18}], ids=str
)
def test_segments_that_disagree_are_blended(tmp_path, window, live):
    """Masks and places change over time, so that a segment says something else of its end than the next one does."""
    num_samples = 12_000
    model = build_spleeter(tmp_path, wiener_iterations=1, network_bins=64, steepness=0.3, **window)
    time = np.arange(num_samples) / num_samples
    angles = np.pi * (1 + np.sin(2 * np.pi * 3 * time)) / 4
    mixture = noise(num_samples) * np.stack([np.cos(angles), np.sin(angles)]) * (0.1 + np.abs(np.sin(40 * time)))
    mixture = mixture.astype(np.float32)
    if live:
        separator = StreamingSeparator(model, 44100, 2)
        stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    else:
        found = Separator(model).separate(mixture, 44100)
        stems = np.stack([found["vocals"], found["drums"]])
    expected, unblended = (
        slow_wiener_separation(
            mixture, segment_frames=64, num_bins=64, steepness=0.3, num_stems=3, live=live, blends=blends, **window
        )
        for blends in (True, False)
    )
    assert np.abs(unblended - expected).max() > 100 * BLEND_TOLERANCE
    np.testing.assert_allclose(stems, expected, rtol=0, atol=BLEND_TOLERANCE)


def test_blocks_do_not_matter_and_reset_forgets(tmp_path):
    model = build_spleeter(tmp_path, wiener_iterations=1, stride_frames=32, crossfade_frames=8)
    separator = StreamingSeparator(model, 48000, 2)
    assert load_manifest(model).settings.wiener_iterations == 1 and not separator.needs_prescan
    mixture = noise(30001)
    whole = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    separator.reset()
    cuts = np.sort(np.random.default_rng(3).integers(0, 30001, 30))
    pieces = [separator.process(block) for block in np.split(mixture, cuts, axis=1)]
    np.testing.assert_array_equal(np.concatenate([*pieces, separator.finish()], axis=2), whole)


def test_a_second_recording_learns_anew(tmp_path):
    model = build_spleeter(tmp_path, wiener_iterations=1)
    used = Separator(model)
    used.separate(8 * noise(20000), 44100)
    again = used.separate(noise(25000), 44100)
    for stem, samples in Separator(model).separate(noise(25000), 44100).items():
        np.testing.assert_array_equal(again[stem], samples)


def test_the_floor_of_a_very_quiet_stem_follows_the_scale():
    estimates = 300 * spectra(9, NUM_STEMS, 2, NUM_FRAMES, NUM_BINS)
    estimates[1] *= 2e-5
    mixture = estimates.sum(axis=0)
    found = refined(mixture, estimates, iterations=1, epsilon=1.2e-7)[1]
    expected = slowly_refined(mixture, estimates, 1, 1.2e-7)[1]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
