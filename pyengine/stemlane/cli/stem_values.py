# SPDX-License-Identifier: MIT
"""Options that give a value to a stem."""

from collections.abc import Sequence

from stemlane.errors import InputError

_EXAMPLES = {"gain": "vocals=-inf or drums=+3", "focus": "vocals=70"}


def stem_values(options: Sequence[str], option: str) -> dict[str, str]:
    """Values by stem, of what was given to `--gain` or `--focus`.

    >>> stem_values(["vocals=-inf", "drums=+3"], "gain")
    {'vocals': '-inf', 'drums': '+3'}
    """
    values: dict[str, str] = {}
    for text in options:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--{option} {text!r}: should be like {_EXAMPLES[option]}")
        if name.strip() in values:
            raise InputError(f"--{option} {text!r}: {name.strip()} has a {option} already; leave one out")
        values[name.strip()] = value.strip()
    return values
