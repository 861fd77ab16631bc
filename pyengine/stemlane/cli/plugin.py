# SPDX-License-Identifier: MIT
"""The commands `stemlane plugin …`."""

import argparse

from stemlane.cli.output import say, tell
from stemlane.cli.parser import Group, add_command, add_group, given

_EXAMPLES = """
  stemlane plugin install                            then rescan in the host
  stemlane plugin path                               for pedalboard.load_plugin
  stemlane plugin bundle build                       build/Stemlane.vst3, to be copied anywhere
  stemlane plugin uninstall
"""


def add(commands: Group) -> None:
    """Add the commands."""
    group = add_group(commands, "plugin", "Install the plugin for this user, or say where it is.", _EXAMPLES)
    install = add_command(
        group, "install", _install, "Install the plugin, with all it needs, for this user.", _EXAMPLES
    )
    install.add_argument(
        "--link", action="store_true",
        help="for developers: run this Python and this package, which must stay where they are",
    )  # fmt: skip
    add_command(group, "uninstall", _uninstall, "Remove the installed plugin.", _EXAMPLES)
    add_command(group, "path", _path, "Print the path of the plugin that came with the package.", _EXAMPLES)
    bundle = add_command(
        group, "bundle", _bundle, "Write a plugin that needs nothing else, to be copied anywhere.", _EXAMPLES
    )
    bundle.add_argument("folder", type=given, metavar="DIR", help="folder to write Stemlane.vst3 to")


def _install(options: argparse.Namespace) -> int:
    from stemlane.plugin import install, places

    if not options.link:
        say(str(install.install()))
        return 0
    say(str(install.install_linked()))
    tell(f"warning: it stops working when {places.this_python()} or its packages move; without --link they are copied")
    return 0


def _bundle(options: argparse.Namespace) -> int:
    from stemlane.plugin import install

    say(str(install.make_bundle(options.folder)))
    return 0


def _uninstall(options: argparse.Namespace) -> int:
    from stemlane.plugin import install

    say(str(install.uninstall()))
    return 0


def _path(options: argparse.Namespace) -> int:
    from stemlane.plugin import places

    say(str(places.plugin_path()))
    return 0
