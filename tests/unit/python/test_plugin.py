# SPDX-License-Identifier: MIT
"""Installing the bundle for a user, and loading it with a state; the real plugin in a real host is tests/hosts' job."""

import os
import re
import sys
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import pytest
from stemlane.errors import PluginError
from stemlane.plugin import hosting, install, named_presets, places, presets, status
from support.presets import build_component, build_preset

XML = (
    '<?xml version="1.0" encoding="UTF-8"?> <STEMLANE version="1" model="live" vocals_gain="0.0" vocals_mute="Off" '
    'bypass="Off" engine_state="ready" engine_text="running &lt;live&gt;" latency_samples="2560"/>'
)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A bundle to install, in a home of its own."""
    path = tmp_path / "a b ü" / "Stemlane.vst3"
    (path / "Contents" / "x86_64-linux").mkdir(parents=True)
    (path / "Contents" / "x86_64-linux" / "stemlane-engine").write_text("#!/bin/sh\nexit 2\n", encoding="utf-8")
    (path / "Contents" / "Resources").mkdir()
    (path / "Contents" / "Resources" / "models.index").write_text("# none\n", encoding="utf-8")
    monkeypatch.setenv("STEMLANE_PLUGIN", str(path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return path


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_linked_install_copies_and_binds_to_this_python(bundle):
    target = install.install_linked()
    assert target == Path.home() / ".vst3" / "Stemlane.vst3"
    assert (target / "Contents" / "Resources" / "models.index").read_text(encoding="utf-8") == "# none\n"
    text = (target / "Contents" / "Resources" / "engine.conf").read_text(encoding="utf-8")
    python = Path(text.removeprefix("python=").removesuffix("\n"))
    assert python.is_absolute() and python.exists()
    assert python == Path(sys.prefix) / "bin" / "python3"  # not resolved: the link is what belongs to the environment
    assert not places.engine_configuration(bundle).exists()
    assert names(target.parent) == ["Stemlane.vst3"]


def test_install_replaces_an_older_one_whole(bundle):
    target = install.install_linked()
    (target / "Contents" / "old").write_text("", encoding="utf-8")
    install.install_linked()
    assert names(target / "Contents") == ["Resources", "x86_64-linux"]
    assert names(target.parent) == ["Stemlane.vst3"]


def test_a_failed_install_keeps_the_older_one(bundle, monkeypatch):
    target = install.install_linked()
    (target / "Contents" / "old").write_text("", encoding="utf-8")
    monkeypatch.setattr(places, "engine_configuration", lambda bundle: Path("/proc/none/engine.conf"))
    with pytest.raises(PluginError, match="cannot be written"):
        install.install_linked()
    assert "old" in names(target / "Contents")
    assert names(target.parent) == ["Stemlane.vst3"]


def test_an_interrupted_install_keeps_the_older_one(bundle, monkeypatch):
    target = install.install_linked()
    (target / "Contents" / "old").write_text("", encoding="utf-8")
    rename = Path.rename

    def interrupted(self, other):
        if self.suffix == ".partial":
            raise KeyboardInterrupt
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install.install_linked()
    assert (target / "Contents" / "old").exists() and names(target.parent) == ["Stemlane.vst3"]


def test_a_system_without_bundles_says_so_and_what_to_do(bundle, monkeypatch):
    for system in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", system)
        with pytest.raises(
            PluginError, match=f"on Linux alone so far, not on {system}; .*'stemlane plugin install --link'"
        ):
            install.make_bundle(bundle.parent / "made")
        monkeypatch.undo()
        assert not (bundle.parent / "made" / "Stemlane.vst3").exists()


def test_a_full_disk_is_one_reason(bundle, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr("shutil.copystat", lambda *_, **__: None)
    monkeypatch.setattr("shutil.copyfile", lambda source, target, **_: full(source, target))
    with pytest.raises(
        PluginError, match=r"Stemlane.vst3: cannot be written \(\[Errno 28\] No space left on device[^,]*\)$"
    ):
        install.install_linked()
    assert names(Path.home() / ".vst3") == []


def test_install_replaces_a_link_and_leaves_what_it_points_to(bundle):
    target = places.installed_path()
    target.parent.mkdir(parents=True)
    target.symlink_to(bundle)
    install.install_linked()
    assert not target.is_symlink() and bundle.is_dir()


def test_uninstall(bundle):
    with pytest.raises(PluginError, match="nothing to uninstall"):
        install.uninstall()
    target = install.install_linked()
    assert install.uninstall() == target
    assert names(target.parent) == []


@pytest.mark.parametrize(
    "system, folder",
    [
        ("linux", ".vst3"),
        ("darwin", "Library/Audio/Plug-Ins/VST3"),
        ("win32", "AppData/Local/Programs/Common/VST3"),
    ],
)
def test_each_system_has_its_own_folder_for_plugins(monkeypatch, system, folder):
    monkeypatch.setattr(places.sys, "platform", system)
    assert places.installed_path() == Path.home() / folder / "Stemlane.vst3"


def test_the_engine_of_windows_is_found(tmp_path):
    engine = tmp_path / "Contents" / "x86_64-win" / "stemlane-engine.exe"
    engine.parent.mkdir(parents=True)
    engine.touch()
    assert places.engine_path(tmp_path) == engine


def test_paths(bundle, monkeypatch, tmp_path):
    assert places.plugin_path() == str(bundle)
    assert places.engine_path(bundle).name == "stemlane-engine"
    with pytest.raises(PluginError, match="holds no stemlane-engine"):
        places.engine_path(tmp_path)
    monkeypatch.setenv("STEMLANE_PLUGIN", str(tmp_path / "none.vst3"))
    with pytest.raises(PluginError, match="none.vst3, which is not a plugin bundle"):
        places.plugin_path()


def test_states_are_read_and_replaced():
    preset = build_preset(build_component(XML))
    state = presets.read(preset)
    assert (state.get("model"), state.get("engine_text")) == ("live", "running <live>")
    state.set("model", "ü & <model> with a longer name")
    changed = presets.replaced(preset, state)
    assert presets.read(changed).attrib == state.attrib
    # All else is as it was: class, the wrapper's own data behind the XML, the other chunk.
    text = ElementTree.tostring(state, encoding="utf-8", xml_declaration=True).decode()
    assert changed == build_preset(build_component(text))


@pytest.mark.parametrize(
    "preset",
    [
        b"",
        b"VST3" + bytes(20),
        b"VST4" + bytes(100),
        build_preset(build_component(XML))[:-10],
        build_preset(b""),
        build_preset(b"something else entirely"),
        build_preset(build_component("<OTHER/>")),
        build_preset(build_component("<STEMLANE")),
    ],
)
def test_states_that_are_not_ours(preset):
    with pytest.raises(PluginError, match="the plugin's state is"):
        presets.read(preset)


def test_parameters_are_set_by_id():
    state = presets.read(build_preset(build_component(XML)))
    presets.set_parameter(state, "vocals_gain", "-inf")
    presets.set_parameter(state, "vocals_mute", True)
    assert (state.get("vocals_gain"), state.get("vocals_mute")) == ("-inf", "On")
    presets.set_parameter(state, "vocals_gain", 3)
    assert state.get("vocals_gain") == "3.0"
    presets.set_parameter(state, "vocals_gain_db", "+4,5 dB")
    assert state.get("vocals_gain") == "4.5"
    for name, value, words in [
        ("model", "x", "no parameter 'model', it has: vocals_gain_db, vocals_mute, bypass"),
        ("flute_gain", 0, "no parameter 'flute_gain'"),
        ("vocals_mute", 1, "vocals_mute is 1, should be True or False"),
    ]:
        with pytest.raises(PluginError, match=words):
            presets.set_parameter(state, name, value)


def test_a_preset_sets_what_it_names(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "stemlane" / "presets"
    folder.mkdir(parents=True)
    text = '<STEMLANE version="1" vocals_gain="-4.5" vocals_mute="On" flute_gain="3"/>'
    (folder / "Gig.xml").write_text(text, encoding="utf-8")
    for preset in ("Gig", folder / "Gig.xml", str(folder / "Gig.xml")):
        state = presets.read(build_preset(build_component(XML)))
        named_presets.load(state, preset)
        assert (state.get("vocals_gain"), state.get("vocals_mute"), state.get("model")) == ("-4.5", "On", "live")
        assert state.get("flute_gain") is None


def test_the_built_in_presets_are_the_editors():
    """The plugin's own list, and that each can be loaded by its name."""
    source = (Path(__file__).parents[3] / "plugin" / "processor" / "Presets.cpp").read_text(encoding="utf-8")
    table = source.partition("builtInPresets() {")[2].partition("};")[0].replace("kOn", '"On"')
    entries = re.findall(r'\{"([^"]+)",\s*\{((?:\{"\w+", "[^"]+"\},?\s*)+)\}', table)
    found = {name: dict(re.findall(r'\{"(\w+)", "([^"]+)"\}', settings)) for name, settings in entries}
    assert found == named_presets.BUILT_IN and len(found) == 11
    state = ElementTree.Element("STEMLANE", dict.fromkeys(("vocals_gain", "drums_gain", "bass_gain"), "0.0"))
    named_presets.load(state, "Learn the bass")
    assert state.attrib == {"vocals_gain": "-6.0", "drums_gain": "-6.0", "bass_gain": "6.0"}


def test_a_preset_is_a_name_before_it_is_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "stemlane" / "presets"
    folder.mkdir(parents=True)
    for path, gain in (
        (folder / "Take 1.xml.xml", 1), (folder / "Karaoke.xml", 2),
        (tmp_path / "Take 1.xml", 3), (tmp_path / "b.xml", 4),
    ):  # fmt: skip
        path.write_text(f'<STEMLANE vocals_gain="{gain}.0"/>', encoding="utf-8")
    for preset, gain in (
        ("Take 1.xml", "1.0"), ("Karaoke", "2.0"),
        ("./Take 1.xml", "3.0"), (Path("Take 1.xml"), "3.0"), ("b.xml", "4.0"),
    ):  # fmt: skip
        state = ElementTree.Element("STEMLANE", {"vocals_gain": "0.0", "vocals_mute": "Off"})
        named_presets.load(state, preset)
        assert state.attrib == {"vocals_gain": gain, "vocals_mute": "Off"}
    with pytest.raises(PluginError, match=r"no preset 'Karaok', did you mean 'Karaoke'\? There are: Karaoke, A"):
        named_presets.load(state, "Karaok")
    with pytest.raises(
        PluginError,
        match="there is no preset 'Mine'; there are: Karaoke, A cappella.*, Take 1.xml; your own are in .*presets$",
    ):
        named_presets.load(state, "Mine")
    with pytest.raises(PluginError, match=r"no preset 'take 1', did you mean 'Take 1.xml'\? There are"):
        named_presets.load(state, "take 1")


@pytest.mark.parametrize(
    "text, words",
    [
        (None, "no preset can be read: No such file"),
        ("<OTHER/>", "is <OTHER>, should be <STEMLANE>"),
        ("<STEMLANE", "is not XML"),
        ("<!DOCTYPE a><STEMLANE/>", "declares entities"),
        (f"<STEMLANE a='{'x' * 300_000}'/>", "more than 262144"),
        ("<STEMLANE vocals_gain='loud'/>", "preset.xml: .*'loud'"),
        ("<STEMLANE vocals_mute='maybe'/>", "preset.xml: parameter vocals_mute is 'maybe', should be True or False"),
    ],
)
def test_what_is_no_preset_is_refused(tmp_path, text, words):
    path = tmp_path / "preset.xml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    state = presets.read(build_preset(build_component(XML)))
    with pytest.raises(PluginError, match=words):
        named_presets.load(state, path)


def test_load_plugin_sets_the_state_of_what_pedalboard_loads(bundle, tiny_models, monkeypatch):
    said = "ready: running <live>: " + "a long text, " * 50

    class Status:
        def get_text_for_raw_value(self, value):
            piece = round(value * 31)
            return said[60 * piece : 60 * (piece + 1)]

    class Loaded:
        preset_data = build_preset(build_component(XML))
        parameters: ClassVar = {"engine_status": Status()}
        reported_latency_samples = 2560

    from stemlane.plugin import pedalboard_plugin

    paths = []
    monkeypatch.setattr(pedalboard_plugin, "ScriptedPlugin", lambda path: paths.append(path) or Loaded())
    loaded = hosting.load_plugin("default", vocals_gain_db="-inf")
    assert paths == [str(bundle)]
    found = status.plugin_status(loaded)
    assert found == status.PluginStatus("ready", said.removeprefix("ready: "), "mix", 2560)
    assert presets.read(loaded.preset_data).get("vocals_gain") == "-inf"

    def broken(path):
        raise ImportError("Unable to load plugin:\nunknown reason")

    monkeypatch.setattr(pedalboard_plugin, "ScriptedPlugin", broken)
    with pytest.raises(PluginError, match="cannot load it: Unable to load plugin: unknown reason"):
        hosting.load_plugin()


def test_load_plugin_without_pedalboard(bundle, tiny_models, monkeypatch):
    monkeypatch.setitem(sys.modules, "pedalboard", None)
    monkeypatch.delitem(sys.modules, "stemlane.plugin.pedalboard_plugin", raising=False)
    with pytest.raises(PluginError, match="pip install pedalboard"):
        hosting.load_plugin()


def test_bundles_of_read_only_sources_can_be_replaced(bundle):
    os.chmod(bundle / "Contents" / "x86_64-linux" / "stemlane-engine", 0o555)
    target = install.install_linked()
    install.install_linked()
    assert os.access(places.engine_path(target), os.X_OK)
