# SPDX-License-Identifier: MIT
"""The commands `stemlane plugin …`."""

import argparse

from stemlane.cli.output import say, tell
from stemlane.cli.parser import Group, add_command, add_group, given
from stemlane.errors import InputError

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
    bundle.add_argument(
        "--python", type=given, metavar="FOLDER",
        help="for Windows or macOS, with --packages: a Python for it of this one's version, unpacked: the embeddable "
        "package for Windows (64 bit), or one for macOS that may be moved, as python-build-standalone has",
    )  # fmt: skip
    bundle.add_argument(
        "--packages", type=given, metavar="FOLDER",
        help="the packages for it, as 'pip install --target' leaves them: stemlane, what it requires, and msvc-runtime "
        "for Windows",
    )  # fmt: skip


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

    if (options.python is None) != (options.packages is None):
        raise InputError("--python and --packages go together: a Python for Windows or macOS and the packages for it")
    if options.python is None:
        say(str(install.make_bundle(options.folder)))
    else:
        say(str(install.make_bundle_of(options.folder, python=options.python, packages=options.packages)))
    return 0


def _uninstall(options: argparse.Namespace) -> int:
    from stemlane.plugin import install

    say(str(install.uninstall()))
    return 0


def _path(options: argparse.Namespace) -> int:
    from stemlane.plugin import places

    say(str(places.plugin_path()))
    return 0
