# SPDX-License-Identifier: MIT
"""The plugin as `load_plugin` gives it to scripts: pedalboard's, but for what pedalboard lets pass without a word."""

import weakref
from typing import Any

import numpy as np
import pedalboard

from stemlane.arguments import is_number, shown
from stemlane.contract import HIGHEST_RATE, INCOMPLETE_RENDER, LOWEST_RATE
from stemlane.errors import EngineError, PluginError
from stemlane.plugin import parameters
from stemlane.plugin.status import status_text

_BASE: Any = pedalboard.VST3Plugin  # its stubs know nothing of what it mixes in


class ScriptedPlugin(pedalboard.VST3Plugin):
    """A `pedalboard.VST3Plugin` that raises where the result would be wrong.

    A parameter that the plugin does not have cannot be set, nor one to what it does not take. `process` raises
    `EngineError` where stems were missing, so that a part of the output is the mixture, and `PluginError` at a rate at
    which nothing can be separated. Calling the plugin is the same.

    In a `Pedalboard` pedalboard's own code runs the plugin, and nothing is raised: ask `plugin_status` afterwards.
    """

    def __init__(self, path: str):
        super().__init__(path)
        found = self.parameters
        self._names = tuple(name for name in found if name != parameters.STATUS)
        self._status = found[parameters.STATUS]  # looking it up takes 0.3 ms, and it is asked after every block

    def process(self, input_array: np.ndarray, sample_rate: float, *arguments: Any, **options: Any) -> np.ndarray:  # type: ignore[override]  # pedalboard's second form is for instruments
        """Process (channels, samples), as `pedalboard.VST3Plugin.process` does.

        Raises
        ------
        PluginError
            At a rate at which nothing can be separated.
        EngineError
            If stems were missing: the engine has failed, or cannot run. The next render starts it again.
        """
        if not is_number(sample_rate, LOWEST_RATE, HIGHEST_RATE):
            raise PluginError(
                f"the sample rate is {shown(sample_rate)} Hz, should be from {LOWEST_RATE} to {HIGHEST_RATE}"
            )
        output: np.ndarray = super().process(input_array, sample_rate, *arguments, **options)
        if self._status.get_text_for_raw_value(0.0).startswith(f"failed: {INCOMPLETE_RENDER}"):
            raise EngineError(status_text(self).partition(": ")[2])
        return output

    def __call__(self, *arguments: Any, **options: Any) -> np.ndarray:
        """The same as `process`."""
        return self.process(*arguments, **options)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            if name not in self._names and name != parameters.STATUS:
                raise PluginError(parameters.unknown(name, self._names))
            value = parameters.checked(name, value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)  # type: ignore[misc]  # as below
        except AttributeError:
            if name.startswith("_"):
                raise
            raise AttributeError(parameters.unknown(name, self._names)) from None

    # pedalboard's parameters refer to their plugin. Of a subclass Python never frees an instance in such a cycle: its
    # dictionary is visited twice. So they get a weak reference.

    def _get_parameters(self) -> Any:
        return _BASE._get_parameters(weakref.proxy(self))  # noqa: SLF001

    def _get_parameter_by_python_name(self, name: str) -> Any:
        return _BASE._get_parameter_by_python_name(weakref.proxy(self), name)  # noqa: SLF001
