# SPDX-License-Identifier: MIT
"""Writes the manual page from the parser: `python -m stemlane.cli.man_page` prints it. The build installs it.

It needs the standard library alone, so that it runs before anything is installed. argparse-manpage was tried: it
leaves out the commands' examples, and it would be one more thing that a build needs.
"""

import argparse
import sys
from collections.abc import Iterator

from stemlane import __version__
from stemlane.cli.parser import actions_of, commands_of

_EXIT_STATUS = (
    "0 if all went well; 1 if something failed, which standard error says; 2 after a wrong argument; 128 plus the "
    "number of the signal after an interruption."
)
_ENVIRONMENT = {
    "STEMLANE_MODELS": "folder with more models, one folder for each",
    "STEMLANE_MIRROR": "where official weights are fetched from instead of their makers' servers",
    "STEMLANE_PYTHON": "the Python that the plugin's engine runs, where the bundle has none",
    "STEMLANE_DEBUG": "if set, unexpected errors show where they came from",
}


def page(root: argparse.ArgumentParser) -> str:
    """The page in roff, with the macros of man(7)."""
    lines = [
        f'.TH STEMLANE 1 "" "stemlane {_text(__version__)}" "User Commands"',
        *(".SH NAME", rf"stemlane \- {_text(root.description or '')}"),
        *(".SH SYNOPSIS", _usage(root)),
        *(".SH OPTIONS", *_arguments(root)),
        ".SH COMMANDS",
    ]
    for command in _leaves(root):
        lines += [f".SS {_text(command.prog)}", _text(command.description or ""), ".PP", _usage(command)]
        lines += [*_arguments(command), ".PP", *_examples(command)]
    lines += [".SH EXIT STATUS", _text(_EXIT_STATUS), ".SH ENVIRONMENT"]
    for name, text in _ENVIRONMENT.items():
        lines += [".TP", _bold(name), _text(text)]
    return "\n".join([*lines, ".SH EXAMPLES", *_examples(root)]) + "\n"


def _leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command that does something, in order."""
    commands = commands_of(parser)
    if not commands:
        yield parser
    for command in commands.values():
        yield from _leaves(command)


def _usage(parser: argparse.ArgumentParser) -> str:
    words = parser.format_usage().split()[1:]
    num_named = len(parser.prog.split())
    return f"{_bold(parser.prog)} {_text(' '.join(words[num_named:]))}"


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    lines = []
    for action in actions_of(parser):
        if isinstance(action, argparse._HelpAction):  # noqa: SLF001 - argparse has no public name for it
            continue
        takes = action.metavar or action.dest if action.nargs != 0 else ""
        value = _italic(str(takes)) if takes else ""
        names = [f"{_bold(name)} {value}".rstrip() for name in action.option_strings] or [value]
        text = (action.help or "") % {**vars(action), "prog": parser.prog}
        lines += [".TP", ", ".join(names), _text(text)]
    return lines


def _examples(parser: argparse.ArgumentParser) -> list[str]:
    """The end of a help text, as it is."""
    heading, _, text = (parser.epilog or "").partition("\n")
    if not text:
        return []
    label = [] if len(parser.prog.split()) == 1 else [f"{_text(heading.capitalize())}", ".PP"]
    return [*label, ".nf", *(_text(line) for line in text.strip("\n").splitlines()), ".fi"]


def _text(text: str) -> str:
    r"""Plain text in roff: hyphens that can be copied, and no line that begins like a request.

    >>> print(_text("-o a\\b"), _text(".mp3"))
    \-o a\eb \&.mp3
    """
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _bold(text: str) -> str:
    return rf"\fB{_text(text)}\fR"


def _italic(text: str) -> str:
    return rf"\fI{_text(text)}\fR"


if __name__ == "__main__":
    from stemlane.cli.main import build_parser

    sys.stdout.buffer.write(page(build_parser()).encode("utf-8"))  # whatever the builder's locale is
