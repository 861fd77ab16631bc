# SPDX-License-Identifier: MIT
"""Builds everything that is released into dist/: wheels, source, archive, Debian package, SBOM and checksums.

    python tools/dist/make_dist.py [--without-roots]

It is run by `make dist`, with the Python that the wheel and the bundle are for. Each step is a file of its own here.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import archive
import command_files
import debian_package
import licences
import roots
import sbom
import trixie_wheel
import wheels

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "dist"
OUT = ROOT / "dist"
# What a musician is asked for, at most.
MOST_BUNDLE_BYTES = 160e6
MOST_ARCHIVE_BYTES = 60e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--without-roots", action="store_true", help="only what this system's Python can build")
    options = parser.parse_args()
    # Archives say when the source is from, not when they were made.
    epoch = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    os.environ.setdefault("SOURCE_DATE_EPOCH", epoch.stdout.strip() or "1700000000")
    for folder in (WORK, OUT):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    wheel = build_wheel()
    source = build_source()
    bundle, python = build_bundle(wheel)
    version = wheel.name.split("-")[1]
    licences.add(bundle)
    command_files.add(bundle)
    packed = archive.write(bundle, OUT / f"stemlane-{version}-linux-x86_64.tar.xz", work=WORK)
    debian_package.write(bundle, OUT / f"stemlane_{version}_amd64.deb", version=version, work=WORK)
    sbom.write(bundle, OUT / f"stemlane-{version}.cdx.json", python=python, version=version)
    check_sizes(bundle, packed)
    if not options.without_roots and roots.can_be_made():
        trixie_wheel.write(source, OUT)
    write_checksums()


def run(*command, **options) -> None:
    """Run a command; its failure ends the build."""
    subprocess.run([str(part) for part in command], check=True, **options)


def build_wheel() -> Path:
    """The wheel for this Python, with the tag of the oldest system that it runs on."""
    folder = WORK / "wheel"
    run(sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-build-isolation",
        "--no-deps", "-w", folder, ROOT)  # fmt: skip
    (built,) = folder.glob("*.whl")
    return wheels.repair(built, OUT)


def build_source() -> Path:
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", OUT, ROOT, stdout=subprocess.DEVNULL)
    (source,) = OUT.glob("*.tar.gz")
    return source


def build_bundle(wheel: Path) -> tuple[Path, Path]:
    """A bundle made from the wheel as a user would; also the Python of the environment that it was made in."""
    environment = WORK / "environment"
    venv.create(environment, with_pip=True, symlinks=True)
    python = environment / "bin" / "python3"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", f"{wheel}[convert]")
    run(environment / "bin" / "stemlane", "plugin", "bundle", WORK / "bundle", stdout=subprocess.DEVNULL)
    return WORK / "bundle" / "Stemlane.vst3", python


def check_sizes(bundle: Path, packed: Path) -> None:
    unpacked = sum(path.lstat().st_blocks * 512 for path in bundle.rglob("*"))
    print(f"bundle: {unpacked / 1e6:.0f} MB, archive: {packed.stat().st_size / 1e6:.0f} MB")
    if unpacked > MOST_BUNDLE_BYTES or packed.stat().st_size > MOST_ARCHIVE_BYTES:
        raise SystemExit(f"too large: {MOST_BUNDLE_BYTES / 1e6:.0f} and {MOST_ARCHIVE_BYTES / 1e6:.0f} MB are the limits")


def write_checksums() -> None:
    lines = []
    for path in sorted(OUT.iterdir()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (OUT / "SHA256SUMS").write_text("".join(lines), encoding="ascii")
    print("".join(lines), end="")


if __name__ == "__main__":
    main()
