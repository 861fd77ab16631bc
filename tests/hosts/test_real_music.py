# SPDX-License-Identifier: MIT
"""The embedded models on a real song with known stems: the plugin separates it as well as the library does."""

import math

import numpy as np
import pytest
import soundfile
import stemlane
from host_tools import wait_until_ready

SAMPLE_RATE = 44100
START, SECONDS = 92, 6  # all four stems play


@pytest.fixture(scope="module")
def song(shared_audio):
    """True stems (channels, samples) by name."""
    folder = shared_audio / "songs" / "validation" / "3.Sodium"
    stems = {}
    for stem in ("vocals", "drums", "bass", "other"):
        with soundfile.SoundFile(folder / f"{stem}.ogg") as file:
            assert file.samplerate == SAMPLE_RATE
            file.seek(START * SAMPLE_RATE)
            stems[stem] = file.read(SECONDS * SAMPLE_RATE, dtype="float32", always_2d=True).T
    return stems


def sdr_db(true: np.ndarray, estimate: np.ndarray) -> float:
    """10 log10(sum s^2 / sum (s - estimate)^2), as in `stemlane evaluate`."""
    true, estimate = true.astype(np.float64), estimate.astype(np.float64)
    return 10 * math.log10(np.sum(true**2) / np.sum((true - estimate) ** 2))


@pytest.mark.parametrize("model", ["live", "mix", "studio"])
def test_a_real_song_has_the_same_sdr_in_plugin_and_library(song, model):
    mixture = sum(song.values())
    library = stemlane.Separator(model).separate(mixture, SAMPLE_RATE)
    plugin = stemlane.load_plugin(model)
    for stem, true in song.items():
        setattr(plugin, f"{stem}_solo", True)
        out = plugin.process(mixture, SAMPLE_RATE)
        setattr(plugin, f"{stem}_solo", False)
        wait_until_ready(plugin)
        assert sdr_db(true, out) == pytest.approx(sdr_db(true, library[stem]), abs=0.1)  # dB
        # float32: mixture minus stems, summed in another order
        np.testing.assert_allclose(out, library[stem], rtol=0, atol=2e-6)
    np.testing.assert_array_equal(plugin.process(mixture, SAMPLE_RATE), mixture)
