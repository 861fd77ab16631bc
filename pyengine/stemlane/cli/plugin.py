# SPDX-License-Identifier: MIT
"""The commands `stemlane plugin …`."""

import argparse

from stemlane.cli.output import say
from stemlane.cli.parser import Group, add_command, add_group


def add(commands: Group) -> None:
    """Add the commands."""
    group = add_group(commands, "plugin", "Install the plugin for this user, or say where it is.")
    add_command(group, "install", _install, "Copy the plugin to where hosts look for it.")
    add_command(group, "uninstall", _uninstall, "Remove the installed plugin.")
    add_command(group, "path", _path, "Print the path of the plugin that came with the package.")


def _install(options: argparse.Namespace) -> int:
    from stemlane.plugin import loading

    say(str(loading.install()))
    return 0


def _uninstall(options: argparse.Namespace) -> int:
    from stemlane.plugin import loading

    say(str(loading.uninstall()))
    return 0


def _path(options: argparse.Namespace) -> int:
    from stemlane.plugin import loading

    say(str(loading.plugin_path()))
    return 0
