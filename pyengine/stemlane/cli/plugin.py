# SPDX-License-Identifier: MIT
"""The commands `stemlane plugin …`."""

from stemlane.cli.output import say
from stemlane.cli.parser import add_command, add_group

_EXAMPLES = """
  stemlane plugin install                            then rescan in the host
  stemlane plugin path                               for pedalboard.load_plugin
  stemlane plugin uninstall
"""


def add(commands) -> None:
    """Add the commands."""
    group = add_group(commands, "plugin", "Install the plugin for this user, or say where it is.")
    add_command(group, "install", _install, "Copy the plugin to where hosts look for it.", _EXAMPLES)
    add_command(group, "uninstall", _uninstall, "Remove the installed plugin.", _EXAMPLES)
    add_command(group, "path", _path, "Print the path of the plugin that came with the package.", _EXAMPLES)


def _install(options) -> int:
    from stemlane.plugin import loading

    say(str(loading.install()))
    return 0


def _uninstall(options) -> int:
    from stemlane.plugin import loading

    say(str(loading.uninstall()))
    return 0


def _path(options) -> int:
    from stemlane.plugin import loading

    say(str(loading.plugin_path()))
    return 0
