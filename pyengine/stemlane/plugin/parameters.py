# SPDX-License-Identifier: MIT
"""The plugin's parameters by name, and what a user may set them to."""

import difflib
from collections.abc import Sequence

import numpy as np

from stemlane.arguments import shown
from stemlane.contract import SILENT_DB
from stemlane.errors import PluginError
from stemlane.units import parse_focus, parse_gain

STATUS = "engine_status"  # says how the engine is, and cannot be set
_FADER = "_gain"
_FOCUS = "_focus"
_UNIT = "_db"  # what pedalboard adds to the name of a parameter in dB


def parameter_id(name: str) -> str:
    """The id in a saved state of the parameter that a script calls `name`: `vocals_gain_db` and `vocals_gain` are one.

    >>> parameter_id("vocals_gain_db"), parameter_id("bypass")
    ('vocals_gain', 'bypass')
    """
    return name.removesuffix(_UNIT) if name.endswith(_FADER + _UNIT) else name


def name_in_scripts(identifier: str) -> str:
    """What a loaded plugin's attribute is called.

    >>> name_in_scripts("vocals_gain")
    'vocals_gain_db'
    """
    return identifier + _UNIT if identifier.endswith(_FADER) else identifier


def unknown(name: str, known: Sequence[str]) -> str:
    """Text on a parameter that the plugin does not have, with the most similar one it has."""
    similar = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {similar[0]!r}?" if similar else f", it has: {', '.join(known)}"
    return f"the plugin has no parameter {shown(name)}{hint}"


def checked(name: str, value: object) -> float | bool:
    """A parameter's value: dB, minus infinity for silence, per cent of a focus, or whether a switch is on.

    Raises
    ------
    StemlaneError
        If it is not what the parameter takes: a gain, a number from 0 to 100, or True or False.
    """
    identifier = parameter_id(name)
    if identifier.endswith(_FADER):
        gain_db = parse_gain(value, identifier.removesuffix(_FADER))
        return float("-inf") if gain_db <= SILENT_DB else gain_db
    if identifier.endswith(_FOCUS):
        return parse_focus(value, identifier.removesuffix(_FOCUS))
    if name == STATUS:
        raise PluginError(f"{STATUS} says how the engine is and cannot be set")
    if not isinstance(value, (bool, np.bool_)):
        raise PluginError(f"parameter {name} is {shown(value)}, should be True or False")
    return bool(value)
