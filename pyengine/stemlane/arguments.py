# SPDX-License-Identifier: MIT
"""What callers hand in: whether it is a number or a path, and how a message shows it."""

import math
import numbers
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard

import numpy as np

from stemlane.errors import InputError

MOST_THREADS = 1024  # more than machines have processors; onnxruntime starts whatever it is told
_LONGEST_SHOWN = 60  # characters: a message is one line


def is_number(value: object, lowest: float = -math.inf, highest: float = math.inf) -> TypeGuard[float]:
    """Whether a value is a real number in a range, bounds included; True and False are none, nor is NaN.

    >>> is_number(3, 1, 12), is_number("3"), is_number(True), is_number(float("nan"))
    (True, False, False, False)
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return False
    try:
        return lowest <= float(value) <= highest
    except OverflowError:  # a whole number beyond all floats
        return False


def is_count(value: object, lowest: int, highest: int) -> TypeGuard[int]:
    """Whether a value is a whole number in a range, bounds included."""
    return is_number(value, lowest, highest) and isinstance(value, numbers.Integral)


def shown(value: object) -> str:
    """A value as messages show it: on one line, and not too long.

    >>> shown("x" * 300)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
    """
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # a whole number of more digits than Python writes
        text = f"{type(value).__name__} too large to write"
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def check_names(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise `InputError` naming the first keyword argument that `what` does not take, and what may be meant.

    >>> check_names(["shfts"], ["shifts", "provider"], "Separator")
    Traceback (most recent call last):
    stemlane.errors.InputError: Separator has no option 'shfts', did you mean 'shifts'? It has: shifts, provider
    """
    listed = list(known)
    for name in given:
        if name not in listed:
            near = near_miss(name, listed)
            raise InputError(
                f"{what} has no option {shown(name)}{f'{near} It has' if near else ': it has'}: {', '.join(listed)}"
            )


def near_miss(name: str, known: Iterable[str]) -> str:
    """The end of a message that a name is not known: which one may be meant, or nothing.

    >>> near_miss("karaoke", ["Karaoke", "A cappella"]), near_miss("nope", ["live", "mix"])
    (", did you mean 'Karaoke'?", '')
    """
    import difflib  # only for the message: the engine's start-up time counts

    spelt = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name[:_LONGEST_SHOWN].casefold(), list(spelt), 1)
    return f", did you mean {spelt[near[0]]!r}?" if near else ""


def path_text(value: object, name: str) -> str:
    """The text of a path as it was given, or `InputError` naming the argument."""
    try:
        text = os.fspath(value)  # type: ignore[call-overload]  # what it is not, it refuses
    except TypeError:
        text = None
    if not isinstance(text, str) or "\0" in text:
        raise InputError(f"{name} is {shown(value)}, should be a path")
    return text


def as_path(value: object, name: str) -> Path:
    """The path of a file or folder, or `InputError` naming the argument.

    >>> as_path("a/b.wav", "path").name
    'b.wav'
    """
    return Path(path_text(value, name))
