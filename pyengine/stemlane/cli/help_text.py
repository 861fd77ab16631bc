# SPDX-License-Identifier: MIT
"""The command `stemlane help`."""

import argparse

from stemlane.cli.parser import Group, add_command, commands_of

_EXAMPLES = """
  stemlane help
  stemlane help separate
  stemlane help models add
"""


def add(commands: Group, root: argparse.ArgumentParser) -> None:
    """Add the command, which explains those of `root`."""
    parser = add_command(commands, "help", run, "Explain a command.", _EXAMPLES)
    parser.add_argument(
        "words", nargs="*", metavar="COMMAND", help="such as separate or models add; none for an overview"
    )
    parser.set_defaults(root=root)


def run(options: argparse.Namespace) -> int:
    """Print what `--help` of the command prints."""
    parser = options.root
    for word in options.words:
        known = commands_of(parser)
        if word not in known:
            there = f"should be one of: {', '.join(known)}" if known else f"{parser.prog} has no commands"
            options.refuse(f"no command {word!r}, {there}")
        parser = known[word]
    parser.print_help()
    return 0
