# SPDX-License-Identifier: MIT
"""HTDemucs in the plugin: a bounce is what the stream gives, at the reported latency, with several threads at work."""

import numpy as np
import pytest
import stemlane
from stemlane.catalog import measured
from stemlane.catalog.install import add_model, remove_model
from stemlane.engine.streaming import StreamingSeparator
from support import htdemucs_case as case
from support.tiny_htdemucs import SEGMENT, build
from support.tiny_models import short_recording


@pytest.fixture(scope="module", autouse=True)
def added(tmp_path_factory, user_folder):
    """Both windows of a tiny network, added as a user adds their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measured, "recording", short_recording)
        names = [add_model(str(folder))[0].name for folder in build(tmp_path_factory.mktemp("own"))]
    yield
    for name in names:
        remove_model(name)


@pytest.mark.parametrize("model", ["tiny-htdemucs", "tiny-htdemucs-3s"])
def test_bounces_are_the_streams(model):
    """Segments that come in bursts, one in three strides, arrive in time and at their place."""
    mixture = case.recording(2 * SEGMENT + 321)
    plugin = stemlane.load_plugin(model=model, vocals_gain_db="-inf", drums_gain_db=6.0)
    out = plugin.process(mixture, case.SAMPLE_RATE, buffer_size=512)
    stream = StreamingSeparator(model, case.SAMPLE_RATE, 2)
    vocals, drums, _ = np.concatenate([stream.process(mixture), stream.finish()], axis=2)
    expected = mixture - vocals + (10 ** (6 / 20) - 1) * drums
    np.testing.assert_allclose(out, expected, rtol=0, atol=2e-6)  # float32 sums in another order
    assert np.abs(out - mixture).max() > 0.02  # the gains do something
    assert stemlane.plugin_status(plugin).latency_samples == stream.manifest.latency_samples
