# SPDX-License-Identifier: MIT
"""Frames that follow the host's rate: their lengths, what stays exact, and what the bins above the network's get."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stemlane.contract import FRAME_TOLERANCE
from stemlane.engine.streaming import StreamingSeparator
from stemlane.manifests.model import load_manifest
from stemlane.manifests.rates import frame_samples
from stemlane.mix import _core
from support.tiny_models import build_model

USUAL_RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 176400, 192000, 384000)
ODD_RATES = (8001, 12345, 23456.7, 37800, 44056, 47952.047952, 50000, 66150, 123457, 352800)
ROUNDING = 1e-6  # float32 transforms of signals of unit size


@pytest.mark.parametrize("rate", USUAL_RATES)
def test_bins_lie_where_the_models_do(rate):
    assert abs(frame_samples(4096, 44100, rate) * 44100 / (4096 * rate) - 1) <= FRAME_TOLERANCE


def test_how_far_bins_may_lie_from_the_models():
    """What docs/performance.md says of 4096 at 44.1 kHz."""

    def miss(rate):
        return abs(frame_samples(4096, 44100, rate) * 44100 / (4096 * rate) - 1)

    low = {rate: miss(rate) for rate in range(8000, 16600)}
    assert max(low, key=low.get) == 8032 and 0.00266 < low[8032] < 0.00267
    assert max(rate for rate in low if low[rate] > FRAME_TOLERANCE) == 16516
    assert max(miss(rate) for rate in range(16600, 384001, 61)) <= FRAME_TOLERANCE


@settings(max_examples=500)
@given(fft=st.sampled_from((256, 2048, 4096, 6144)), rate=st.floats(8000, 384000))
def test_the_core_computes_the_same_lengths(fft, rate):
    found = frame_samples(fft, 44100, rate)
    _, library = _core.load()
    assert library.stemlane_frame_samples(fft, 44100, rate) == found
    assert found % 4 == 0
    nearest = 2 * 44100 / (fft * rate)  # of multiples of 4
    assert abs(found * 44100 / (fft * rate) - 1) <= max(FRAME_TOLERANCE, nearest) * (1 + 1e-12)


def test_the_fastest_transform_in_reach_is_taken():
    # 4458 and 4460 lie nearer to 4458.2, but hold the primes 743 and 223.
    assert frame_samples(4096, 44100, 48000) == 4464 == 2**4 * 9 * 31
    assert frame_samples(4096, 44100, 44100) == 4096


@pytest.mark.parametrize("rate", USUAL_RATES + ODD_RATES)
@pytest.mark.parametrize("windows", [{}, {"synthesis_samples": 96, "hop_samples": 64}])
def test_constant_masks_give_scaled_copies_in_place(tmp_path, rate, windows):
    """Exact at every rate, bins above the network's included: their mask is that of its highest bins."""
    model = build_model(tmp_path, masks=(0.5, 0.25), stems=("vocals", "drums", "other"), **windows)
    separator = StreamingSeparator(model, rate, 2)
    mixture = np.random.default_rng(31).uniform(-1, 1, (2, 6000)).astype(np.float32)
    stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    np.testing.assert_allclose(stems, np.stack([0.5 * mixture, 0.25 * mixture]), rtol=0, atol=ROUNDING)


def tone(rate: float, frequency: float, num_samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * frequency / rate * np.arange(num_samples))


@pytest.mark.parametrize("rate", [48000, 96000, 192000])
def test_masks_keep_their_frequencies(tmp_path, rate):
    """Below 5 kHz all is vocals, above 15 kHz all is drums; above 22.05 kHz, which the network never heard, too."""
    fft = 1024
    frequencies = np.arange(fft // 2 + 1) * 44100 / fft
    masks = (frequencies < 5000).astype(np.float32), (frequencies > 15000).astype(np.float32)
    model = build_model(
        tmp_path, masks=masks, stems=("vocals", "drums", "other"), fft_samples=fft, synthesis_samples=fft,
        hop_samples=256, lookahead_frames=2, frames_per_step=1,
    )  # fmt: skip
    num_samples = rate // 2
    parts = [tone(rate, 1000, num_samples), tone(rate, 17000, num_samples), tone(rate, 10000, num_samples)]
    if rate > 48000:
        parts[1] += tone(rate, 30000, num_samples)
    mixture = np.stack([sum(parts)] * 2).astype(np.float32) / 4
    separator = StreamingSeparator(model, rate, 2)
    stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    inner = slice(num_samples // 4, -num_samples // 4)  # tones that begin and end suddenly have other frequencies, too
    np.testing.assert_allclose(stems[0, 0, inner], parts[0][inner] / 4, rtol=0, atol=2e-3)  # -54 dB: side lobes
    np.testing.assert_allclose(stems[1, 0, inner], parts[1][inner] / 4, rtol=0, atol=2e-3)


@pytest.mark.parametrize("rate", [8000, 48000, 96000])
def test_a_manifest_says_what_its_model_is_at_a_rate(tmp_path, rate):
    manifest = load_manifest(build_model(tmp_path, fft_samples=4096, synthesis_samples=1536, hop_samples=1024))
    there = manifest.at_rate(rate)
    fft = frame_samples(4096, 44100, rate)
    assert there.sample_rate == rate and there.settings.fft_samples == fft and there.settings.num_bins == fft // 2 + 1
    assert there.settings.network_bins == 2049 and there.settings.spectral_gain == 4096 / fft
    hop = fft // 4
    assert (there.stride_samples, there.delay_samples) == (2 * hop, hop // 2 + hop)
    assert manifest.at_rate(44100) is manifest
