# SPDX-License-Identifier: MIT
"""Models that work on whole segments, in the plugin: added after it, at the right latency, with the library's sound."""

import numpy as np
import pytest
import stemlane
from host_tools import noise
from stemlane.catalog.install import add_model, remove_model
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator
from support.tiny_mdx import build_mdx
from support.tiny_spleeter import build_spleeter

WINDOWS = {
    "tiny-whole": {"segment_frames": 256, "stride_frames": 256},
    "tiny-window": {"segment_frames": 128, "stride_frames": 64, "crossfade_frames": 8},
}


# Whose originals look at whole recordings: a bounce is the live stream's.
LIVE = {
    "tiny-mdx": (build_mdx, {}),
    "tiny-unmix": (build_spleeter, {"kind": "open-unmix", "stride_frames": 32, "crossfade_frames": 8}),
    "tiny-filter": (build_spleeter, {"stride_frames": 32, "crossfade_frames": 8, "wiener_iterations": 1}),
}


@pytest.fixture(scope="module", autouse=True)
def added(tmp_path_factory, user_folder):
    """The two models, added as a user adds their own."""
    for name, window in WINDOWS.items():
        add_model(str(build_spleeter(tmp_path_factory.mktemp("own"), name=name, **window)))
    for name, (build, settings) in LIVE.items():
        add_model(str(build(tmp_path_factory.mktemp("own"), name=name, **settings)))
    yield
    for name in (*WINDOWS, *LIVE):
        remove_model(name)


@pytest.mark.parametrize("model", WINDOWS)
@pytest.mark.parametrize("sample_rate", [44100, 48000])
def test_bounces_are_the_librarys(model, sample_rate):
    mixture = noise(2, 100_000, seed=8)
    plugin = stemlane.load_plugin(model=model, vocals_gain_db="-inf", drums_gain_db=6.0)
    out = plugin.process(mixture, sample_rate, buffer_size=512)
    stems = Separator(model).separate(mixture, sample_rate)
    expected = 10 ** (6 / 20) * stems["drums"] + stems["other"]
    np.testing.assert_allclose(out, expected, rtol=0, atol=2e-6)  # float32 sums in another order
    assert np.abs(out - mixture).max() > 0.02  # the gains do something


@pytest.mark.parametrize("model", WINDOWS)
def test_an_impulse_leaves_at_the_reported_latency(model):
    plugin = stemlane.load_plugin(model=model, vocals_gain_db="-inf")
    impulse = np.zeros((2, 60_000), np.float32)
    impulse[:, 20_000] = 1
    out = plugin.process(impulse, 44100, buffer_size=441)
    latency = stemlane.plugin_status(plugin).latency_samples
    assert latency == stemlane.Separator(model).manifest.latency_samples
    assert np.abs(out).argmax(axis=1).tolist() == [20_000, 20_000]


@pytest.mark.parametrize("model", LIVE)
def test_bounces_are_the_live_streams(model):
    mixture = noise(2, 60_000, seed=8)
    plugin = stemlane.load_plugin(model=model, vocals_gain_db="-inf")
    out = plugin.process(mixture, 44100, buffer_size=512)
    separator = StreamingSeparator(model, 44100, 2)
    stems = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    np.testing.assert_allclose(out, mixture - stems[0], rtol=0, atol=2e-6)
    assert np.abs(out - mixture).max() > 0.02
