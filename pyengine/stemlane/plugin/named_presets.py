# SPDX-License-Identifier: MIT
"""The presets of the plugin's menu for scripts: those that come with the plugin, and the user's own files.

A preset is a plain set of parameters; the plugin's Presets.h says more. `presets` knows the state it goes into.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from stemlane.arguments import near_miss, path_text, shown
from stemlane.contract import PRESETS_FOLDER
from stemlane.errors import PluginError, StemlaneError, one_line
from stemlane.plugin.presets import element_of, set_parameter
from stemlane.regular_files import read_regular
from stemlane.user_folders import data_folder

# The plugin's own list is in plugin/processor/Presets.cpp; a test compares.
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "Karaoke": {"vocals_mute": "On"},
    "A cappella": {"vocals_solo": "On"},
    "Drumless": {"drums_mute": "On"},
    "Bass practice": {"bass_mute": "On"},
    "Drums + bass": {"drums_solo": "On", "bass_solo": "On"},
    "Vocals +3 dB": {"vocals_gain": "3.0"},
    "Vocals -3 dB": {"vocals_gain": "-3.0"},
    "Drums +3 dB": {"drums_gain": "3.0"},
    "Learn the bass": {"bass_gain": "6.0", "drums_gain": "-6.0", "vocals_gain": "-6.0"},
    "Drums alone": {"drums_solo": "On"},
    "Bass alone": {"bass_solo": "On"},
}
_ENDING = ".xml"
_HIGHEST_FILE_BYTES = 1 << 18  # as the plugin reads
_SWITCH = {"On": True, "Off": False}


def load(state: ElementTree.Element, preset: str | Path) -> None:
    """Set what a preset names; parameters that this version does not have are left out.

    Parameters
    ----------
    state
        The element <STEMLANE> of a plugin, which is changed.
    preset
        A name from the plugin's menu, or the path of a preset's file. A text is a path if it has a slash in it, or if
        it ends in `.xml` and the menu has no such name. A preset of the user's comes before a built-in one of the same
        name.

    Raises
    ------
    InputError
        If the preset is neither a name nor a path.
    PluginError
        If there is no such preset, or it is damaged.
    """
    what, settings = _settings(preset)
    for name, value in settings.items():
        if name not in state.attrib:
            continue
        try:
            if name.endswith(("_gain", "_focus")):
                set_parameter(state, name, value)
            elif name.endswith(("_mute", "_solo")):
                set_parameter(state, name, _SWITCH.get(value, value))
        except StemlaneError as error:
            raise PluginError(f"{what}: {one_line(error)}") from None


def _settings(preset: str | Path) -> tuple[str, Mapping[str, str]]:
    """What messages call a preset, and its parameters as a state writes them."""
    text = path_text(preset, "preset")
    if not isinstance(preset, Path) and not _has_separator(text):
        own = data_folder() / PRESETS_FOLDER / f"{text}{_ENDING}"
        if own.is_file():
            return _from_file(own)
        if text in BUILT_IN:
            return f"preset {text!r}", BUILT_IN[text]
        if not text.endswith(_ENDING):
            saved = sorted(path.stem for path in own.parent.glob(f"*{_ENDING}"))
            near = near_miss(text, [*BUILT_IN, *saved])
            there = f"{near} There are" if near else "; there are"
            listed = ", ".join([*BUILT_IN, *saved])
            raise PluginError(f"there is no preset {shown(text)}{there}: {listed}; your own are in {own.parent}")
    return _from_file(Path(text))


def _has_separator(text: str) -> bool:
    return any(separator in text for separator in (os.sep, os.altsep) if separator)


def _from_file(path: Path) -> tuple[str, Mapping[str, str]]:
    try:
        text = read_regular(path, _HIGHEST_FILE_BYTES)
    except OSError as error:
        raise PluginError(f"{path}: no preset can be read: {error.strerror}") from None
    return str(path), element_of(text, str(path)).attrib
