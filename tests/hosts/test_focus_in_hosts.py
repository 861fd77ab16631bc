# SPDX-License-Identifier: MIT
"""Focus in the plugin: what it does to the sound, automated and saved; with the tiny models there is a closed form."""

import numpy as np
import pytest
import stemlane
from conftest import TINY_STEMS
from host_tools import noise, stream

ROUNDING = 1e-6  # float32 transforms: -120 dB of full scale
SHARES = TINY_STEMS | {"other": 1.0 - sum(TINY_STEMS.values())}


def without_vocals(**focus):
    """What is left of the mixture without the vocals: the factor, by the formula of `engine.spectral.focus`."""
    raised = {stem: share ** (4.0 ** ((focus.get(stem, 50) - 50) / 50)) for stem, share in SHARES.items()}
    return 1.0 - raised["vocals"] / sum(raised.values())


@pytest.mark.parametrize("focus", [{"vocals": 100}, {"vocals": 0}, {"drums": 80, "other": 20}, {"guitar": 100}])
def test_the_engine_hears_the_focus(focus):
    values = {f"{stem}_focus": percent for stem, percent in focus.items()}
    plugin = stemlane.load_plugin("tiny-live", vocals_mute=True, **values)
    mixture = noise(2, 30000, seed=21)
    out = plugin.process(mixture, 44100.0)
    np.testing.assert_allclose(out, without_vocals(**focus) * mixture, rtol=0, atol=ROUNDING)


def test_equal_faders_give_the_mixture_whatever_the_focus():
    plugin = stemlane.load_plugin("tiny-live", vocals_focus=100, other_focus=0)
    mixture = noise(2, 30000, seed=22)
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), mixture)


def moved(block_samples):
    """A bounce in blocks, whose focus moves at the same places whatever their length."""
    plugin = stemlane.load_plugin("tiny-live", vocals_mute=True)
    plugin.reset()
    mixture = noise(2, 40960, seed=23)

    def chunks():
        for start in range(0, mixture.shape[1], 4096):
            plugin.vocals_focus = 5.0 * (start // 4096)
            yield mixture[:, start : start + 4096]

    return mixture, stream(plugin, chunks(), 44100.0, block_samples=block_samples)


def test_a_moving_focus_belongs_to_the_music_in_any_blocks():
    mixture, whole = moved(4096)
    for block_samples in (64, 512):
        np.testing.assert_array_equal(moved(block_samples)[1], whole)
    np.testing.assert_allclose(whole[:, :3000], without_vocals(vocals=0) * mixture[:, :3000], rtol=0, atol=ROUNDING)


def test_the_state_keeps_the_focus_and_older_ones_have_none():
    plugin = stemlane.load_plugin("tiny-live", drums_focus=73)
    other = stemlane.load_plugin("tiny-live")
    assert float(other.drums_focus) == 50.0
    other.preset_data = plugin.preset_data
    assert float(other.drums_focus) == 73.0
    state = plugin.preset_data.replace(b'drums_focus="73"', b'former_note="73"')
    other.preset_data = state
    assert float(other.drums_focus) == 50.0


@pytest.mark.parametrize("text, percent", [("70", 70), ("70 %", 70), ("66,6", 67), ("-3", 0), ("400%", 100), ("x", 31)])
def test_texts_are_understood(text, percent):
    plugin = stemlane.load_plugin("tiny-live", vocals_focus=31)
    parameter = plugin.parameters["vocals_focus"]
    parameter.raw_value = parameter.get_raw_value_for_text(text)
    assert float(plugin.vocals_focus) == percent
