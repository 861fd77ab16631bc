# SPDX-License-Identifier: MIT
"""Writes the self-contained bundle: the plugin, and in its Resources a Python, the packages and the models.

What of Python goes along is `python_copy`'s business, what of the packages `package_copy`'s.
"""

import compileall
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

from stemlane.errors import PluginError
from stemlane.plugin import package_copy, places, python_copy

# The command line, for whoever has the bundle and no Python: `Stemlane.vst3/Contents/Resources/stemlane doctor`.
_COMMAND = """#!/bin/sh
# SPDX-License-Identifier: MIT
here=$(dirname "$(readlink -f "$0")")
# A Python that is a program only finds the libraries that came with it no other way.
export LD_LIBRARY_PATH="$here/python/lib"
exec "$here/python/bin/python3" -I -m stemlane "$@"
"""
# What an engine imports before it can run. `-X importtime` of an engine has the list.
_SMOKE = "import stemlane.cli.main, stemlane.engine.worker, stemlane.mix._core as core; core.load()"


def write(target: Path) -> None:
    """Write the bundle as the new folder `target`.

    Raises
    ------
    PluginError
        If this Python or one of the packages cannot be copied, or the copy does not run; and on any system but Linux.
    OSError
        If `target` cannot be written.
    """
    source = Path(places.plugin_path())
    if places.bundled_python(source).exists():  # this runs from such a bundle
        shutil.copytree(source, target, symlinks=True)
        return
    if sys.platform != "linux":
        raise PluginError(
            f"the Python that runs this is copied on Linux alone so far, not on {sys.platform}; "
            "'stemlane plugin bundle DIR --python FOLDER --packages FOLDER' makes one for macOS or Windows, "
            "'stemlane plugin install --link' does without a copy"
        )
    shutil.copytree(source, target)
    places.engine_configuration(target).unlink(missing_ok=True)
    root = places.python_folder(target)
    packages = python_copy.copy_python(root)
    package_copy.copy_packages(packages)
    package_copy.link_same_networks(packages / "stemlane" / "models")
    compile_modules(root / "lib", strip=root)
    add_command(root.parent / "stemlane", _COMMAND)
    check(target)


def add_command(path: Path, text: str) -> None:
    """Write a script that everybody may run."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def compile_modules(folder: Path, *, strip: Path) -> None:
    """Compile all modules in `folder` and leave out their sources, which are half of what modules take.

    A bundle may be read-only, and compiling at each start would take seconds. Compiled files are valid by themselves:
    archives and packages change the times of files. They name their sources without the path `strip`.
    """
    compileall.compile_dir(
        folder, maxlevels=20, quiet=2, stripdir=str(strip), workers=0, legacy=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )  # fmt: skip
    for source in folder.rglob("*.py"):
        if source.with_suffix(".pyc").exists():
            source.unlink()


def check(bundle: Path) -> None:
    """Raise PluginError with the reason if the bundle's Python does not import what an engine needs."""
    of_linux = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(places.python_folder(bundle) / "lib")}
    done = subprocess.run(
        [places.bundled_python(bundle), "-I", "-B", "-c", _SMOKE],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        env=of_linux if sys.platform == "linux" else None,
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise PluginError(
            f"the bundle's Python does not run: {lines[-1]}; 'stemlane plugin install --link' does without"
        )
