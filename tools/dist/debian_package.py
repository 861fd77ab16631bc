# SPDX-License-Identifier: MIT
"""The Debian package: the bundle where all users' hosts look for it, the command and the application."""

import gzip
import shutil
import subprocess
from pathlib import Path

import command_files
import licences

HERE = Path(__file__).parent
PLACE = Path("usr/lib/vst3")
CONTROL = """Package: stemlane
Version: {version}
Architecture: amd64
Maintainer: The Stemlane project <stemlane@users.noreply.github.com>
Installed-Size: {kilobytes}
Depends: {depends}
Recommends: {recommends}
Section: sound
Priority: optional
Description: plugin that separates music into stems
 A VST3 plugin for every DAW, with an automatable fader for vocals, drums, bass
 and the rest, and the same as an application and a command. It brings its own
 Python, packages and models.
"""


def write(bundle: Path, target: Path, *, version: str, work: Path) -> Path:
    """Write the package `target`."""
    stage = work / "deb"
    place = stage / PLACE / bundle.name
    shutil.copytree(bundle, place, symlinks=True)
    (place / "Contents" / "Resources" / "uninstall.sh").unlink(missing_ok=True)  # dpkg does that
    installed = Path("/") / PLACE / bundle.name / "Contents"
    binaries = stage / "usr" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "stemlane").symlink_to(installed / "Resources" / "stemlane")
    (binaries / "stemlane-standalone").symlink_to(installed / "x86_64-linux" / "Stemlane")
    desktop = stage / "usr" / "share" / "applications" / "stemlane.desktop"
    desktop.parent.mkdir(parents=True)
    template = (HERE / "stemlane.desktop").read_text(encoding="utf-8")
    desktop.write_text(template.replace('"@PROGRAM@"', "stemlane-standalone"), encoding="utf-8")
    _add_documents(place, stage / "usr" / "share")

    depends, recommends = _dependencies(place, work)
    control = stage / "DEBIAN" / "control"
    control.parent.mkdir()
    kilobytes = sum(path.lstat().st_size for path in stage.rglob("*")) // 1024
    control.write_text(
        CONTROL.format(version=version, kilobytes=kilobytes, depends=depends, recommends=recommends), encoding="utf-8"
    )
    for path in (stage, *stage.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", stage, target], check=True, stdout=subprocess.DEVNULL
    )
    shutil.rmtree(stage)
    return target


def _add_documents(bundle: Path, share: Path) -> None:
    """What Debian keeps for all users in /usr/share: licence, changes, manual pages, completions."""
    shutil.copytree(bundle / command_files.SHARE, share, dirs_exist_ok=True)
    shutil.rmtree(bundle / command_files.SHARE)
    documents = share / "doc" / "stemlane"
    documents.mkdir(parents=True)
    shutil.copyfile(HERE.parents[1] / "LICENSES" / "README.md", documents / "copyright")
    shutil.copyfile(HERE.parents[1] / "CHANGELOG.md", documents / "changelog")
    manual = share / command_files.MANUAL
    shutil.copyfile(HERE / "stemlane-standalone.1", manual.with_name("stemlane-standalone.1"))
    for path in (documents / "changelog", *manual.parent.iterdir()):
        # Debian's policy: the best compression, and no time of its making.
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()


def _dependencies(bundle: Path, work: Path) -> tuple[str, str]:
    """What the plugin cannot do without, and what only the application and downloads need."""
    application = bundle / "Contents" / "x86_64-linux" / "Stemlane"
    optional = [path for path in _binaries(bundle) if path == application or path.name.startswith("_ssl.")]
    needed = _shlibdeps([path for path in _binaries(bundle) if path not in optional], bundle, work)
    extra = _shlibdeps(optional, bundle, work)
    names = {part.split()[0] for part in needed}
    return ", ".join(sorted(needed)), ", ".join(sorted(part for part in extra if part.split()[0] not in names))


def _binaries(bundle: Path) -> list[Path]:
    found = []
    for path in sorted(bundle.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(path)
    return found


def _shlibdeps(binaries: list[Path], bundle: Path, work: Path) -> set[str]:
    (work / "debian").mkdir(exist_ok=True)
    (work / "debian" / "control").write_text("Source: stemlane\n\nPackage: stemlane\nArchitecture: amd64\n")
    own = {path.parent for path in _binaries(bundle)}
    done = subprocess.run(
        ["dpkg-shlibdeps", "-O", "--ignore-missing-info", *(f"-l{folder}" for folder in sorted(own)),
         *(f"-e{path}" for path in binaries)],
        cwd=work, check=True, capture_output=True, text=True,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("shlibs:Depends="))
    found = {part.strip() for part in line.partition("=")[2].split(",")}
    # The bundle's own copies are found under Debian's names, which other distributions do not have.
    return {part for part in found if part.split()[0] not in licences.system_packages(bundle)}
