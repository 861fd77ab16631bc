# SPDX-License-Identifier: MIT
"""Rendering with gains: the mixing equation, automation, and equality with the separator."""

import json
import math

import numpy as np
import pytest
from stemlane.cli.stem_values import stem_values
from stemlane.engine.separator import Separator
from stemlane.errors import CoreError, InputError
from stemlane.manifests.model import load_manifest
from stemlane.mix._core import CoreStream
from stemlane.mix.automation import read_automation
from stemlane.mix.rendering import (
    GainPlan,
    linear_gain,
    parse_gain,
    render,
)
from support.every_model import EVERY_MODEL
from support.tiny_models import build_model

ROUNDING = 1e-6  # float32 sums of values below 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("models"), compute_allowance_samples=600)


@pytest.fixture(scope="module")
def manifest(folder):
    return load_manifest(folder)


def noise(num_channels, num_samples):
    return np.random.default_rng(41).uniform(-1, 1, (num_channels, num_samples)).astype(np.float32)


@pytest.mark.parametrize("num_samples", [1, 511, 512, 513, 30000])
@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_unity_gains_return_the_mixture_bit_for_bit(folder, rate, num_channels, num_samples):
    mixture = noise(num_channels, num_samples)
    np.testing.assert_array_equal(render(mixture, rate, model=folder), mixture)
    np.testing.assert_array_equal(
        render(mixture, rate, dict.fromkeys(("vocals", "other", "output"), 0.0), model=folder), mixture
    )


@pytest.mark.parametrize("rate", [8000, 22050, 29500, 44100, 64933, 96000, 177000, 192000, 384000])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_gains_mix_what_the_separator_says(folder, rate, num_channels):
    mixture = noise(num_channels, 20000)
    gains = {"vocals": "-inf", "drums": "+3", "bass": -6.5, "other": 1, "output": -2}
    stems = Separator(folder).separate(mixture, rate)
    factors = {"vocals": 0, "drums": 10**0.15, "bass": 10**-0.325, "other": 10**0.05}
    expected = sum(stems[stem] * factor for stem, factor in factors.items()) * 10**-0.1
    np.testing.assert_allclose(render(mixture, rate, gains, model=folder), expected, atol=ROUNDING)


def test_a_muted_output_is_silent(folder):
    assert not render(noise(2, 3000), 44100, {"output": -60}, model=folder).any()


def test_automation_moves_linearly_between_the_ends_of_blocks(folder):
    rate, num_samples = 44100, 44100
    points = [{"time": 0.25, "stem": "vocals", "gain_db": 6}, {"time": 0.75, "stem": "vocals", "gain_db": "-inf"}]
    mixture = noise(1, num_samples)
    out = render(mixture, rate, {"vocals": -20}, automation=points, model=folder)

    def gain_db(seconds):
        return 6 - 66 * min(max((seconds - 0.25) / 0.5, 0), 1)

    # The core moves from the value at one block's end to that at the next one's.
    ends = np.arange(0, num_samples + 1024, 512)
    at_ends = [linear_gain(gain_db(end / rate)) for end in ends]
    at_ends[0] = at_ends[1]  # no ramp before the first value
    curve = np.interp(np.arange(num_samples), ends, at_ends)
    expected = mixture + (curve - 1) * Separator(folder).separate(mixture, rate)["vocals"]
    np.testing.assert_allclose(out, expected, atol=ROUNDING)


def test_plans_interpolate_in_decibels(manifest):
    plan = GainPlan(
        manifest,
        {"drums": -3},
        [
            {"time": 2, "stem": "vocals", "gain_db": -12},
            {"time": 1, "stem": "vocals", "gain_db": 0},
            {"time": 3, "stem": "output", "gain_db": -6},
        ],
    )
    assert [plan.gain_db("vocals", t) for t in (0, 1, 1.25, 2, 9)] == [0, 0, -3, -12, -12]
    assert (plan.gain_db("drums", 5), plan.gain_db("bass", 5), plan.gain_db("output", 0)) == (-3, 0, -6)
    half = 10 ** (-6 / 20)
    expected = [half, 10 ** (-3 / 20) * half, half, half, half, half]
    np.testing.assert_allclose(plan.linear_gains(0), expected, rtol=1e-7)  # one float32 rounding


def test_two_points_at_one_time_are_a_jump(manifest):
    plan = GainPlan(
        manifest, None, [{"time": 1, "stem": "bass", "gain_db": 0}, {"time": 1, "stem": "bass", "gain_db": -60}]
    )
    assert plan.gain_db("bass", 0.999) == 0 and plan.gain_db("bass", 1) == -60


def test_numbers_of_numpy_are_numbers(manifest):
    times = np.array([1, 2], np.float32)
    points = [
        {"time": times[0], "stem": "bass", "gain_db": np.float64(-6)},
        {"time": np.int64(2), "stem": "bass", "gain_db": 0},
    ]
    plan = GainPlan(manifest, {"vocals": np.float32(-3)}, points)
    assert [plan.gain_db("bass", time) for time in (1, 1.5, 2)] == [-6, -3, 0] and plan.gain_db("vocals", 0) == -3
    for time in (np.float32("nan"), np.bool_(True), np.float64(-1)):
        with pytest.raises(InputError, match="automation of bass has the time"):
            GainPlan(manifest, None, [{"time": time, "stem": "bass", "gain_db": 0}])


def test_gains_in_decibels():
    assert parse_gain("-inf", "x") == parse_gain(-math.inf, "x") == parse_gain(-99, "x") == -60
    for text in ("mute", "Off", "-\u221e", "\u221260", "-inf dB"):
        assert parse_gain(text, "x") == -60
    for text in ("\u22126,5", "-6.5", " -6,50 dB"):
        assert parse_gain(text, "x") == -6.5
    assert linear_gain(-60) == 0 and linear_gain(0) == 1
    assert linear_gain(parse_gain("12", "x")) == pytest.approx(3.98107170553)
    for value in (12.1, "nan", "loud", None, math.inf):
        with pytest.raises(InputError, match="gain of x is .*should be dB from -60"):
            parse_gain(value, "x")
    assert stem_values(["vocals=-inf", "drums = +3"], "gain") == {"vocals": "-inf", "drums": "+3"}
    with pytest.raises(InputError, match="should be like vocals=-inf"):
        stem_values(["vocals"], "gain")


@pytest.mark.parametrize(
    "gains, automation, words",
    [
        ({"piano": 0}, None, "no stem 'piano', it has: vocals, drums, bass, other; or output"),
        ({"vocals": 13}, None, "gain of vocals is 13"),
        (None, {"time": 0}, "should be a list"),
        (None, [{"time": 0, "stem": "vocals"}], "automation holds"),
        (None, [7], "automation holds 7"),
        (None, [{"time": -1, "stem": "vocals", "gain_db": 0}], "time -1, should be seconds"),
        (None, [{"time": "0", "stem": "vocals", "gain_db": 0}], "time '0'"),
        (None, [{"time": 0, "stem": "voices", "gain_db": 0}], "no stem 'voices'"),
        (None, [{"time": 0, "stem": "vocals", "gain_db": []}], r"gain of vocals is \[\]"),
    ],
)
def test_plans_that_cannot_be(manifest, gains, automation, words):
    with pytest.raises(InputError, match=words):
        GainPlan(manifest, gains, automation)


def test_automation_files(tmp_path, folder):
    path = tmp_path / "ü.json"
    points = [{"time": 0, "stem": "vocals", "gain_db": "-inf"}]
    path.write_text(json.dumps(points), encoding="utf-8")
    mixture = noise(1, 2000)
    np.testing.assert_array_equal(
        render(mixture, 44100, automation=path, model=folder), render(mixture, 44100, {"vocals": "-inf"}, model=folder)
    )
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="not JSON"):
        read_automation(path)
    path.write_text(f'[{{"time": {"1" * 5000}, "stem": "vocals", "gain_db": 0}}]', encoding="utf-8")
    with pytest.raises(InputError, match="not JSON that can be read: .*4300"):
        read_automation(path)
    with pytest.raises(InputError, match="cannot be read .No such file"):
        read_automation(tmp_path / "none.json")


def test_misspelt_keys_of_breakpoints_are_refused(manifest):
    with pytest.raises(InputError, match="automation has 'shpae', should have time, stem, gain_db and"):
        GainPlan(manifest, None, [{"time": 0, "stem": "vocals", "gain_db": 0, "shpae": "stepped"}])


def test_bad_recordings_are_refused(folder):
    for mixture in (np.zeros((8, 10)), np.zeros((2, 0)), np.full((1, 5), np.nan)):
        with pytest.raises(InputError):
            render(mixture, 44100, model=folder)


def test_a_missing_core_library_is_named(monkeypatch, tmp_path):
    from stemlane.mix import _core

    monkeypatch.setenv("STEMLANE_CORE", str(tmp_path / "none.so"))
    with pytest.raises(CoreError, match="none.so, which is not a file"):
        _core.library_path()
    (tmp_path / "none.so").write_text("no library", encoding="utf-8")
    _core.load.cache_clear()
    with pytest.raises(CoreError, match="cannot be loaded"):
        _core.load()
    _core.load.cache_clear()


def test_core_streams_check_what_they_are_given(manifest):
    core = CoreStream(manifest, 44100, 2, 512)
    gains = np.ones(6, np.float32)
    with pytest.raises(CoreError, match="push: shapes"):
        core.push(np.zeros((1, 10), np.float32), gains)
    with pytest.raises(CoreError, match="max_block_samples"):
        core.push(np.zeros((2, 100000), np.float32), gains)
    with pytest.raises(CoreError, match="put_stems: shape"):
        core.put_stems(np.zeros((2, 2, 10), np.float32))
    with pytest.raises(CoreError, match="as many samples as were pushed"):
        core.pull(7)
    with pytest.raises(CoreError):
        CoreStream(manifest, -1, 2, 512)


def test_core_and_engine_take_the_same_rates(manifest):
    from stemlane.audio_checks import HIGHEST_RATE, LOWEST_RATE

    for rate in (LOWEST_RATE, HIGHEST_RATE):
        CoreStream(manifest, rate, 2, 512)
    for rate in (LOWEST_RATE - 1, HIGHEST_RATE + 1, math.nan):
        with pytest.raises(CoreError, match="sample rate"):
            CoreStream(manifest, rate, 2, 512)


def test_a_pull_that_comes_too_early_can_be_repeated(manifest):
    core = CoreStream(manifest, 44100, 1, 4096)
    gains = np.array([0, 1, 1, 1, 1, 1], np.float32)
    mixture = noise(1, 4096)
    stems = np.zeros((3, 1, 4096), np.float32)
    played = []
    for _ in range(2):
        core.push(mixture, gains)
        if core.latency_samples < 4096 * (len(played) + 1):
            with pytest.raises(CoreError, match="have not been put"):
                core.pull(4096)
        with pytest.raises(CoreError, match="as many samples as were pushed"):
            core.put_stems(np.zeros((3, 1, 9000), np.float32))
        core.put_stems(stems)
        played.append(core.pull(4096))
    out = np.concatenate(played, axis=1)
    np.testing.assert_array_equal(out[:, core.latency_samples :], np.tile(mixture, 2)[:, : -core.latency_samples])


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_the_latency_that_people_are_told_is_the_cores(tmp_path, name):
    manifest = load_manifest(EVERY_MODEL[name](tmp_path, name=name))
    core = CoreStream(manifest, manifest.sample_rate, 2, 512)
    assert manifest.latency_samples == core.latency_samples
