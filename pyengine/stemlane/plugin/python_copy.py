# SPDX-License-Identifier: MIT
"""Copies the Python that runs this: its library, the standard library, and the system libraries that these need."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from stemlane.errors import PluginError
from stemlane.package_folder import PACKAGE

# Parts of the standard library that neither engine nor command line uses: tests, tools, graphical toolkits.
NOT_NEEDED = (
    "__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "idle_test", "lib2to3", "tkinter",
    "turtledemo", "turtle.py", "ensurepip", "venv", "distutils", "pydoc_data", "curses", "sqlite3", "dbm", "config-*",
)  # fmt: skip
# What is copied by itself, and what Debian adds.
_LEFT_OUT = (*NOT_NEEDED, "lib-dynload", "sitecustomize.py", "LICENSE.txt")
# Beyond the C library; small, and either libpython or ctypes, which soundfile imports, need them. Extension modules
# that need others are left out: a musician may not have those, and nothing here uses sqlite or readline.
_COMPANIONS = ("libexpat.", "libz.", "libffi.")
# The system's OpenSSL serves for downloads: it is kept up to date there, and knows where the certificates lie. Engines
# import nothing that needs it.
_WITH_SYSTEM_LIBRARIES = {"_ssl": ("libssl.so.3", "libcrypto.so.3")}
_C_LIBRARY = ("linux-vdso.", "ld-linux", "libc.", "libm.", "libdl.", "libpthread.", "librt.", "libutil.", "libgcc_s.")
_TEST_MODULES = ("_test", "_xxtest", "xxlimited", "_ctypes_test")


def copy_python(root: Path) -> Path:
    """Copy this Python to `root`/bin and `root`/lib; returns the folder of its packages, which exists and is empty."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = shared_library()
    (root / "bin").mkdir(parents=True)
    (root / "lib").mkdir()
    executable = root / "bin" / "python3"
    if library is None:
        shutil.copy2(base_python().resolve(), executable)
        _copy_companions(_needed(executable), root / "lib")
    else:
        program = PACKAGE / "plugin" / "stemlane-python"
        if not program.is_file():
            raise PluginError(f"{program} is missing; install the stemlane package again")
        shutil.copy2(program, executable)
        shutil.copy2(library, root / "lib" / library.name)
        _copy_companions(_needed(library), root / "lib")
    executable.chmod(0o755)
    standard = root / "lib" / version
    shutil.copytree(sysconfig.get_path("stdlib"), standard, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    _copy_extension_modules(standard / "lib-dynload", root / "lib")
    _copy_licence(standard)
    return _package_folder(executable, standard)


def base_python() -> Path:
    """The executable of this Python; in a virtual environment, of the one that it was made with."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return next(path for path in (Path(sys.base_prefix, "bin", name), Path(sys.executable)) if path.exists())


def shared_library() -> Path | None:
    """The shared library of this Python; None if it is a program only."""
    name = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
    prefix = Path(sys.base_prefix)
    folders = [prefix / "lib", prefix / "lib64", prefix / "lib" / (sysconfig.get_config_var("MULTIARCH") or "")]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _needed(binary: Path) -> dict[str, Path]:
    """Name and place of each library that `binary` needs beyond the C library; the place is empty if it is missing."""
    done = subprocess.run(["/usr/bin/ldd", binary], capture_output=True, text=True, check=False)
    needed = {}
    for line in done.stdout.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and not name.startswith((*_C_LIBRARY, "libpython")):
            needed[name] = Path(rest.split(" (")[0])
    return needed


def _copy_companions(libraries: dict[str, Path], folder: Path) -> None:
    for name, place in libraries.items():
        if not (folder / name).exists():
            shutil.copy2(place.resolve(), folder / name)


def _copy_extension_modules(folder: Path, libraries: Path) -> None:
    folder.mkdir()
    # Beside the standard library; a virtual environment's own folder has none.
    for module in sorted(Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")):
        of_the_system = _WITH_SYSTEM_LIBRARIES.get(module.name.partition(".")[0], ())
        needed = {name: place for name, place in _needed(module).items() if name not in of_the_system}
        if module.name.startswith(_TEST_MODULES) or not all(name.startswith(_COMPANIONS) for name in needed):
            continue
        shutil.copy2(module, folder)
        _copy_companions(needed, libraries)


def _copy_licence(standard: Path) -> None:
    places = (
        Path(sysconfig.get_path("stdlib"), "LICENSE.txt"),
        Path("/usr/share/doc", f"lib{standard.name}-stdlib", "copyright"),  # Debian
    )
    for place in places:
        if place.is_file():
            shutil.copyfile(place, standard / "LICENSE.txt")
            return


def _package_folder(executable: Path, standard: Path) -> Path:
    """Where the copy looks for packages: Debian's Python has a name of its own for the folder."""
    script = "import site; print(*site.getsitepackages(), sep='\\n')"
    done = subprocess.run([executable, "-I", "-B", "-c", script], capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if Path(line).parent.resolve() == standard.resolve():
            Path(line).mkdir()
            return Path(line)
    raise PluginError(f"the copy of {sys.base_prefix} does not run: {done.stderr.strip() or done.stdout.strip()}")
