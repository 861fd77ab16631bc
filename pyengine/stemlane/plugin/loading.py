# SPDX-License-Identifier: MIT
"""Loads the plugin into pedalboard with a model and parameters set, and asks it how its engine is.

What the saved state looks like inside is `plugin_state`'s business.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemlane.errors import PluginError
from stemlane.plugin import state as plugin_state
from stemlane.plugin.places import plugin_path

if TYPE_CHECKING:
    import pedalboard


def load_plugin(model: str = "default", **parameters: float | str | bool) -> "pedalboard.VST3Plugin":
    """Load the plugin into pedalboard.

    Parameters
    ----------
    model
        Name of an installed model, or `default`.
    parameters
        By id: `vocals_gain="-inf"`, `drums_gain=3.0` (dB), `bass_mute=True`, `other_solo=True`, `output_gain=-6`.

    Returns
    -------
    pedalboard.VST3Plugin

    Raises
    ------
    PluginError
        If pedalboard or the plugin is missing, or a parameter is unknown.
    """
    from stemlane.manifests.registry import find_model

    name = find_model(model).name
    path = plugin_path()
    try:
        import pedalboard
    except ImportError:
        raise PluginError("pedalboard is not installed; run 'pip install pedalboard'") from None
    try:
        plugin = pedalboard.VST3Plugin(path)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise PluginError(f"{path}: pedalboard cannot load it: {' '.join(str(error).split())}") from None
    state = plugin_state.read(plugin.preset_data)
    state.set("model", name)
    for parameter, value in parameters.items():
        plugin_state.set_parameter(state, parameter, value)
    plugin.preset_data = plugin_state.replaced(plugin.preset_data, state)
    return plugin


@dataclass(frozen=True)
class PluginStatus:
    """What a plugin says about its engine.

    Attributes
    ----------
    engine_state
        `starting`, `ready`, `late` or `failed`.
    engine_text
        The same in words, with the remedy after a failure.
    model
        Name of its model.
    latency_samples
        Delay from input to output at the host's rate.
    """

    engine_state: str
    engine_text: str
    model: str
    latency_samples: int


def plugin_status(plugin: "pedalboard.VST3Plugin") -> PluginStatus:
    """Ask a plugin loaded in pedalboard how its engine is."""
    state = plugin_state.read(plugin.preset_data)
    return PluginStatus(
        engine_state=state.get("engine_state", ""),
        engine_text=state.get("engine_text", ""),
        model=state.get("model", ""),
        latency_samples=int(state.get("latency_samples", 0)),
    )
