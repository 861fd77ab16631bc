# SPDX-License-Identifier: MIT
"""Streaming separation with masks whose effect is known: right values at the right place."""

import numpy as np
import pytest
from stemlane.engine.streaming import StreamingSeparator, resampler_lag_samples
from stemlane.errors import EngineError, InputError, ModelError
from support.tiny_models import build_model
from support.tiny_segment import build_segment

MASKS = (0.5, 0.25, 0.125)
ROUNDING = 1e-6  # float32 transforms of signals of unit size
WINDOWS = {
    "symmetric": {},
    "low delay": {"synthesis_samples": 128, "hop_samples": 32},
    "half overlap": {"synthesis_samples": 128, "hop_samples": 64},
    "one frame, no lookahead": {"frames_per_step": 1, "lookahead_frames": 0},
    "long lookahead": {"frames_per_step": 3, "lookahead_frames": 8},
}


def separate(separator, mixture, block=1000):
    pieces = [separator.process(mixture[:, i : i + block]) for i in range(0, mixture.shape[1], block)]
    return np.concatenate([*pieces, separator.finish()], axis=2)


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("windows", WINDOWS)
def test_constant_masks_give_scaled_copies_in_place(tmp_path, windows, num_channels):
    separator = StreamingSeparator(build_model(tmp_path, **WINDOWS[windows]), 44100, num_channels)
    mixture = np.random.default_rng(11).uniform(-1, 1, (num_channels, 5000)).astype(np.float32)
    stems = separate(separator, mixture)
    assert stems.dtype == np.float32 and stems.flags.c_contiguous
    np.testing.assert_allclose(stems, np.stack([mixture * mask for mask in MASKS]), atol=ROUNDING)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000, 192000])
def test_an_impulse_stays_where_it_is(tmp_path, rate):
    separator = StreamingSeparator(build_model(tmp_path), rate, 2)
    mixture = np.zeros((2, rate // 4), np.float32)
    mixture[:, 1234] = 1
    stems = separate(separator, mixture)
    assert stems.shape == (3, 2, rate // 4)
    for stem, mask in enumerate(MASKS):
        assert np.argmax(np.abs(stems[stem, 0])) == 1234
        around = stems[stem, 0, 1234 - 200 : 1234 + 200]
        centre = np.sum(np.arange(-200, 200) * around**2) / np.sum(around**2)
        assert abs(centre) < 1e-3  # samples: a linear-phase low-pass is symmetric about the impulse
        np.testing.assert_allclose(
            stems[stem, 0].sum(), mask, atol=2e-3
        )  # gain at 0 Hz, to the ripple of the resampler


@pytest.mark.parametrize("rate", [8000, 32000, 48000, 88200, 192000])
def test_other_rates_keep_what_both_rates_can_hold(tmp_path, rate):
    separator = StreamingSeparator(build_model(tmp_path), rate, 1)
    time = np.arange(rate) / rate
    mixture = (
        sum(np.sin(2 * np.pi * f * time + f) for f in (100, 997, 0.2 * min(rate, 44100)))[None].astype(np.float32) / 3
    )
    mixture *= np.sin(np.pi * time).astype(np.float32) ** 4  # a sudden end is not band-limited
    stems = separate(separator, mixture)
    # soxr HQ: 20 bits, so -120 dB; two passes and float32 transforms stay under -106 dB.
    np.testing.assert_allclose(stems[0], 0.5 * mixture, atol=5e-6)


def test_states_are_carried_through_the_stream(tmp_path):
    separator = StreamingSeparator(build_model(tmp_path, fade_in=True, lookahead_frames=0, frames_per_step=4), 44100, 1)
    mixture = np.ones((1, 256 * 8), np.float32)
    stems = separate(separator, mixture)
    # Step k masks its four frames with 0.5 (1 - 0.5^(k + 1)). The centre of a step's last
    # frames lies where only frames of that step overlap.
    for step in range(1, 7):
        position = step * 256 + 63
        np.testing.assert_allclose(stems[0, 0, position], 0.5 * (1 - 0.5 ** (step + 1)), atol=ROUNDING)


def test_mono_is_the_mean_of_equal_channels(tmp_path):
    folder = build_model(tmp_path)
    mixture = np.random.default_rng(13).uniform(-1, 1, (1, 4000)).astype(np.float32)
    mono = separate(StreamingSeparator(folder, 48000, 1), mixture)
    stereo = separate(StreamingSeparator(folder, 48000, 2), np.repeat(mixture, 2, axis=0))
    np.testing.assert_array_equal(mono[:, 0], stereo[:, 0])


def test_mono_is_the_mean_where_a_model_makes_its_channels_differ(tmp_path, monkeypatch):
    separator = StreamingSeparator(build_model(tmp_path), 44100, 1)
    whole = separator._model.process
    left_alone = np.array([1, 0], np.float32)[:, np.newaxis]
    mixture = np.random.default_rng(19).uniform(-1, 1, (1, 4000)).astype(np.float32)
    equal = separate(separator, mixture)
    separator.reset()
    monkeypatch.setattr(separator._model, "process", lambda samples: whole(samples) * left_alone)
    np.testing.assert_array_equal(separate(separator, mixture), equal / 2)


def test_a_stream_takes_no_look_ahead(tmp_path):
    """Whatever is passed as one: there may be a resampler, which must not hear it."""
    separator = StreamingSeparator(build_segment(tmp_path), 48000, 2)
    mixture = np.random.default_rng(23).uniform(-1, 1, (2, 4000)).astype(np.float32)
    assert separator._to_model is not None
    expected = separate(separator, mixture)
    separator.prescan(pytest.fail(str(block)) for block in [mixture])
    separator.prescan_block(mixture)
    np.testing.assert_array_equal(separate(separator, mixture), expected)


def test_samples_that_are_not_finite_count_as_zero(tmp_path):
    folder = build_model(tmp_path)
    mixture = np.random.default_rng(17).uniform(-1, 1, (2, 3000)).astype(np.float32)
    broken, mended = mixture.copy(), mixture.copy()
    broken[0, 100], broken[1, 2000], broken[0, 2999] = np.nan, np.inf, -np.inf
    mended[0, 100] = mended[1, 2000] = mended[0, 2999] = 0
    np.testing.assert_array_equal(
        separate(StreamingSeparator(folder, 44100, 2), broken), separate(StreamingSeparator(folder, 44100, 2), mended)
    )


def test_output_that_is_not_finite_is_an_error_until_reset(tmp_path):
    separator = StreamingSeparator(build_model(tmp_path, poison_above=100.0), 44100, 1)
    quiet = np.full((1, 2000), 0.01, np.float32)
    before = separate(separator, quiet)
    separator.reset()
    with pytest.raises(EngineError, match="'tiny' returned values that are not finite"):
        separator.process(np.full((1, 2000), 10, np.float32))
    separator.reset()
    np.testing.assert_array_equal(separate(separator, quiet), before)


def test_input_is_not_changed_or_kept(tmp_path):
    separator = StreamingSeparator(build_model(tmp_path), 44100, 1)
    block = np.full((1, 100), 0.5, np.float32)
    block.flags.writeable = False
    separator.process(block)
    block.flags.writeable = True
    block[...] = np.nan  # the host uses its memory for something else
    assert np.isfinite(separator.process(np.full((1, 4000), 0.5, np.float32))).all()


def test_what_cannot_be_separated(tmp_path):
    folder = build_model(tmp_path)
    for rate in (7999, 384001, 0, float("nan")):
        with pytest.raises(InputError, match="8000 to 384000"):
            StreamingSeparator(folder, rate, 2)
    for num_channels in (0, 3, 8):
        with pytest.raises(InputError, match=f"{num_channels} channels: only mono or stereo"):
            StreamingSeparator(folder, 44100, num_channels)
    separator = StreamingSeparator(folder, 44100, 2)
    for shape in ((1, 10), (10, 2), (10,), (2, 2, 10)):
        with pytest.raises(InputError, match="should be .2, samples"):
            separator.process(np.zeros(shape, np.float32))
    (folder / "network.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="damaged"):
        StreamingSeparator(folder, 44100, 2)


def test_lag_bound_of_the_resampler():
    assert resampler_lag_samples(44100, 44100, 44100) == 0
    assert resampler_lag_samples(48000, 44100, 48000) == 1045  # 960 samples at 44.1 kHz, rounded up
    assert resampler_lag_samples(44100, 192000, 192000) == 6270  # 1440 samples at 44.1 kHz
