# SPDX-License-Identifier: MIT
"""The plugin in pedalboard: length, latency, null, determinism, and the same sound as the library."""

import numpy as np
import pytest
import stemlane
from conftest import TINY_STEMS
from host_tools import noise, stream, wait_until_ready

RATES = [44100, 48000, 96000]
BLOCKS = [1, 64, 441, 512, 8192]
# float32 transforms of 2048 samples and, at foreign rates, two resamplers: -120 dB of full scale.
ROUNDING = 1e-6


def expected(mixture: np.ndarray, **gains: float) -> np.ndarray:
    """The mix with the tiny models, in closed form: every stem is a fixed part of the mixture."""
    parts = TINY_STEMS | {"other": 1.0 - sum(TINY_STEMS.values())}
    return mixture * sum(part * gains.get(stem, 1.0) for stem, part in parts.items())


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("sample_rate", RATES)
def test_all_faders_at_zero_give_the_input_back_bit_for_bit(sample_rate, num_channels):
    plugin = stemlane.load_plugin("tiny-live")
    mixture = noise(num_channels, 30001, seed=1)
    for block_samples in BLOCKS:
        out = plugin.process(mixture, sample_rate, buffer_size=block_samples)
        assert out.shape == mixture.shape and out.dtype == np.float32
        np.testing.assert_array_equal(out, mixture)


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("sample_rate", RATES)
def test_block_sizes_do_not_change_the_mix_and_it_equals_render(sample_rate, num_channels):
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf", drums_gain_db=6.0)
    mixture = noise(num_channels, sample_rate // 2 + 123, seed=2)
    rendered = stemlane.render(mixture, sample_rate, {"vocals": "-inf", "drums": 6.0}, model="tiny-mix")
    for block_samples in BLOCKS:
        out = plugin.process(mixture, sample_rate, buffer_size=block_samples)
        wait_until_ready(plugin)
        assert out.shape == mixture.shape
        np.testing.assert_allclose(out, rendered, rtol=0, atol=1e-6)  # the bound that is promised; 0.0 was seen


@pytest.mark.parametrize("model", ["tiny-live", "tiny-mix"])
def test_gains_act_as_the_closed_form_says(model):
    plugin = stemlane.load_plugin(model, vocals_gain_db="-inf", drums_gain_db=6.0, output_gain_db=-3.0)
    mixture = noise(2, 44100, seed=3)
    out = plugin.process(mixture, 44100.0)
    gains = expected(mixture, vocals=0.0, drums=10 ** (6 / 20)) * 10 ** (-3 / 20)
    np.testing.assert_allclose(out, gains, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("model", ["tiny-live", "tiny-mix"])
def test_an_impulse_leaves_at_the_reported_latency(model, sample_rate):
    plugin = stemlane.load_plugin(model, vocals_gain_db=6.0)
    impulse = np.zeros((2, 4000), np.float32)
    impulse[:, 1234] = 0.5
    out = plugin.process(impulse, sample_rate, buffer_size=441)  # pedalboard takes the latency off
    assert np.argmax(np.abs(out[0])) == 1234
    # At foreign rates the stem has passed two resamplers, which spread an impulse.
    if sample_rate == 44100:
        np.testing.assert_allclose(out, expected(impulse, vocals=10 ** (6 / 20)), rtol=0, atol=ROUNDING)

    # The same without pedalboard's help: silence for exactly the reported latency.
    latency = stemlane.plugin_status(plugin).latency_samples
    plugin.vocals_gain_db = 0.0
    plugin.reset()
    short = plugin.process(impulse, sample_rate, buffer_size=441, reset=False)
    assert short.shape[1] == max(0, impulse.shape[1] - latency)
    tail = plugin.process(np.zeros((2, latency), np.float32), sample_rate, buffer_size=441, reset=False)
    whole = np.concatenate([short, tail], axis=1)
    np.testing.assert_array_equal(whole[:, : impulse.shape[1]], impulse)


def test_reported_latencies_are_those_of_the_core():
    """Measured sums of the two sizes of model at 44.1 kHz; see cpp/core/latency.h."""
    for model, stride, delay, allowance in [("tiny-live", 512, 512, 1536), ("tiny-mix", 2048, 3584, 4096)]:
        plugin = stemlane.load_plugin(model)
        plugin.process(np.zeros((2, 64), np.float32), 44100.0)
        assert stemlane.plugin_status(plugin).latency_samples == stride + delay + allowance + 64  # fade reserve


def test_two_bounces_and_two_instances_are_identical():
    mixture = noise(2, 60000, seed=5)
    plugin = stemlane.load_plugin("tiny-fade", vocals_gain_db="-inf")
    first = plugin.process(mixture, 44100.0)
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), first)
    plugin.process(mixture[:, :20011], 44100.0)  # leaves off in the middle
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), first)
    again = stemlane.load_plugin("tiny-fade", vocals_gain_db="-inf")
    np.testing.assert_array_equal(again.process(mixture, 44100.0), first)


def test_a_muted_stem_is_what_the_separator_says_is_missing():
    mixture = noise(2, 50000, seed=6)
    stems = stemlane.Separator("tiny-fade").separate(mixture, 44100)
    for stem in ("vocals", "drums", "bass", "other"):
        plugin = stemlane.load_plugin("tiny-fade", **{f"{stem}_mute": True})
        out = plugin.process(mixture, 44100.0)
        np.testing.assert_allclose(mixture - out, stems[stem], rtol=0, atol=ROUNDING)


def test_chunks_with_the_past_kept_equal_one_bounce():
    mixture = noise(2, 50000, seed=7)
    plugin = stemlane.load_plugin("tiny-fade", bass_gain_db=-9.0)
    whole = plugin.process(mixture, 44100.0)
    plugin.reset()
    cuts = np.sort(np.random.default_rng(8).integers(0, mixture.shape[1], 20))
    chunks = [chunk for chunk in np.split(mixture, cuts, axis=1) if chunk.shape[1]]
    np.testing.assert_array_equal(stream(plugin, chunks, 44100.0, block_samples=500), whole)


def test_nan_and_infinity_stay_where_they_are():
    mixture = noise(2, 30000, seed=9)
    poisoned = mixture.copy()
    poisoned[0, 5000], poisoned[1, 12345] = np.nan, np.inf
    repaired = np.where(np.isfinite(poisoned), poisoned, 0)
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    out = plugin.process(poisoned, 44100.0)
    wait_until_ready(plugin)
    finite = np.isfinite(poisoned)
    assert np.isfinite(out[finite]).all()
    np.testing.assert_array_equal(out[finite], plugin.process(repaired, 44100.0)[finite])


def test_silence_and_nothing():
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db=12.0)
    assert not plugin.process(np.zeros((2, 20000), np.float32), 44100.0).any()
    assert plugin.process(np.zeros((2, 0), np.float32), 44100.0).shape == (2, 0)
