# SPDX-License-Identifier: MIT
"""The transform of the training against sums written out, and against what the windows promise."""

import numpy as np
import pytest

from models.training.network.spectral import NUM_GROUPS, StftConfig, group_of_bin, group_sum, istft, stft, window_pair

SIZES = [
    StftConfig(64, 64, 16),
    StftConfig(64, 64, 32),
    StftConfig(64, 32, 16),
    StftConfig(64, 24, 16),
    StftConfig(4096, 1024, 512),
    StftConfig(4096, 1536, 1024),
]


@pytest.mark.parametrize("config", SIZES, ids=str)
def test_windows_overlap_to_one(config):
    analysis, synthesis = window_pair(config)
    product = (analysis.astype(np.float64) * synthesis).reshape(-1, config.hop_samples)
    np.testing.assert_allclose(product.sum(0), 1.0, atol=2e-7)  # float32 windows


@pytest.mark.parametrize("config", SIZES[:4], ids=str)
def test_spectra_equal_the_sum_written_out(config):
    audio = np.random.default_rng(1).standard_normal(200).astype(np.float32)
    spectra = stft(audio, config)
    analysis, _ = window_pair(config)
    size, hop = config.fft_samples, config.hop_samples
    for frame in (0, 1, len(spectra) - 1):
        expected = np.zeros(config.num_bins, complex)
        for n in range(size):
            position = (frame + 1) * hop - size + n  # frame k ends at sample (k + 1) hop - 1
            if position >= 0:
                turns = np.arange(config.num_bins) * n / size
                expected += analysis[n] * audio[position] * np.exp(-2j * np.pi * turns)
        np.testing.assert_allclose(spectra[frame], expected, atol=2e-5)  # float32 FFT of values near 1


@pytest.mark.parametrize("config", SIZES, ids=str)
def test_synthesis_gives_back_the_audio(config):
    audio = np.random.default_rng(2).standard_normal((2, 30 * config.hop_samples)).astype(np.float32)
    final = audio.shape[1] - (config.synthesis_samples - config.hop_samples)
    back = istft(stft(audio, config), config)
    np.testing.assert_allclose(back[:, :final], audio[:, :final], atol=2e-5)  # float32


def test_group_sums_count_every_bin_once():
    values = np.random.default_rng(3).random((2, 2049)).astype(np.float32)
    index = group_of_bin(2049)
    expected = np.zeros((2, NUM_GROUPS))
    for bin_number in range(2049):
        expected[:, index[bin_number]] += values[:, bin_number]
    np.testing.assert_allclose(group_sum(values), expected, rtol=1e-5)  # float32 sums
    assert index[0] == 0 and index[-1] == NUM_GROUPS - 1
