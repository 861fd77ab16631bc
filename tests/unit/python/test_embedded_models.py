# SPDX-License-Identifier: MIT
"""The trained models that come with the package: whole, within their latency, silent in silence."""

import numpy as np
import pytest
from stemlane.engine.separator import Separator
from stemlane.manifests.integrity import verify_model
from stemlane.manifests.model import load_manifest
from stemlane.manifests.registry import embedded_folder, find_model


@pytest.fixture(params=["studio", "mix", "live", "tracking", "tracking-fast"])
def manifest(request):
    return load_manifest(embedded_folder() / request.param)


def test_the_largest_is_the_default_of_files():
    assert find_model("default").name == "studio"


def test_files_are_whole_and_small(manifest):
    verify_model(manifest)
    assert sum((manifest.folder / entry.path).stat().st_size for entry in manifest.files) < 20e6  # both under 40 MB


def test_latency_budget(manifest):
    milliseconds = 1000 * manifest.latency_samples / manifest.sample_rate
    limits = {"studio": 250, "mix": 250, "live": 60, "tracking": 36.3, "tracking-fast": 18.9}
    assert milliseconds <= limits[manifest.name]


def test_tracking_runs_the_network_of_live():
    """Four memories at a quarter of the hop: everything else is that of live."""
    live = load_manifest(embedded_folder() / "live")
    for name in ("tracking", "tracking-fast"):
        manifest = load_manifest(embedded_folder() / name)
        assert manifest.files == live.files and manifest.version == live.version
        assert manifest.settings.interleaved_states * manifest.settings.hop_samples == live.settings.hop_samples


def test_four_stems_that_sum_to_the_mixture_and_are_silent_in_silence(manifest):
    assert set(manifest.stems) == {"vocals", "drums", "bass", "other"} and manifest.residual == "other"
    mixture = np.random.default_rng(47).uniform(-0.5, 0.5, (2, 30000)).astype(np.float32)
    mixture[:, :15000] = 0
    stems = Separator(manifest).separate(mixture, 44100)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)  # float32 sums of four
    before = 15000 - manifest.settings.fft_samples
    assert not any(stem[:, :before].any() for stem in stems.values())
    assert any(stem[:, 20000:].any() for stem in stems.values())


@pytest.fixture
def hits(manifest):
    """Loud bursts of noise over a soft chord, separated: the mixture and stems around each burst, (bursts, samples)."""
    rate, rng = 44100, np.random.default_rng(48)
    time = np.arange(4 * rate) / rate
    mono = 0.03 * sum(np.sin(2 * np.pi * frequency * time) for frequency in (220.0, 277.2, 329.6, 440.0))
    starts = range(rate, 7 * rate // 2, rate // 2)
    for start in starts:
        mono[start : start + rate // 4] += 0.5 * np.exp(-time[: rate // 4] / 0.03) * rng.standard_normal(rate // 4)
    mixture = np.stack([mono, mono]).astype(np.float32)
    stems = Separator(manifest).separate(mixture, rate)
    return {
        name: np.stack([audio[0, start - 2000 : start + 4000] for start in starts])
        for name, audio in [("mixture", mixture), *stems.items()]
    }


def test_a_loud_onset_bursts_into_neither_vocals_nor_bass(hits):
    energy = {name: (audio**2).sum(1) for name, audio in hits.items()}
    for stem in ("vocals", "bass"):
        assert (10 * np.log10(energy[stem] / energy["mixture"]) < -20).all(), stem  # measured: -30 at worst


def test_a_hit_keeps_its_band_up_to_20_khz(hits):
    spectra = {
        name: np.abs(np.fft.rfft(audio))[:, 16_000 * 6000 // 44100 : 20_000 * 6000 // 44100] ** 2
        for name, audio in hits.items()
    }
    assert spectra["drums"].sum() / spectra["mixture"].sum() == pytest.approx(1.0, abs=0.05)
