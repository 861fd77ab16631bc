# SPDX-License-Identifier: MIT
"""The Wiener filter against its formulas, bin by bin, and in live streams, where it knows a segment alone."""

import numpy as np
import pytest
from stemlane.engine.separator import Separator
from stemlane.engine.spectral.wiener import refined
from stemlane.engine.streaming import StreamingSeparator
from stemlane.manifests.model import load_manifest
from support.tiny_spleeter import build_spleeter

NUM_STEMS, NUM_FRAMES, NUM_BINS = 3, 37, 5


def spectra(seed: int, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


def slowly_refined(mixture, estimates, iterations, epsilon):
    """The same in loops over matrices, in float64."""
    scale = max(1, np.abs(mixture).max() / 10)
    mixture, estimates = mixture.astype(complex) / scale, estimates.astype(complex) / scale
    for _ in range(iterations):
        new = np.zeros_like(estimates)
        for frequency in range(mixture.shape[2]):
            covariances = []
            for stem in estimates[:, :, :, frequency]:
                outer = sum(np.outer(stem[:, frame], stem[:, frame].conj()) for frame in range(mixture.shape[1]))
                covariances.append(outer / (epsilon + (np.abs(stem) ** 2).mean(axis=0).sum()))
            for frame in range(mixture.shape[1]):
                powers = [(np.abs(stem[:, frame, frequency]) ** 2).mean() for stem in estimates]
                total = np.sqrt(epsilon) * np.eye(2) + sum(v * r for v, r in zip(powers, covariances, strict=True))
                for stem, (power, covariance) in enumerate(zip(powers, covariances, strict=True)):
                    gain = power * covariance @ np.linalg.inv(total)
                    new[stem, :, frame, frequency] = gain @ mixture[:, frame, frequency]
        estimates = new
    return estimates * scale


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
