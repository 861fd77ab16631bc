# SPDX-License-Identifier: MIT
"""What a loaded plugin says about its engine, in the texts of a parameter."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemlane.arguments import shown
from stemlane.errors import PluginError
from stemlane.plugin import presets
from stemlane.plugin.parameters import STATUS

if TYPE_CHECKING:
    import pedalboard

_PIECES = 32  # as StatusParameter.h


@dataclass(frozen=True)
class PluginStatus:
    """The state of a plugin's engine.

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
    """The state of the engine of a plugin loaded in pedalboard.

    Examples
    --------
    >>> import numpy as np
    >>> from stemlane import load_plugin
    >>> plugin = load_plugin("live", vocals_mute=True)
    >>> karaoke = plugin.process(np.full((2, 44100), 0.1, np.float32), 44100)
    >>> status = plugin_status(plugin)
    >>> status.engine_state, status.model
    ('ready', 'live')
    """
    engine_state, _, engine_text = status_text(plugin).partition(": ")
    return PluginStatus(
        engine_state=engine_state,
        engine_text=engine_text,
        model=presets.read(plugin.preset_data).get("model", ""),
        latency_samples=plugin.reported_latency_samples,
    )


def status_text(plugin: "pedalboard.VST3Plugin") -> str:
    """The state and its text, in as many pieces as the length takes."""
    try:
        parameter = plugin.parameters[STATUS]  # type: ignore[attr-defined]  # missing in pedalboard's stubs
    except (AttributeError, KeyError):
        raise PluginError(f"{shown(plugin)} has no engine status; is it another plugin?") from None

    def read() -> str:
        return "".join(parameter.get_text_for_raw_value(i / (_PIECES - 1)) for i in range(_PIECES))

    # It may change between two pieces.
    before, now = read(), read()
    while now != before:
        before, now = now, read()
    return now
