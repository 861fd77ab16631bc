# SPDX-License-Identifier: MIT
"""Writes the self-contained bundle for Windows, out of Python's embeddable package and the packages for it.

It can be made on Linux, too: nothing of it is run there.
"""

import shutil
import sys
from pathlib import Path

from stemlane.errors import PluginError
from stemlane.plugin import bundle, package_copy, places

# What neither engine nor command line uses: SQLite, sounds of the system, packages of its installer, a catalogue.
_LEFT_OUT = ("sqlite3.dll", "_sqlite3.pyd", "winsound.pyd", "_msi.pyd", "pythonw.exe", "*.cat", "*._pth")
_PACKAGES = Path("Lib", "site-packages")
# Microsoft's run time for C++, where pip puts that of the package msvc-runtime. Not every computer has it.
_RUN_TIME = ("msvcp140.dll", "msvcp140_1.dll", "vcruntime140.dll", "vcruntime140_1.dll")
_COMMAND = """@rem SPDX-License-Identifier: MIT
@"%~dp0python\\python.exe" -I -m stemlane %*
"""


def write(target: Path, *, python: Path, packages: Path) -> None:
    """Write the bundle as the new folder `target`.

    Parameters
    ----------
    python
        The folder of Python's embeddable package for Windows (64 bit), of the version that runs this, which compiles
        the modules.
    packages
        The folder of the packages for that Python, as `pip install --target` fills it: Stemlane's own for Windows,
        what it requires, and msvc-runtime.

    Raises
    ------
    PluginError
        If one of the folders does not hold that; on Windows also if the result does not run.
    OSError
        If `target` cannot be written.
    """
    library = _library(python)
    source = packages / "stemlane" / places.BUNDLE_NAME
    if not list(source.glob("Contents/*/stemlane-engine.exe")):
        raise PluginError(f"{source}: holds no plugin for Windows; install Stemlane's package for Windows there")
    shutil.copytree(source, target)
    places.engine_configuration(target).unlink(missing_ok=True)
    root = places.python_folder(target)
    shutil.copytree(python, root, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for name in _RUN_TIME:
        if not (packages / "Scripts" / name).is_file():
            raise PluginError(f"{packages / 'Scripts' / name} is missing; install msvc-runtime there")
        shutil.copyfile(packages / "Scripts" / name, root / name)
    # Where this Python looks for modules, and nowhere else: https://docs.python.org/3/using/windows.html
    paths = (f"{library.stem}.zip", ".", str(_PACKAGES).replace("/", "\\"))
    (root / f"{library.stem}._pth").write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    package_copy.copy_packages(root / _PACKAGES, packages=packages, system="win32")
    bundle.compile_modules(root / _PACKAGES, strip=root)
    (root.parent / "stemlane.cmd").write_text(_COMMAND, encoding="ascii", newline="\r\n")
    if sys.platform == "win32":
        bundle.check(target)


def _library(python: Path) -> Path:
    """The library of the Python in a folder."""
    found = sorted(path for path in python.glob("python3*.dll") if path.stem != "python3")
    if len(found) != 1:
        raise PluginError(f"{python}: holds no Python for Windows; unpack its embeddable package (64 bit) there")
    version = f"python{sys.version_info.major}{sys.version_info.minor}"
    if found[0].stem != version:
        raise PluginError(f"{found[0]}: is not of {version}, which runs this; take one of the same version")
    if not _is_for_x86_64(found[0].read_bytes()):
        raise PluginError(f"{found[0]}: is not for x86-64; take the embeddable package for 64 bit")
    return found[0]


def _is_for_x86_64(library: bytes) -> bool:
    """Whether a library for Windows is for that processor (learn.microsoft.com/windows/win32/debug/pe-format)."""
    header = int.from_bytes(library[0x3C:0x40], "little")
    return library[header : header + 6] == b"PE\0\0" + (0x8664).to_bytes(2, "little")
