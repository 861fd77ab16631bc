# SPDX-License-Identifier: MIT
"""Writes the self-contained bundle for macOS, out of a Python that may be moved and the packages for it.

It can be made on Linux, too: nothing of it is run there.
"""

import shutil
import sys
from pathlib import Path

from stemlane.errors import PluginError
from stemlane.plugin import bundle, package_copy, places, python_copy

_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_LIBRARY = f"lib{_VERSION}.dylib"
# Toolkits, databases and tests, of which neither engine nor command line uses any.
_LEFT_OUT = (*python_copy.NOT_NEEDED, "_tkinter*", "_sqlite3*", "_dbm*", "_test*", "_xx*", "xx*", "_ctypes_test*")
_COMMAND = """#!/bin/sh
# SPDX-License-Identifier: MIT
here=$(cd "$(dirname "$0")" && pwd -P)
exec "$here/python/bin/python3" -I -m stemlane "$@"
"""


def write(target: Path, *, python: Path, packages: Path) -> None:
    """Write the bundle as the new folder `target`.

    Parameters
    ----------
    python
        A folder with bin/python3.X, lib/libpython3.X.dylib and lib/python3.X that runs wherever it lies, as
        python-build-standalone packs it; of the version that runs this, which compiles the modules.
    packages
        The folder of the packages for that Python, as `pip install --target` fills it: Stemlane's own for macOS and
        what it requires.

    Raises
    ------
    PluginError
        If one of the folders does not hold that; on macOS also if the result does not run.
    OSError
        If `target` cannot be written.
    """
    for path in (python / "bin" / _VERSION, python / "lib" / _LIBRARY, python / "lib" / _VERSION / "os.py"):
        if not path.is_file():
            raise PluginError(f"{path} is missing; unpack a Python for macOS there, of {_VERSION}, which runs this")
    source = packages / "stemlane" / places.BUNDLE_NAME
    if not (source / "Contents" / "MacOS" / "stemlane-engine").is_file():
        raise PluginError(f"{source}: holds no plugin for macOS; install Stemlane's package for macOS there")
    shutil.copytree(source, target)
    places.engine_configuration(target).unlink(missing_ok=True)
    root = places.python_folder(target)
    (root / "bin").mkdir(parents=True)
    shutil.copy2(python / "bin" / _VERSION, root / "bin" / "python3")
    standard = root / "lib" / _VERSION
    shutil.copytree(python / "lib" / _VERSION, standard, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    shutil.copy2(python / "lib" / _LIBRARY, root / "lib")
    package_copy.copy_packages(standard / "site-packages", packages=packages, system="darwin")
    package_copy.link_same_networks(standard / "site-packages" / "stemlane" / "models")
    bundle.compile_modules(root / "lib", strip=root)
    bundle.add_command(root.parent / "stemlane", _COMMAND)
    if sys.platform == "darwin":
        bundle.check(target)
