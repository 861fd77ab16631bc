# SPDX-License-Identifier: MIT
"""Puts the licence of every part of the bundle into it: ours, the packages', and the system libraries'.

    python tools/dist/licences.py Stemlane.vst3

The bundle for Windows holds no libraries of a system; its Python brings its licence.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def system_packages(bundle: Path) -> dict[str, str]:
    """Debian's packages, with their versions, that libraries in the bundle were copied from."""
    folders = [bundle / "Contents" / "x86_64-linux", bundle / "Contents" / "Resources" / "python" / "lib"]
    found = {}
    for library in sorted(path for folder in folders for path in folder.glob("lib*.so*")):
        owner = _query("-S", f"/usr/lib/*/{library.name}") or _query("-S", f"/lib/*/{library.name}")
        if owner:
            package = owner.splitlines()[0].split(":")[0]
            found |= package_version(package)
    return found


def package_version(package: str) -> dict[str, str]:
    """The package with its version; nothing if it is not installed."""
    version = _query("-W", "-f", "${Version}\\n", package)
    return {package: version.splitlines()[0]} if version else {}


def _query(*arguments: str) -> str:
    try:
        done = subprocess.run(["dpkg-query", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:  # not Debian
        return ""
    return done.stdout.strip()


def add(bundle: Path) -> None:
    """Copy the licences into Contents/Resources/licences; packages keep theirs beside their metadata."""
    folder = bundle / "Contents" / "Resources" / "licences"
    shutil.copytree(ROOT / "LICENSES", folder, dirs_exist_ok=True)
    for package in [*system_packages(bundle), "juce-modules-source", "fonts-inter"]:
        file = Path("/usr/share/doc", package, "copyright")
        if file.is_file():
            shutil.copyfile(file, folder / f"{package}.txt")


if __name__ == "__main__":
    add(Path(sys.argv[1]))
