# SPDX-License-Identifier: MIT
"""What commands print. A terminal gets no control characters from file names, tags or models."""

import contextlib
import re
import sys

from stemlane.cli import process
from stemlane.errors import InputError
from stemlane.passwords import without_password

# C0 and C1 controls, what turns the direction of text, line ends of Unicode, and bytes of names that are no text.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]")


def printable(text: str) -> str:
    r"""`text` with everything that could steer a terminal spelled out, and without the passwords of addresses.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _UNSAFE.sub(
        lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), without_password(text)
    )


def say(text: str) -> None:
    """Print one line of a command's result. A program that reads it gets it as it is."""
    try:
        print(printable(text) if sys.stdout.isatty() else text)
    except BrokenPipeError:
        raise
    except OSError as error:
        process.drop_output()
        raise InputError(f"standard output: cannot be written ({error.strerror or error})") from None


def say_lines(text: str) -> None:
    """Print a text of several lines, made by us."""
    for line in text.split("\n"):
        say(line)


def tell(text: str) -> None:
    """Print one line for people, on standard error; if nobody can be told, there is nobody to tell that."""
    with contextlib.suppress(OSError):
        print(f"stemlane: {printable(text)}", file=sys.stderr)


def warn(text: str) -> None:
    """Print a warning."""
    tell(f"warning: {text}")
