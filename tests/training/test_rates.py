# SPDX-License-Identifier: MIT
"""The panel at other rates: resampled stems are the same sound, and what is measured is the SDR at that rate."""

from types import SimpleNamespace

import numpy as np
import pytest

from models.training.panel import rates


def tones(rate: int, seconds: float = 1.0) -> np.ndarray:
    """Four stems (4, 2, samples), a sine each, that fade in and out."""
    times = np.arange(round(seconds * rate)) / rate
    fade = np.sin(np.pi * times / seconds) ** 2
    mono = np.stack([np.sin(2 * np.pi * frequency * times) * fade for frequency in (200, 700, 50, 3000)])
    return np.stack([mono, 0.5 * mono], axis=1).astype(np.float32)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_stems_sound_the_same_at_every_rate(rate):
    found = rates.resampled(tones(44100), rate)
    assert found.shape == (4, 2, rate)
    np.testing.assert_allclose(found, tones(rate), atol=1e-5)


@pytest.mark.parametrize("rate", [44100, 96000])
def test_a_stem_with_a_tenth_of_error_has_20_db(rate):
    class Nearly:
        def separate(self, mixture, sample_rate):
            assert sample_rate == rate and mixture.shape == (2, rate)
            return dict(zip(("vocals", "drums", "bass", "other"), 1.1 * tones(rate), strict=True))

    stems = tones(44100)
    stems[1] *= 1e-3  # too quiet to count
    item = SimpleNamespace(stems=stems, known=(True, True, False, True))
    found = rates.sdr_at(Nearly(), item, rate)
    np.testing.assert_allclose(found[[0, 3]], 20.0, atol=0.01)
    assert np.isnan(found[[1, 2]]).all()
