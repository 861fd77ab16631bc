# SPDX-License-Identifier: MIT
"""One insert in the middle of playing, whose host changes model, rate and block length: every kind of model in turn."""

import itertools

import numpy as np
import pytest
import stemlane
from host_tools import noise, set_model
from stemlane.engine.streaming import StreamingSeparator
from stemlane.manifests.model import index_text
from support.every_model import EVERY_MODEL

RATES = (22050, 44100, 48000, 88200, 96000, 192000, 384000)
BLOCKS = (512, 1, 8192, 441, 20000, 64)
# float32 sums in another order; what a tiny random network gives may be a few times louder than the mixture.
ROUNDING = 4e-6


@pytest.fixture(scope="module")
def names(user_folder):
    """All models of `EVERY_MODEL`, installed; the names they have there."""
    models = user_folder / "stemlane" / "models"
    index = models / "models.index"
    before, there = index.read_text(encoding="utf-8"), set(models.iterdir())
    found = [build(models, name=f"every-{name}").name for name, build in EVERY_MODEL.items()]
    for path in models.glob("every-*.th"):
        path.unlink()
    index.write_text(index_text(models), encoding="utf-8")
    yield found
    index.write_text(before, encoding="utf-8")
    for path in set(models.iterdir()) - there:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()


def test_a_host_changes_everything_while_it_plays(names):
    plugin = stemlane.load_plugin("tiny-live", vocals_gain_db="-inf", drums_gain_db=3.0)
    drums_gain = 10 ** (3 / 20)
    order = np.random.default_rng(71).permutation(names)
    for name, rate, block in zip(order, itertools.cycle(RATES), itertools.cycle(BLOCKS)):
        mixture = noise(2, 15000, seed=block)
        plugin.process(mixture[:, :7001], 48000.0, buffer_size=500, reset=False)  # with what was there before
        set_model(plugin, name)
        plugin.process(mixture[:, :3001], 48000.0, buffer_size=500, reset=False)  # it plays on
        out = plugin.process(mixture, rate, buffer_size=block)
        status = stemlane.plugin_status(plugin)
        assert (status.engine_state, status.model) == ("ready", name), status
        stream = StreamingSeparator(name, rate, 2)
        stems = dict(zip(stream.stems, np.concatenate([stream.process(mixture), stream.finish()], axis=2), strict=True))
        expected = mixture - stems["vocals"] + (drums_gain - 1) * stems.get("drums", 0)
        np.testing.assert_allclose(out, expected, rtol=0, atol=ROUNDING, err_msg=f"{name} at {rate} Hz by {block}")
        assert np.abs(out - mixture).max() > 0.005  # the gains do something
