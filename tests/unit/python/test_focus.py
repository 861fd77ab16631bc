# SPDX-License-Identifier: MIT
"""Focus: its formula bin by bin, the sum of the stems, and that it depends on positions alone."""

import numpy as np
import pytest
from stemlane.engine.separator import Separator
from stemlane.engine.spectral.focus import exponents, model_focus, sharpen
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import InputError
from stemlane.manifests.model import load_manifest
from stemlane.mix.rendering import render
from support.tiny_mdx import build_mdx
from support.tiny_models import build_model

ROUNDING = 1e-6  # float32 transforms
SHARES = {"vocals": 0.5, "drums": 0.25, "bass": 0.125, "other": 0.125}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def tiny(models):
    """Every bin's share is the same: SHARES."""
    return build_model(models, free_frames=True, frames_per_step=1)


@pytest.fixture(scope="module")
def coloured(models):
    """Shares that differ from bin to bin."""
    rising = np.linspace(0.05, 0.6, 129)
    return build_model(models, name="coloured", masks=(rising, 0.6 - rising, 0.2), free_frames=True, frames_per_step=1)


def noise(num_samples, seed=5):
    return np.random.default_rng(seed).uniform(-1, 1, (2, num_samples)).astype(np.float32)


def focused(shares, focus):
    """The shares of a bin by the formula, in float64."""
    raised = {stem: share ** (4.0 ** ((focus.get(stem, 50) - 50) / 50)) for stem, share in shares.items()}
    return {stem: value / sum(raised.values()) for stem, value in raised.items()}


def test_the_formula_holds_bin_by_bin():
    random = np.random.default_rng(2)
    mixture = (random.normal(size=(2, 3, 40)) + 1j * random.normal(size=(2, 3, 40))).astype(np.complex64)
    mixture[0, 1, 7] = 0
    shares = random.dirichlet(np.ones(4), (2, 3, 40))
    shares[1, 2, 3] = [0, 0, 0, 1]
    stems = (np.moveaxis(shares[..., :3], -1, 0) * mixture).astype(np.complex64)
    percent = np.array([[100, 50, 0, 50], [50, 50, 50, 100], [80, 20, 50, 35]], np.float32)
    sharpen(stems, mixture, np.stack([exponents(row) for row in percent]))
    for channel, frame, bin_number in np.ndindex(mixture.shape):
        given = dict(enumerate(shares[channel, frame, bin_number]))
        expected = focused(given, dict(enumerate(percent[frame])))
        for stem in range(3):
            share = expected[stem] * mixture[channel, frame, bin_number]
            assert stems[stem, channel, frame, bin_number] == pytest.approx(share, abs=1e-6)


def test_what_is_no_focus_counts_as_the_nearest():
    np.testing.assert_array_equal(exponents(np.array([-5.0, np.nan, 200.0])), np.float32([0.25, 1.0, 4.0]))


@pytest.mark.parametrize("focus", [{"vocals": 100}, {"vocals": 0, "drums": 73}, {"other": 90}, {"bass": "20 %"}])
def test_stems_get_their_new_shares_and_sum_to_the_mixture(tiny, focus):
    mixture = noise(9000)
    stems = Separator(tiny, focus=focus).separate(mixture, 44100)
    percent = {stem: float(str(value).rstrip(" %")) for stem, value in focus.items()}
    for stem, share in focused(SHARES, percent).items():
        np.testing.assert_allclose(stems[stem], share * mixture, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=ROUNDING)


def test_at_50_no_bit_changes(coloured):
    mixture = noise(9000)
    neutral = Separator(coloured, focus={"vocals": 50, "other": 50.0}).separate(mixture, 44100)
    for stem, samples in Separator(coloured).separate(mixture, 44100).items():
        np.testing.assert_array_equal(neutral[stem], samples)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_stems_do_not_depend_on_how_the_stream_is_cut(coloured, rate):
    mixture = noise(12000)
    focus = {"vocals": 90, "bass": 25}
    stems = Separator(coloured, focus=focus).separate(mixture, rate)  # many steps at once
    stream = StreamingSeparator(coloured, rate, 2)
    stream.set_focus(model_focus(stream.manifest, focus))
    random = np.random.default_rng(3)
    pieces, position = [], 0
    while position < mixture.shape[1]:
        size = int(random.integers(1, 700))
        pieces.append(stream.process(mixture[:, position : position + size]))
        position += size
    live = np.concatenate([*pieces, stream.finish()], axis=2)
    for stem, samples in zip(stream.stems, live, strict=True):
        np.testing.assert_array_equal(samples, stems[stem])


def test_a_change_acts_where_it_comes_and_fades_with_the_windows(tiny):
    mixture = noise(12800)
    stream = StreamingSeparator(tiny, 44100, 2)
    first = stream.process(mixture[:, :6400])
    stream.set_focus(model_focus(stream.manifest, {"vocals": 100}))
    vocals = np.concatenate([first, stream.process(mixture[:, 6400:]), stream.finish()], axis=2)[0]
    before, after = SHARES["vocals"], focused(SHARES, {"vocals": 100})["vocals"]
    np.testing.assert_allclose(vocals[:, : 6400 - 256], before * mixture[:, : 6400 - 256], rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(vocals[:, 6464:], after * mixture[:, 6464:], rtol=0, atol=ROUNDING)
    loud = np.abs(mixture).max(axis=0) > 0.1
    share = (np.sum(vocals * mixture, axis=0) / np.sum(mixture**2, axis=0))[loud]
    assert after - 1e-5 < share.min() and share.max() < before + 1e-5
    assert (np.diff(share) < 1e-5).all()


def test_rendering_hears_the_focus(tiny):
    mixture = noise(9000)
    mix = render(mixture, 44100, {"vocals": "-inf"}, focus={"vocals": 100}, model=tiny)
    np.testing.assert_allclose(mix, (1 - focused(SHARES, {"vocals": 100})["vocals"]) * mixture, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(render(mixture, 44100, focus={"vocals": 100}, model=tiny), mixture)


@pytest.mark.parametrize(
    "focus, words",
    [
        ({"piano": 60}, "focus names 'piano', but model 'tiny' has: vocals, drums, bass, other"),
        ({"vocals": 101}, "focus of vocals is 101, should be a number from 0 to 100; 50 changes nothing"),
        ({"vocals": "sharp"}, "focus of vocals is 'sharp', should be"),
        ({"vocals": True}, "focus of vocals is True, should be"),
        ({"vocals": float("nan")}, "focus of vocals is nan, should be"),
        (70, "focus is 70, should be a dictionary such as {'vocals': 70}"),
        (0, "focus is 0, should be a dictionary"),
        (False, "focus is False, should be a dictionary"),
        ("", "focus is '', should be a dictionary"),
        ((), r"focus is \(\), should be a dictionary"),
    ],
)
def test_wrong_focus_is_named(tiny, focus, words):
    with pytest.raises(InputError, match=words.replace("{", r"\{")):
        Separator(tiny, focus=focus)


def test_models_without_masks_say_so(models):
    mdx = build_mdx(models, name="mdx")
    assert not load_manifest(mdx).takes_focus
    assert Separator(mdx, focus={"vocals": 50}).focus == {"vocals": 50.0}
    with pytest.raises(InputError, match=r"takes no focus: leave it out, or take one that comes with Stemlane"):
        Separator(mdx, focus={"vocals": 60})
