# SPDX-License-Identifier: MIT
"""Loads the plugin into pedalboard with a model and parameters set, and asks it how its engine is.

What the saved state looks like inside is the business of `presets`.
"""

import functools
import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stemlane.contract import HIGHEST_RATE, LOWEST_RATE
from stemlane.errors import PluginError
from stemlane.plugin import presets
from stemlane.plugin.places import plugin_path

if TYPE_CHECKING:
    import numpy as np
    import pedalboard

_STATUS_PIECES = 32  # as StatusParameter.h


def load_plugin(
    model: str = "default", *, preset: str | Path | None = None, **parameters: float | str | bool
) -> "pedalboard.VST3Plugin":
    """Load the plugin into pedalboard.

    Parameters
    ----------
    model
        Name of an installed model, or `default`.
    preset
        A preset that was saved in the editor: its name, or the path of its file, which ends in `.xml`. It is set first.
    parameters
        By id: `vocals_gain="-inf"`, `drums_gain=3.0` (dB), `bass_mute=True`, `other_solo=True`, `output_gain=-6`.

    Returns
    -------
    pedalboard.VST3Plugin
        Its `process` raises `PluginError` at a rate at which nothing can be separated. (A `Pedalboard` that holds it
        goes past that: there, the mixture passes and `plugin_status` says so.)

    Raises
    ------
    PluginError
        If pedalboard or the plugin is missing, a parameter is unknown, the preset cannot be read, or this process is a fork of one that has
        loaded the plugin.
    """
    from stemlane.manifests.registry import find_model

    _check_not_forked()
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
    state = presets.read(plugin.preset_data)
    state.set("model", name)
    if preset is not None:
        presets.load(state, preset)
    for parameter, value in parameters.items():
        presets.set_parameter(state, parameter, value)
    plugin.preset_data = presets.replaced(plugin.preset_data, state)
    _refuse_impossible_rates(plugin)
    return plugin


_loaded_by: int | None = None  # id of the process that has loaded the plugin first


def _check_not_forked() -> None:
    """Raise `PluginError` where JUCE would wait for ever for a message thread that has not survived a fork."""
    global _loaded_by  # noqa: PLW0603 - JUCE is one for the process, too
    if _loaded_by not in (None, os.getpid()):
        raise PluginError(
            "this process is a fork of one that has loaded the plugin, whose threads a fork does not have; "
            "start workers with multiprocessing.get_context('spawn')"
        )
    _loaded_by = os.getpid()


def _refuse_impossible_rates(plugin: "pedalboard.VST3Plugin") -> None:
    """Let the `process` of this instance raise where it would pass the mixture unseparated.

    Not a subclass: an instance of one is never collected, as pedalboard's parameters refer to their plugin.
    """
    reference, process = weakref.ref(plugin), type(plugin).process

    @functools.wraps(process)
    def checked(input_array: "np.ndarray", sample_rate: float, *arguments: Any, **options: Any) -> "np.ndarray":
        if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise PluginError(f"the sample rate is {sample_rate} Hz, should be from {LOWEST_RATE} to {HIGHEST_RATE}")
        output: np.ndarray = process(
            cast("pedalboard.VST3Plugin", reference()), input_array, sample_rate, *arguments, **options
        )
        return output

    setattr(plugin, "process", checked)  # noqa: B010 - of this instance alone


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
    engine_state, _, engine_text = _status_text(plugin).partition(": ")
    return PluginStatus(
        engine_state=engine_state,
        engine_text=engine_text,
        model=presets.read(plugin.preset_data).get("model", ""),
        latency_samples=plugin.reported_latency_samples,
    )


def _status_text(plugin: "pedalboard.VST3Plugin") -> str:
    """What the parameter "Engine Status" says, in as many pieces as its length takes."""
    try:
        parameter = plugin.parameters["engine_status"]  # type: ignore[attr-defined]  # missing in pedalboard's stubs
    except KeyError:
        raise PluginError("the plugin has no engine status; is it another plugin?") from None

    def read() -> str:
        return "".join(parameter.get_text_for_raw_value(i / (_STATUS_PIECES - 1)) for i in range(_STATUS_PIECES))

    # It may change between two pieces.
    before, now = read(), read()
    while now != before:
        before, now = now, read()
    return now
