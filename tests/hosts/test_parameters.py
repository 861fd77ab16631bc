# SPDX-License-Identifier: MIT
"""The parameters as a script sees them, what each does to the sound, and automation."""

import gc
import weakref

import numpy as np
import pytest
import stemlane
from conftest import TINY_STEMS
from host_tools import noise, stream
from hypothesis import given, settings
from hypothesis import strategies as st
from stemlane.units import gain_from_text

STEMS = ["vocals", "drums", "bass", "guitar", "piano", "other"]
ROUNDING = 1e-6  # float32 transforms: -120 dB of full scale


@pytest.fixture(scope="module")
def plugin():
    return stemlane.load_plugin("tiny-live")


@pytest.fixture(autouse=True)
def faders_at_zero(plugin):
    for name in plugin.parameters:
        if name == "engine_status":
            continue
        setattr(plugin, name, 0.0 if name.endswith("_db") else 50.0 if name.endswith("_focus") else False)


def bounced_factor(plugin) -> float:
    """The factor between mixture and mix; with the tiny models there is exactly one."""
    mixture = noise(2, 12000, seed=11)
    out = plugin.process(mixture, 44100.0)
    factor = float(np.vdot(mixture, out) / np.vdot(mixture, mixture))
    np.testing.assert_allclose(out, factor * mixture, rtol=0, atol=ROUNDING)
    return factor


def test_names_are_the_contract(plugin):
    expected = [name for stem in STEMS for name in (f"{stem}_gain_db", f"{stem}_mute", f"{stem}_solo")]
    focus = [f"{stem}_focus" for stem in STEMS]
    assert list(plugin.parameters) == [*expected, "output_gain_db", "bypass", *focus, "engine_status"]


def test_every_tenth_of_a_decibel_can_be_set_exactly(plugin):
    for tenths in range(-599, 121):
        plugin.vocals_gain_db = tenths / 10
        assert float(plugin.vocals_gain_db) == tenths / 10


@pytest.mark.parametrize("silence", ["-inf", "-inf dB", float("-inf")])
def test_the_bottom_is_silence(plugin, silence):
    plugin.vocals_gain_db = silence
    assert float(plugin.vocals_gain_db) == -np.inf
    assert plugin.parameters["vocals_gain_db"].string_value == "-inf"
    assert bounced_factor(plugin) == pytest.approx(1 - TINY_STEMS["vocals"], abs=ROUNDING)


@pytest.mark.parametrize("silence", [-60, -60.0, "-60", -61, "-100", -1e9])
def test_sixty_below_and_less_is_silence(plugin, silence):
    plugin.vocals_gain_db = silence
    assert float(plugin.vocals_gain_db) in (-60.0, -np.inf)
    muted = stemlane.load_plugin("tiny-live", vocals_mute=True)
    mixture = noise(2, 12000, seed=12)
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), muted.process(mixture, 44100.0))


@pytest.mark.parametrize("text", ["abc", "", "nan", "loud", "1.2.3"])
def test_nonsense_leaves_a_fader_alone(plugin, text):
    plugin.drums_gain_db = -7.5
    parameter = plugin.parameters["drums_gain_db"]
    parameter.raw_value = parameter.get_raw_value_for_text(text)
    assert float(plugin.drums_gain_db) == -7.5
    with pytest.raises(stemlane.StemlaneError, match="gain of drums is"):
        stemlane.load_plugin("tiny-live", drums_gain_db=text)


@pytest.mark.parametrize("value", ["\u221260", "-\u221e", "mute", "off", "-60,0", -60, "-99 dB"])
def test_scripts_say_silence_in_any_way(value):
    plugin = stemlane.load_plugin("tiny-live", vocals_gain_db=value)
    assert plugin.parameters["vocals_gain_db"].string_value == "-inf"


@pytest.mark.parametrize("value,gain_db", [("\u22126", -6.0), ("-6,5", -6.5), ("0,5", 0.5), ("+3 dB", 3.0)])
def test_scripts_write_gains_as_people_do(value, gain_db):
    assert float(stemlane.load_plugin("tiny-live", drums_gain_db=value).drums_gain_db) == gain_db


@pytest.mark.parametrize(
    "text,value",
    [
        ("+3 dB", 3.0),
        ("-4.5", -4.5),
        ("0", 0.0),
        (" -60 ", -np.inf),
        ("12.0dB", 12.0),
        ("-6,5", -6.5),
        ("0,5", 0.5),
        ("\u22126", -6.0),
        ("-\u221e", -np.inf),
        ("mute", -np.inf),
        ("off", -np.inf),
    ],
)
def test_texts_are_understood(plugin, text, value):
    parameter = plugin.parameters["drums_gain_db"]
    parameter.raw_value = parameter.get_raw_value_for_text(text)
    assert float(plugin.drums_gain_db) == pytest.approx(value)


@pytest.mark.parametrize("name, nearest", [
    ("vocals_gain", "vocals_gain_db"), ("drum_gain_db", "drums_gain_db"), ("bass_muted", "bass_mute"),
    ("output", "output_gain_db"), ("flute", None),
])  # fmt: skip
def test_a_misspelt_parameter_is_refused_with_the_nearest_one(plugin, name, nearest):
    words = f"the plugin has no parameter '{name}'" + (
        f"; did you mean '{nearest}'" if nearest else ", it has: vocals_"
    )
    with pytest.raises(stemlane.StemlaneError, match=words):
        setattr(plugin, name, -12)
    with pytest.raises(AttributeError, match=words):
        getattr(plugin, name)
    if name != "vocals_gain":
        with pytest.raises(stemlane.StemlaneError, match=words):
            stemlane.load_plugin("tiny-live", **{name: -12})
    assert name not in vars(plugin)


@pytest.mark.parametrize("name, value, words", [
    ("vocals_gain_db", True, "gain of vocals is True, should be dB from -60"),
    ("vocals_gain_db", None, "gain of vocals is None"),
    ("drums_gain_db", "loud", "gain of drums is 'loud'"),
    ("output_gain_db", 12.5, "gain of output is 12.5, should be dB from -60 .silence, or -inf. to .12"),
    ("drums_focus", 101, "focus of drums is 101, should be a number from 0 to 100; 50 changes nothing"),
    ("drums_focus", "sharp", "focus of drums is 'sharp'"),
    ("bass_mute", 1, "parameter bass_mute is 1, should be True or False"),
    ("bypass", "yes", "parameter bypass is 'yes', should be True or False"),
    ("engine_status", 0, "engine_status says how the engine is and cannot be set"),
])  # fmt: skip
def test_what_a_parameter_does_not_take_is_refused(plugin, name, value, words):
    before = {key: getattr(plugin, key) for key in plugin.parameters if key != "engine_status"}
    with pytest.raises(stemlane.StemlaneError, match=words):
        setattr(plugin, name, value)
    if name != "engine_status":
        with pytest.raises(stemlane.StemlaneError, match=words):
            stemlane.load_plugin("tiny-live", **{name: value})
    assert {key: getattr(plugin, key) for key in before} == before


def test_keywords_are_the_names_of_the_parameters(plugin):
    kinds = {"db": -3.5, "focus": 70.0}
    names = [name for name in plugin.parameters if name != "engine_status"]
    values = {name: kinds.get(name.rpartition("_")[2], True) for name in names}
    loaded = stemlane.load_plugin("tiny-live", **values)
    assert {name: getattr(loaded, name) for name in values} == values
    assert float(stemlane.load_plugin("tiny-live", vocals_gain=-3.5).vocals_gain_db) == -3.5  # as saved states call it
    with pytest.raises(stemlane.StemlaneError, match="vocals_gain and vocals_gain_db are the same parameter"):
        stemlane.load_plugin("tiny-live", vocals_gain=1, vocals_gain_db=2)


def test_an_instance_that_nobody_refers_to_is_freed_at_once():
    loaded = stemlane.load_plugin("tiny-live", vocals_gain_db=-3)
    loaded.drums_gain_db = float(loaded.vocals_gain_db)
    reference = weakref.ref(loaded)
    gc.disable()
    try:
        del loaded
        assert reference() is None
    finally:
        gc.enable()


@settings(max_examples=500)
@given(
    text=st.one_of(
        st.text(alphabet="0123456789+-.,eE \t\u2212\u221e\u00a0dBinfmuteof", max_size=12),
        st.floats(allow_nan=False).map(str),
        st.floats(-70, 20).map("{:.2f} dB".format),
    )
)
def test_any_text_means_the_same_to_the_plugin_and_to_python(plugin, text):
    raw = plugin.parameters["drums_gain_db"].get_raw_value_for_text(text)
    gain_db = gain_from_text(text)
    expected = 0.0 if gain_db is None else min(max(gain_db, -60.0), 12.0)  # nonsense leaves the fader where it is
    assert raw * 72 - 60 == pytest.approx(expected, abs=0.051)  # a fader has steps of 0.1 dB


def test_zero_decibel_is_exactly_one(plugin):
    plugin.output_gain_db = -6.0
    plugin.output_gain_db = 0.0
    mixture = noise(2, 9000, seed=12)
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), mixture)


def test_mute_and_solo(plugin):
    plugin.vocals_mute = True
    assert bounced_factor(plugin) == pytest.approx(0.5, abs=ROUNDING)
    plugin.drums_solo = plugin.bass_solo = True
    assert bounced_factor(plugin) == pytest.approx(0.25 + 0.125, abs=ROUNDING)
    plugin.drums_mute = True  # a mute wins over the solo of the same stem
    assert bounced_factor(plugin) == pytest.approx(0.125, abs=ROUNDING)


def test_stems_that_the_model_lacks_do_nothing(plugin):
    plugin.guitar_solo = plugin.piano_mute = True
    plugin.guitar_gain_db = plugin.piano_gain_db = "-inf"
    mixture = noise(2, 9000, seed=13)
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), mixture)


def test_output_gain_and_bypass(plugin):
    plugin.output_gain_db = -20.0
    plugin.drums_gain_db = "-inf"
    assert bounced_factor(plugin) == pytest.approx(0.075, abs=ROUNDING)
    plugin.output_gain_db = "-inf"
    mixture = noise(2, 9000, seed=14)
    assert not plugin.process(mixture, 44100.0).any()
    plugin.bypass = True
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), mixture)


def test_automation_equals_render(plugin):
    """A gain set before every block of 512 is the breakpoint at its end, for the plugin as for `stemlane.render`."""
    block, num_blocks = 512, 60
    mixture = noise(2, block * num_blocks, seed=15)
    drums = np.round(np.linspace(-30, 12, num_blocks), 1)
    vocals = np.where(np.arange(num_blocks) % 7 < 3, -60.0, 3.0)

    def chunks():
        for index in range(num_blocks):
            plugin.drums_gain_db = float(drums[index])
            plugin.vocals_gain_db = "-inf" if vocals[index] == -60 else float(vocals[index])
            yield mixture[:, index * block : (index + 1) * block]

    plugin.process(mixture[:, :1], 44100.0)
    plugin.reset()
    played = stream(plugin, chunks(), 44100.0)
    automation = [
        {"time": (index + 1) * block / 44100, "stem": stem, "gain_db": float(curve[index])}
        for stem, curve in [("drums", drums), ("vocals", vocals)]
        for index in range(num_blocks)
    ]
    rendered = stemlane.render(mixture, 44100, automation=automation, model="tiny-live")
    np.testing.assert_allclose(played, rendered, rtol=0, atol=1e-6)


def test_a_mute_is_reached_without_a_click(plugin):
    """The gain moves linearly over the block, however long it is, and gets to zero."""
    tone = np.full((2, 4096), 0.5, np.float32)
    plugin.process(tone, 44100.0, reset=True)
    plugin.reset()

    def chunks():
        yield tone
        for name in STEMS:
            setattr(plugin, f"{name}_mute", True)
        yield tone

    out = stream(plugin, chunks(), 44100.0)
    np.testing.assert_array_equal(out[:, :4096], tone)
    # Blocks of 512: one ramp of that length, in steps of 0.5 / 512.
    assert np.abs(np.diff(out[:, 4096:])).max() <= 1.01 * 0.5 / 512
    assert not out[:, 4096 + 512 :].any()
