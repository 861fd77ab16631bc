# SPDX-License-Identifier: MIT
"""What a project keeps: the state survives save and load, and damaged or foreign states do no harm."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import stemlane
from host_tools import bounce, noise, wait_until_ready
from stemlane.contract import LONGEST_MODEL_NAME, STEM_ORDER
from stemlane.manifests.model import index_text
from stemlane.plugin import presets
from support.tiny_models import build_model

STATES = Path(__file__).parent / "states"  # saved by releases, never to be changed

PARAMETERS = {
    "vocals_gain": "-inf",
    "drums_gain": 4.5,
    "bass_mute": True,
    "other_solo": True,
    "piano_gain": -12.3,
    "output_gain": -1.5,
}


def values(plugin) -> dict:
    """The settings; the engine's status is none."""
    return {name: str(getattr(plugin, name)) for name in plugin.parameters if name != "engine_status"}


def attributes(plugin) -> dict:
    return presets.read(plugin.preset_data).attrib


def load_state(plugin, text: bytes) -> None:
    """Hand the plugin `text` in place of its state's XML, in a preset that is otherwise in order."""
    preset = plugin.preset_data
    state = presets.read(preset)
    state.clear()
    marked = presets.replaced(preset, state)
    start = marked.index(b"<?xml")
    size = int.from_bytes(marked[start - 4 : start], "little")
    padded = text.ljust(size, b" ")
    assert len(padded) == size, "the damaged state must fit into the place of an empty one"
    plugin.preset_data = marked[:start] + padded + marked[start + size :]


def with_attributes(plugin, **changed) -> None:
    state = presets.read(plugin.preset_data)
    for key, value in changed.items():
        if value is None:
            del state.attrib[key]
        else:
            state.set(key, value)
    plugin.preset_data = presets.replaced(plugin.preset_data, state)


def test_a_state_comes_back_in_another_instance():
    one = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    other = stemlane.load_plugin("tiny-live")
    other.preset_data = one.preset_data
    assert attributes(other) == attributes(one)
    assert values(other) == values(one)
    assert float(other.drums_gain_db) == 4.5 and bool(other.bass_mute) and float(other.vocals_gain_db) == -np.inf
    mixture = noise(2, 20000, seed=21)
    np.testing.assert_array_equal(other.process(mixture, 44100.0), one.process(mixture, 44100.0))


def test_raw_state_comes_back_too():
    one = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    other = stemlane.load_plugin("tiny-live")
    other.raw_state = one.raw_state
    assert attributes(other) == attributes(one)


def test_the_format_is_the_contract():
    state = presets.read(stemlane.load_plugin("tiny-mix", **PARAMETERS).preset_data)
    assert state.tag == "STEMLANE" and state.get("version") == "1" and state.get("model") == "tiny-mix"
    assert state.get("vocals_gain") == "-inf" and state.get("drums_gain") == "4.5"
    assert state.get("bass_mute") == "On" and state.get("bass_solo") == "Off" and state.get("bypass") == "Off"


def test_a_changed_model_changes_stems_and_latency_at_the_next_render():
    plugin = stemlane.load_plugin("tiny-live", vocals_gain_db="-inf")
    mixture = noise(2, 20000, seed=22)
    plugin.process(mixture, 44100.0)
    before = stemlane.plugin_status(plugin).latency_samples
    with_attributes(plugin, model="tiny-mix")
    out = plugin.process(mixture, 44100.0)
    status = stemlane.plugin_status(plugin)
    assert status.model == "tiny-mix" and status.latency_samples > before
    np.testing.assert_allclose(out, 0.5 * mixture, rtol=0, atol=1e-6)  # float32 transforms


def test_what_is_missing_takes_its_default_and_the_unknown_is_ignored():
    plugin = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    with_attributes(plugin, drums_gain=None, bass_mute=None, engine_state="ready", reverb_size="huge", version="7")
    assert float(plugin.drums_gain_db) == 0.0 and not bool(plugin.bass_mute)
    assert float(plugin.piano_gain_db) == -12.3
    assert stemlane.plugin_status(plugin).model == "tiny-mix"


def test_what_a_later_version_has_saved_survives_this_one():
    plugin = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    known = attributes(plugin)
    state = presets.read(plugin.preset_data)
    state.set("version", "2")
    state.set("reverb_size", "huge & <wide>")
    ElementTree.SubElement(state, "LANES", count="2").append(ElementTree.Element("LANE", name="Gitarre über alles"))
    plugin.preset_data = presets.replaced(plugin.preset_data, state)
    plugin.bass_mute = False
    plugin.process(noise(2, 64, seed=24), 48000.0)

    for _ in range(2):  # opened and saved once more
        saved = presets.read(plugin.preset_data)
        assert saved.get("reverb_size") == "huge & <wide>"
        (lanes,) = saved
        assert (lanes.tag, lanes.attrib, lanes[0].attrib) == ("LANES", {"count": "2"}, {"name": "Gitarre über alles"})
        assert attributes(plugin) == {**known, "bass_mute": "Off", "reverb_size": "huge & <wide>"}  # version 1, too
        again = stemlane.load_plugin("tiny-live")
        again.preset_data = plugin.preset_data
        plugin = again

    plugin.preset_data = stemlane.load_plugin("tiny-mix", **PARAMETERS).preset_data  # of a session that has none of it
    assert attributes(plugin) == known and len(presets.read(plugin.preset_data)) == 0


def test_the_state_holds_what_was_chosen_and_nothing_of_the_engines_weather():
    plugin = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    before = plugin.preset_data
    names = {f"{stem}_{kind}" for stem in STEM_ORDER for kind in ("gain", "mute", "solo", "focus")}
    assert set(attributes(plugin)) == names | {"version", "model", "output_gain", "bypass"}
    plugin.process(noise(2, 20000, seed=25), 48000.0)
    wait_until_ready(plugin)
    assert plugin.preset_data == before
    plugin.preset_data = (STATES / "version_1.vstpreset").read_bytes()  # which has notes on it
    assert set(attributes(plugin)) == names | {"version", "model", "output_gain", "bypass"}


def test_the_status_of_an_engine_comes_whole_however_long():
    plugin = stemlane.load_plugin("tiny-mix")
    with_attributes(plugin, model="n" * LONGEST_MODEL_NAME)
    status = stemlane.plugin_status(plugin)
    assert status.engine_state == "failed"
    assert f": model '{'n' * LONGEST_MODEL_NAME}' is not installed; choose another one: " in status.engine_text
    assert status.engine_text.endswith("tiny-open-unmix") or "tiny-mix" in status.engine_text


@pytest.mark.parametrize(
    "text,value", [("nan", 0.0), ("inf", 0.0), ("1e9", 12.0), ("-1e9", -np.inf), ("loud", 0.0), ("", 0.0)]
)
def test_impossible_values_become_possible_ones(text, value):
    plugin = stemlane.load_plugin("tiny-live")
    with_attributes(plugin, drums_gain=text)
    assert float(plugin.drums_gain_db) == value


@pytest.mark.parametrize("text", [b"", b"\0\0\0", b"\xff\xfe<STEMLANE/>", b"<STEMLANE versio", b"<OTHER a='1'/>"])
def test_damaged_states_leave_the_old_one(text):
    plugin = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    before = attributes(plugin)
    load_state(plugin, text)
    assert attributes(plugin) == before


def test_truncated_and_foreign_raw_states_do_no_harm():
    plugin = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    before = attributes(plugin)
    raw = plugin.raw_state
    for damaged in (b"", b"garbage", raw[: len(raw) // 2], raw[:-5]):
        plugin.raw_state = damaged
    assert attributes(plugin) == before


def test_what_the_first_version_saved_is_still_read():
    plugin = stemlane.load_plugin("tiny-live")
    plugin.preset_data = (STATES / "version_1.vstpreset").read_bytes()
    assert stemlane.plugin_status(plugin).model == "mix"
    assert attributes(plugin) == attributes(stemlane.load_plugin("mix", **PARAMETERS))


def test_a_preset_file_sets_model_and_parameters(tmp_path):
    one = stemlane.load_plugin("tiny-mix", **PARAMETERS)
    path = tmp_path / "mine.vstpreset"
    path.write_bytes(one.preset_data)
    other = stemlane.load_plugin("tiny-live")
    other.load_preset(str(path))
    assert attributes(other) == attributes(one)


def test_a_missing_model_is_named_kept_and_used_once_it_is_there(user_folder):
    mixture = noise(2, 20000, seed=23)
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    with_attributes(plugin, model="comes-later")
    np.testing.assert_array_equal(bounce(plugin, mixture, 44100.0), mixture)
    status = stemlane.plugin_status(plugin)
    assert (status.model, status.engine_state) == ("comes-later", "failed")
    assert "model 'comes-later' is not installed" in status.engine_text
    saved = plugin.preset_data

    models = user_folder / "stemlane" / "models"
    build_model(models, name="comes-later")
    index = models / "models.index"
    before = index.read_text(encoding="utf-8")
    try:
        index.write_text(index_text(models), encoding="utf-8")
        again = stemlane.load_plugin("tiny-live")
        again.preset_data = saved
        for one in (again, plugin):  # opened anew, and the one that has waited
            out = one.process(mixture, 44100.0)
            wait_until_ready(one)
            np.testing.assert_allclose(out, 0.5 * mixture, rtol=0, atol=1e-6)  # float32 transforms
    finally:
        index.write_text(before, encoding="utf-8")
