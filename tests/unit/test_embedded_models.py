# SPDX-License-Identifier: MIT
"""The trained models that come with the package: whole, within their latency, silent in silence."""

import numpy as np
import pytest
from stemlane.manifest import load_manifest
from stemlane.registry import embedded_folder, verify_model
from stemlane.separator import Separator


@pytest.fixture(params=["mix", "live"])
def manifest(request):
    return load_manifest(embedded_folder() / request.param)


def test_files_are_whole_and_small(manifest):
    verify_model(manifest)
    assert sum((manifest.folder / entry.path).stat().st_size for entry in manifest.files) < 20e6  # both under 40 MB


def test_latency_budget(manifest):
    fade_reserve = 64  # samples the core adds, see cpp/latency.h
    total = manifest.delay_samples + manifest.stride_samples + manifest.compute_allowance_samples + fade_reserve
    milliseconds = 1000 * total / manifest.sample_rate
    assert milliseconds <= {"mix": 250, "live": 60}[manifest.name]


def test_four_stems_that_sum_to_the_mixture_and_are_silent_in_silence(manifest):
    assert set(manifest.stems) == {"vocals", "drums", "bass", "other"} and manifest.residual == "other"
    mixture = np.random.default_rng(47).uniform(-0.5, 0.5, (2, 30000)).astype(np.float32)
    mixture[:, :15000] = 0
    stems = Separator(manifest).separate(mixture, 44100)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)  # float32 sums of four
    before = 15000 - manifest.settings.fft_samples
    assert not any(stem[:, :before].any() for stem in stems.values())
    assert any(stem[:, 20000:].any() for stem in stems.values())
