# SPDX-License-Identifier: MIT
"""Laws of the stream, over generated rates, channels and block patterns."""

import math

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator, resampler_lag_samples
from support.tiny_models import build_model

USUAL_RATES = (8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000, 384000)
RATES = st.one_of(st.sampled_from(USUAL_RATES), st.integers(8000, 384000), st.floats(8000, 384000))
BLOCKS = st.lists(
    st.one_of(st.sampled_from([0, 1, 63, 64, 127, 128, 129, 441, 512, 8192]), st.integers(0, 3000)),
    min_size=1,
    max_size=8,
)


STREAMS = {
    "model": st.integers(0, 2),
    "rate": RATES,
    "num_channels": st.integers(1, 2),
    "num_samples": st.integers(1, 20000),
    "pattern": BLOCKS,
    "seed": st.integers(0, 99),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(23)
    masks = rng.uniform(0, 1, (3, 129)).astype(np.float32)
    return [
        build_model(folder, name="lookahead", masks=masks, lookahead_frames=3, fade_in=True),
        build_model(folder, name="live", masks=masks, synthesis_samples=128, frames_per_step=1, lookahead_frames=0),
        build_model(folder, name="other-rate", masks=masks, sample_rate=32000, frames_per_step=3),
    ]


def promised_lag(*rates):
    """The promise for one resampler between two rates, in samples of the lower one, either way round."""
    ratio = max(rates) / min(rates)
    return 1760 if 4 < ratio < 4.1 else 1440 if ratio > 2.5 else 1320 if 1.45 < ratio < 1.5 else 960


def cut(mixture, pattern):
    """The mixture in blocks of the pattern, repeated; a pattern of zeros only ends with one large block."""
    position, turn = 0, 0
    while position < mixture.shape[1]:
        size = pattern[turn % len(pattern)] if any(pattern) else (0, mixture.shape[1])[turn % 2]
        yield mixture[:, position : position + size]
        position += size
        turn += 1


def run(separator, mixture, pattern):
    pieces = [separator.process(block) for block in cut(mixture, pattern)]
    return np.concatenate([*pieces, separator.finish()], axis=2)


def noise(seed, num_channels, num_samples):
    return np.random.default_rng(seed).uniform(-1, 1, (num_channels, num_samples)).astype(np.float32)


@settings(max_examples=60)
@given(**STREAMS)
def test_any_block_pattern_gives_the_same_stems_bit_for_bit(
    models, model, rate, num_channels, num_samples, pattern, seed
):
    separator = StreamingSeparator(models[model], rate, num_channels)
    mixture = noise(seed, num_channels, num_samples)
    whole = run(separator, mixture, [num_samples])
    assert whole.shape == (3, num_channels, num_samples)
    separator.reset()  # so that this also shows that a reset forgets everything
    np.testing.assert_array_equal(run(separator, mixture, pattern), whole)


@settings(max_examples=60)
@given(model=st.integers(0, 2), rate=RATES, num_samples=st.integers(1, 30000), pattern=BLOCKS)
def test_stems_lag_no_more_than_promised(models, model, rate, num_samples, pattern):
    separator = StreamingSeparator(models[model], rate, 1)
    manifest = separator.manifest
    promised = math.ceil((manifest.delay_samples + manifest.stride_samples) * rate / manifest.sample_rate)
    if rate != manifest.sample_rate:
        promised += 2 * math.ceil(promised_lag(rate, manifest.sample_rate) / min(rate, manifest.sample_rate) * rate)
    assert separator.max_lag_samples == promised
    num_in = num_out = 0
    for block in cut(np.zeros((1, num_samples), np.float32), pattern):
        num_in += block.shape[1]
        num_out += separator.process(block).shape[2]
        assert num_in - promised <= num_out <= num_in


@pytest.mark.parametrize("rate", [*USUAL_RATES, 44101, 64933, 66100, 130000, 172000, 176401, 178000, 180109, 187387])
def test_resamplers_lag_no_more_than_promised_sample_by_sample(rate):
    for rate_in, rate_out in ((rate, 44100), (44100, rate)):
        assert_lag_is_bounded(rate_in, rate_out, step=1)


@settings(max_examples=150)
@given(ratio=st.one_of(st.floats(1.001, 5.6), st.floats(1.44, 1.51), st.floats(2.9, 4.1)), up=st.booleans())
def test_resamplers_lag_no_more_than_promised_at_any_ratio(ratio, up):
    rates = (44100, 44100 * ratio)
    assert_lag_is_bounded(*(rates if up else reversed(rates)), step=8)


def assert_lag_is_bounded(rate_in, rate_out, step):
    bound = promised_lag(rate_in, rate_out) / min(rate_in, rate_out)
    assert resampler_lag_samples(rate_in, rate_out, 1e9) == math.ceil(bound * 1e9) * (rate_in != rate_out)
    resampler = soxr.ResampleStream(rate_in, rate_out, 1, "float32", "HQ")
    samples = np.zeros((step, 1), np.float32)
    num_out, worst = 0, 0.0
    for num_in in range(step, int(6000 * max(1, rate_in / rate_out)), step):
        num_out += len(resampler.resample_chunk(samples))
        worst = max(worst, num_in / rate_in - num_out / rate_out)
    assert worst <= bound, worst * min(rate_in, rate_out)


@settings(max_examples=25)
@given(model=st.integers(0, 2), rate=RATES, num_channels=st.integers(1, 2), pattern=BLOCKS)
def test_silence_gives_exact_zeros(models, model, rate, num_channels, pattern):
    separator = StreamingSeparator(models[model], rate, num_channels)
    assert not run(separator, np.zeros((num_channels, 9000), np.float32), pattern).any()


@settings(max_examples=25)
@given(model=st.integers(0, 2), rate=RATES, position=st.integers(0, 9999))
def test_an_impulse_stays_at_its_position(models, model, rate, position):
    separator = StreamingSeparator(models[model], rate, 2)
    mixture = np.zeros((2, 10000), np.float32)
    mixture[:, position] = 1
    stems = run(separator, mixture, [512])
    assert set(np.argmax(np.abs(stems), axis=2).ravel()) == {position}


@settings(max_examples=25)
@given(**STREAMS)
def test_one_shot_equals_streamed_and_stems_sum_to_the_mixture(
    models, model, rate, num_channels, num_samples, pattern, seed
):
    separator = Separator(models[model])
    mixture = noise(seed, num_channels, num_samples)
    stems = separator.separate(mixture, rate)
    streamed = np.concatenate(list(separator.separate_blocks(cut(mixture, pattern), rate, num_channels)), axis=2)
    for index, name in enumerate(separator.stems):
        np.testing.assert_array_equal(stems[name], streamed[index])
    # One float32 rounding per stem, of values below 4.
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)
