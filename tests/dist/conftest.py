# SPDX-License-Identifier: MIT
"""Bare Debian 12 and 13 to install releases in; `make test-dist` builds what is missing in dist/ before."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools.dist import roots

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
WORK = ROOT / "build" / "test-dist"
# For whoever works on these tests: the systems stay and are used again.
KEEP = bool(os.environ.get("STEMLANE_KEEP_ROOTS"))
# Debian's name, the version of its Python, and the JUCE that the wheel for that Python is built with.
SYSTEMS = {"bookworm": ("3.11", "7.0.5"), "trixie": ("3.13", "8.0.6")}


def the(pattern: str) -> Path:
    """The one released file that matches."""
    (found,) = DIST.glob(pattern)
    return found


class System:
    """A bare system with a user who plays music."""

    def __init__(self, suite: str):
        self.suite = suite
        self.python_version, self.juce_version = SYSTEMS[suite]
        self.root = WORK / suite
        self.home = self.root / roots.HOME.lstrip("/")

    def run(self, script: str, *, user: str = roots.USER, check: bool = True) -> str:
        """Output of a shell script in the system; what it writes to standard error is in it."""
        done = roots.run(
            self.root, script, user=user, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, timeout=300,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"exit status {done.returncode} of: {script}\n{done.stdout}"
        return done.stdout

    def start(self, script: str) -> subprocess.Popen:
        """A shell script that goes on in the system, with pipes to it."""
        return subprocess.Popen(
            roots.command(self.root, script, user=roots.USER), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def unpack(self) -> Path:
        """Unpack the archive into the user's home, as a file manager does; its folder, seen from inside."""
        subprocess.run(["tar", "-xf", the("stemlane-*-linux-x86_64.tar.xz"), "-C", self.home], check=True)
        (folder,) = self.home.glob("stemlane-*-linux-x86_64")
        subprocess.run(["chown", "-R", "1000:1000", folder], check=True)
        return Path(roots.HOME) / folder.name

    def files(self, *folders: str) -> dict[str, tuple]:
        """Every file in the folders with its size and link; caches and logs of the package manager not counted."""
        found = {}
        for folder in folders:
            for path in (self.root / folder.lstrip("/")).rglob("*"):
                state = path.lstat()
                if not any(part in ("__pycache__", "cache", "log") for part in path.parts):
                    link = path.readlink() if path.is_symlink() else None
                    found[str(path)] = (state.st_mode, path.is_file() and state.st_size, link)
        return found


@pytest.fixture(scope="module", params=SYSTEMS)
def bare(request):
    """A system without compiler and Python."""
    system = System(request.param)
    system.root = WORK / f"{system.suite}-bare"
    system.home = system.root / roots.HOME.lstrip("/")
    roots.copy(system.suite, system.root)
    yield system
    roots.remove(system.root)


@pytest.fixture(scope="module", params=SYSTEMS)
def with_host(request):
    """A system with Debian's Python and, in an environment of its own, pedalboard from PyPI: a host."""
    system = System(request.param)
    wheels = packages_of(system.python_version)
    # pedalboard's wheel needs libatomic, which it expects the system to have.
    if not (KEEP and system.root.exists()):
        roots.copy(system.suite, system.root, packages=("python3-venv", "libatomic1"))
        subprocess.run(["cp", "-r", wheels, system.root / "wheels"], check=True)
        system.run("python3 -m venv host && host/bin/pip install -q --no-index --find-links /wheels pedalboard numpy")
    for script in Path(__file__).parent.glob("in_root_*.py"):
        subprocess.run(["cp", script, system.root / script.name], check=True)
    yield system
    if not KEEP:
        roots.remove(system.root)


def packages_of(version: str) -> Path:
    """A folder with pedalboard and all that Stemlane's wheel needs, for a Python of `version`; downloaded once."""
    folder = WORK / f"wheels-{version}"
    if not (folder / "done").exists():
        with tarfile.open(the("stemlane-*.tar.gz")) as source:
            name = next(name for name in source.getnames() if name.endswith("/pyproject.toml") and name.count("/") == 1)
            import tomllib

            needed = tomllib.loads(source.extractfile(name).read().decode())["project"]["dependencies"]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--only-binary=:all:",
             "--python-version", version, "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_17_x86_64",
             "--platform", "manylinux2014_x86_64", "--platform", "any", "-d", folder, "pedalboard", *needed],
            check=True,
        )  # fmt: skip
        (folder / "done").touch()
    return folder
