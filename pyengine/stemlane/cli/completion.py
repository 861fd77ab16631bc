# SPDX-License-Identifier: MIT
"""The command `stemlane completion`: a script that completes commands, options, files and names of models in a shell.

shtab writes it. What an argument takes is told by its metavar, which people read too.
"""

import argparse
from collections.abc import Iterator, Sequence

from stemlane.cli.output import say_lines
from stemlane.cli.parser import Group, actions_of, add_command, commands_of

SHELLS = ("bash", "zsh", "fish")
_FILES = ("INPUT", "FILE", "OUT", "PATH_OR_URL")
_FOLDERS = ("DIR",)
_MODELS = "stemlane models list --names"
_ADDED_MODELS = "stemlane models list --added --names"
_EXAMPLES = """
  stemlane completion bash > ~/.stemlane-completion    with '. ~/.stemlane-completion' in ~/.bashrc
  stemlane completion zsh | install -D /dev/stdin ~/.zfunc/_stemlane  ~/.zfunc in fpath for compinit
  stemlane completion fish | install -D /dev/stdin ~/.config/fish/completions/stemlane.fish
"""


def add(commands: Group, root: argparse.ArgumentParser) -> None:
    """Add the command, which completes those of `root`."""
    parser = add_command(commands, "completion", run, "Print a script that completes commands in a shell.", _EXAMPLES)
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")
    parser.set_defaults(root=root)


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    say_lines(script(options.root, options.shell).rstrip("\n"))
    return 0


def script(root: argparse.ArgumentParser, shell: str) -> str:
    """What a shell must be told. `root` cannot parse any more: its arguments now hold what is offered for them."""
    import shtab

    files, folders, models = shtab.FILE, shtab.DIRECTORY, shtab.cmd(_MODELS)
    added = shtab.cmd(_ADDED_MODELS)
    for parser in _all(root):
        for action in actions_of(parser):
            if action.metavar in _FILES:
                action.complete = files  # type: ignore[attr-defined]
            elif action.metavar in _FOLDERS:
                action.complete = folders  # type: ignore[attr-defined]
            elif action.metavar == "NAME" and (action.dest == "model" or not action.option_strings):
                action.complete = added if parser.prog.endswith(" remove") else models  # type: ignore[attr-defined]
            elif (words := _words(action, root)) and action.choices is None:
                action.choices = words
    return shtab.complete(root, shell)


def _all(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for command in commands_of(parser).values():
        yield from _all(command)


def _words(action: argparse.Action, root: argparse.ArgumentParser) -> Sequence[str]:
    """What may stand in the place of an argument, where that is one of a few words."""
    if action.metavar == "FORMAT":
        from stemlane.files.formats import FORMATS

        return FORMATS
    if action.metavar == "SOURCE":
        from stemlane.catalog.available import source_names

        return source_names()
    if action.metavar == "COMMAND":
        return list(commands_of(root))
    return action.metavar.split("|") if isinstance(action.metavar, str) and "|" in action.metavar else ()
