# SPDX-License-Identifier: MIT
"""STFT against a slow reference and closed forms. Tolerances are relative to signals of about unit size."""

import numpy as np
import pytest
from stemlane.engine.spectral.stft import StftAnalysis, StftSynthesis, analysis_window, synthesis_window
from support import slow_stft

SIZES = [(64, 64, 16), (64, 64, 32), (64, 32, 16), (64, 32, 8), (48, 24, 6), (64, 24, 16), (64, 20, 16)]
REAL_SIZES = [(2048, 2048, 512), (2048, 1024, 512), (4096, 4096, 1024), (4096, 1024, 512), (4096, 1536, 1024)]
DOUBLE = 1e-14  # a few roundings of float64


@pytest.mark.parametrize("fft, synthesis, hop", SIZES + REAL_SIZES)
def test_windows_are_those_of_the_paper(fft, synthesis, hop):
    np.testing.assert_allclose(
        analysis_window(fft, synthesis, hop), slow_stft.analysis_window(fft, synthesis, hop), atol=DOUBLE
    )
    # At the end of the rise of a short window, sine / sine amplifies rounding: 1e-12.
    np.testing.assert_allclose(
        synthesis_window(fft, synthesis, hop), slow_stft.synthesis_window(fft, synthesis, hop), atol=1e-12
    )


@pytest.mark.parametrize("fft", [64, 2048])
def test_equal_sizes_give_square_root_hann_pair(fft):
    expected = np.sin(np.pi * np.arange(fft) / fft)
    np.testing.assert_allclose(analysis_window(fft, fft, fft // 2), expected, atol=DOUBLE)
    np.testing.assert_allclose(synthesis_window(fft, fft, fft // 2), expected, atol=DOUBLE)


@pytest.mark.parametrize("fft, synthesis, hop", SIZES + REAL_SIZES)
def test_products_of_windows_sum_to_one(fft, synthesis, hop):
    product = analysis_window(fft, synthesis, hop) * synthesis_window(fft, synthesis, hop)
    assert not product[: fft - synthesis].any()
    total = np.pad(product, (-fft % hop, 0)).reshape(-1, hop).sum(axis=0)
    np.testing.assert_allclose(total, 1, atol=DOUBLE)


@pytest.mark.parametrize("fft, synthesis, hop", SIZES)
def test_spectra_match_fourier_sums(fft, synthesis, hop):
    samples = np.random.default_rng(3).standard_normal((2, 6 * hop))
    analysis = StftAnalysis(
        analysis_window(fft, synthesis, hop), hop_samples=hop, num_channels=2, num_frames=3, dtype=np.float64
    )
    spectra = np.concatenate([analysis.process(samples[:, : 3 * hop]), analysis.process(samples[:, 3 * hop :])], axis=1)
    window = slow_stft.analysis_window(fft, synthesis, hop)
    for channel in range(2):
        for frame in range(6):
            expected = slow_stft.spectrum(samples[channel], (frame + 1) * hop - 1, window)
            np.testing.assert_allclose(spectra[channel, frame], expected, atol=1e-12)  # 64 products of unit size


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 5e-15), (np.float32, 2e-6)])
@pytest.mark.parametrize("num_frames", [1, 4])
@pytest.mark.parametrize("fft, synthesis, hop", SIZES + REAL_SIZES)
def test_round_trip_returns_the_input_late_by_the_overlap(fft, synthesis, hop, num_frames, dtype, tolerance):
    steps = {"hop_samples": hop, "num_frames": num_frames, "dtype": dtype}
    analysis = StftAnalysis(analysis_window(fft, synthesis, hop), **steps, num_channels=2)
    back = StftSynthesis(synthesis_window(fft, synthesis, hop), **steps, synthesis_samples=synthesis, lead_shape=(2,))
    stride = hop * num_frames
    samples = np.random.default_rng(5).standard_normal((2, 24 * stride)).astype(dtype)
    out = np.concatenate(
        [back.process(analysis.process(samples[:, i : i + stride])) for i in range(0, 24 * stride, stride)], axis=1
    )
    assert out.dtype == dtype
    delay = synthesis - hop
    assert not np.abs(out[:, :delay]).max(initial=0) > tolerance
    np.testing.assert_allclose(
        out[:, delay:], samples[:, : 24 * stride - delay], atol=tolerance * np.abs(samples).max()
    )


def test_silence_stays_exactly_silent_and_reset_forgets():
    sizes = 64, 32, 16
    steps = {"hop_samples": 16, "num_frames": 2}
    analysis = StftAnalysis(analysis_window(*sizes), **steps, num_channels=1)
    back = StftSynthesis(synthesis_window(*sizes), **steps, synthesis_samples=32, lead_shape=(1,))
    silence = np.zeros((1, 32), np.float32)
    assert not back.process(analysis.process(silence)).any()
    assert back.process(analysis.process(silence + 1)).any()
    analysis.reset()
    back.reset()
    for _ in range(3):
        assert not back.process(analysis.process(silence)).any()
