# SPDX-License-Identifier: MIT
"""Loads the plugin into pedalboard with a model and parameters set.

What the saved state looks like inside is the business of `presets`.
"""

import os
from typing import TYPE_CHECKING

from stemlane.errors import PluginError
from stemlane.plugin import named_presets, parameters, presets
from stemlane.plugin.places import plugin_path

if TYPE_CHECKING:
    from pathlib import Path

    from stemlane.plugin.pedalboard_plugin import ScriptedPlugin


def load_plugin(
    model: str = "default", *, preset: "str | Path | None" = None, **values: float | str | bool
) -> "ScriptedPlugin":
    """Load the plugin into pedalboard.

    Parameters
    ----------
    model
        Name of an installed model, or `default`.
    preset
        A preset from the editor's menu by its name, such as `"Karaoke"` or one you saved, or the path of a preset's
        file. It is set first.
    values
        Parameters by the names they have on the loaded plugin: `vocals_gain_db="-inf"`, `drums_gain_db=3.0`,
        `bass_mute=True`, `other_solo=True`, `output_gain_db=-6`. `vocals_gain` is the same as `vocals_gain_db`.

    Returns
    -------
    ScriptedPlugin
        A `pedalboard.VST3Plugin`. Its `process` raises `EngineError` where stems were missing, and `PluginError` at a
        rate at which nothing can be separated. A `Pedalboard` that holds it cannot raise: ask `plugin_status` then.

    Raises
    ------
    PluginError
        If pedalboard or the plugin is missing, a parameter is unknown, the preset cannot be read, or this process is a
        fork of one that has loaded the plugin.

    Examples
    --------
    >>> import numpy as np
    >>> plugin = load_plugin("live", preset="Karaoke", drums_gain_db=3)
    >>> plugin.vocals_mute, plugin.drums_gain_db
    (True, 3.0)
    >>> plugin.process(np.zeros((2, 44100), np.float32), 44100).shape
    (2, 44100)
    """
    from stemlane.manifests.registry import find_model

    _check_not_forked()
    name = find_model(model).name
    path = plugin_path()
    try:
        from stemlane.plugin.pedalboard_plugin import ScriptedPlugin
    except ImportError:
        raise PluginError("pedalboard is not installed; run 'pip install pedalboard'") from None
    try:
        plugin = ScriptedPlugin(path)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise PluginError(f"{path}: pedalboard cannot load it: {' '.join(str(error).split())}") from None
    state = presets.read(plugin.preset_data)
    state.set("model", name)
    if preset is not None:
        named_presets.load(state, preset)
    for name, value in values.items():
        presets.set_parameter(state, name, value)
        if parameters.parameter_id(name) != name and parameters.parameter_id(name) in values:
            raise PluginError(f"{parameters.parameter_id(name)} and {name} are the same parameter; leave one out")
    plugin.preset_data = presets.replaced(plugin.preset_data, state)
    return plugin


_loaded_by: int | None = None  # id of the process that has loaded the plugin first


def _check_not_forked() -> None:
    """Raise `PluginError` where JUCE would wait forever for a message thread that has not survived a fork."""
    global _loaded_by  # noqa: PLW0603 - JUCE is one for the process, too
    if _loaded_by not in (None, os.getpid()):
        raise PluginError(
            "this process is a fork of one that has loaded the plugin, whose threads a fork does not have; "
            "start workers with multiprocessing.get_context('spawn')"
        )
    _loaded_by = os.getpid()
