# SPDX-License-Identifier: MIT
"""The argument parser of all commands, and what arguments of several of them have in common."""

import argparse
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from stemlane.cli.output import printable, say_lines
from stemlane.contract import PROVIDERS

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

# What takes commands: argparse has no public name for it.
Group: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Run = Callable[[argparse.Namespace], int | None]
_FAMILIES = ("spleeter", "open-unmix")  # whose models have names with a colon


class Parser(argparse.ArgumentParser):
    """An argument parser that repeats what it was given without control characters."""

    def error(self, message: str) -> NoReturn:
        """End the command with a message, and where its options are explained."""
        self.exit(2, f"{self.prog}: {printable(message)}\nTry '{self.prog} --help'.\n")

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        if message and file is sys.stdout:  # help and version
            say_lines(message.removesuffix("\n"))
        else:
            super()._print_message(message, file)


def add_command(parent: Group, name: str, run: Run, text: str, examples: str = "") -> argparse.ArgumentParser:
    """Add the command `name` to a group of commands; `run` takes the parsed options and returns the exit status.

    They hold `refuse` too, which ends the command with its usage and a text.
    """
    added: argparse.ArgumentParser = parent.add_parser(
        name, help=text, description=text, epilog=f"examples:{examples}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    added.set_defaults(run=run, refuse=added.error)
    return added


def add_group(parent: Group, name: str, text: str, examples: str) -> Group:
    """Add a command that has commands of its own."""
    added = parent.add_parser(
        name, help=text, description=text, epilog=f"examples:{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    return added.add_subparsers(required=True, metavar="COMMAND")


def actions_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The arguments and options of a parser, its commands not among them: argparse has no public name for them."""
    return [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser by name, none if it has none."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    return dict(groups[0].choices) if groups else {}


def add_model(parser: "argparse._ActionsContainer") -> None:
    """Add the option that chooses the model; Demucs calls it -n, Spleeter -p."""
    parser.add_argument(
        "-m", "-n", "-p", "--model", default="default", type=model_name, metavar="NAME",
        help="see 'stemlane models list'; spleeter:4stems is spleeter-4stems (default: studio)",
    )  # fmt: skip
    add_provider(parser)
    parser.add_argument(
        "--threads", type=_num_threads, metavar="N",
        help="how many threads work on one recording, where the model can use more than one (default: OMP_NUM_THREADS, "
        "or one for each processor, up to 8)",
    )  # fmt: skip


def add_focus(parser: "argparse._ActionsContainer") -> None:
    """Add the option that says how sharply stems are told apart."""
    parser.add_argument(
        "--focus", action="append", default=[], metavar="STEM=PERCENT",
        help="for the models that come with Stemlane: above 50 a stem keeps only what is clearly its own, below it "
        "also what is doubtful, and the others get the rest; repeat for more stems",
    )  # fmt: skip


def add_provider(parser: "argparse._ActionsContainer") -> None:
    """Add the option that chooses what computes the networks."""
    parser.add_argument(
        "--provider", choices=PROVIDERS, metavar="NAME",
        help=f"what runs the networks: {', '.join(PROVIDERS)} (default: STEMLANE_PROVIDER, or cpu)",
    )  # fmt: skip


def model_name(text: str) -> str:
    """The name of an installed model, from what it is called where it comes from.

    >>> model_name("spleeter:4stems-16kHz"), model_name("mix")
    ('spleeter-4stems-16khz', 'mix')
    """
    family, colon, variant = given(text).partition(":")
    return f"{family}-{variant}".lower() if colon and family in _FAMILIES else text


def _num_threads(text: str) -> int:
    from stemlane.arguments import MOST_THREADS  # loads NumPy, which is not there when a build writes the manual page

    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MOST_THREADS:
        raise argparse.ArgumentTypeError(f"is {printable(text)!r}, should be a number from 1 to {MOST_THREADS}")
    return int(text)


def seconds(text: str) -> float:
    """A time in seconds, of seconds or of minutes or hours with colons.

    >>> seconds("90"), seconds("1:30"), seconds("1:00:01.5")
    (90.0, 90.0, 3601.5)
    """
    clock = re.fullmatch(r"(?:(\d{1,9}):)?(\d{1,9}):([0-5]?\d(?:\.\d*)?)", text.strip(), re.ASCII)
    if clock and (clock[1] is None or int(clock[2]) < 60):
        return 3600.0 * int(clock[1] or 0) + 60.0 * int(clock[2]) + float(clock[3])
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"is {printable(text)!r}, should be seconds, or like 1:30") from None


def given(text: str) -> str:
    """The text of an argument, which must not be empty, as a shell's unset variable is."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty")
    return text


def names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in given(text.strip(" ,")).split(",") if name.strip()]
