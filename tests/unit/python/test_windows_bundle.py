# SPDX-License-Identifier: MIT
"""The bundle for Windows, of made-up parts; tests/windows runs a real one."""

import sys

import pytest
from stemlane.cli.main import main
from stemlane.errors import PluginError
from stemlane.plugin import install, places
from support.bundle_parts import add_stemlane, files_below, write

PYTHON = f"python{sys.version_info.major}{sys.version_info.minor}"
RUN_TIME = ("msvcp140.dll", "msvcp140_1.dll", "vcruntime140.dll", "vcruntime140_1.dll")


def library_for(machine):
    """The head of a library for a processor, by its number."""
    return b"MZ".ljust(0x3C, b"\0") + (0x80).to_bytes(0x44, "little") + b"PE\0\0" + machine.to_bytes(2, "little")


@pytest.fixture
def parts(tmp_path):
    """Folders of a Python and of packages for Windows."""
    python, packages = tmp_path / "Python für Windows", tmp_path / "packages"
    for name in (
        "python.exe",
        "python3.dll",
        f"{PYTHON}.dll",
        f"{PYTHON}.zip",
        "_ctypes.pyd",
        "sqlite3.dll",
        "pythonw.exe",
    ):
        write(python / name)
    (python / f"{PYTHON}.dll").write_bytes(library_for(0x8664))
    write(python / f"{PYTHON}._pth", "of the embeddable package\n")
    write(python / "vcruntime140.dll", "old")
    for name in RUN_TIME:
        write(packages / "Scripts" / name, "new")
    binaries = ("Stemlane.vst3", "stemlane-engine.exe", "stemlane-engine.dll")
    add_stemlane(packages, "stemlane_core.dll", *(f"x86_64-win/{name}" for name in binaries))
    return {"python": python, "packages": packages}


def test_it_has_the_layout_that_the_engine_looks_for(parts, tmp_path, monkeypatch):
    bundle = install.make_bundle_of(tmp_path / "out", **parts)
    root = places.python_folder(bundle)
    monkeypatch.setattr(sys, "platform", "win32")
    assert places.bundled_python(bundle) == root / "python.exe" and places.bundled_python(bundle).exists()
    assert (root / f"{PYTHON}._pth").read_text(encoding="utf-8") == f"{PYTHON}.zip\n.\nLib\\site-packages\n"
    assert {(root / name).read_text(encoding="utf-8") for name in RUN_TIME} == {"new"}
    assert not (root / "sqlite3.dll").exists() and not (root / "pythonw.exe").exists()
    assert files_below(root / "Lib" / "site-packages") == {
        "needed-1.0.dist-info/METADATA", "needed/__init__.pyc", "needed/module.pyd", "stemlane-1.0.dist-info/METADATA",
        "stemlane/VERSION", "stemlane/__init__.pyc", "stemlane/core_api.h", "stemlane/stemlane_core.dll",
        "stemlane/models/live/network.onnx", "stemlane/models/mix/network.onnx",
    }  # fmt: skip
    assert not [path for path in bundle.rglob("*") if path.is_symlink()]  # which Windows allows nobody to make
    command = (root.parent / "stemlane.cmd").read_bytes()
    assert command.endswith(b'@"%~dp0python\\python.exe" -I -m stemlane %*\r\n')
    assert [path.name for path in bundle.parent.iterdir()] == ["Stemlane.vst3"]


def taken(path):
    path.unlink()


@pytest.mark.parametrize(
    "harm, reason",
    [
        (lambda python, packages: taken(python / f"{PYTHON}.dll"), "Python für Windows: holds no Python for Windows"),
        (lambda python, packages: (python / f"{PYTHON}.dll").rename(python / "python39.dll"), f"is not of {PYTHON}"),
        (
            lambda python, packages: (python / f"{PYTHON}.dll").write_bytes(library_for(0x014C)),
            "is not for x86-64; take the embeddable package for 64 bit",
        ),
        (
            lambda python, packages: taken(next(packages.rglob("stemlane-engine.exe"))),
            "holds no plugin for Windows; install Stemlane's package for Windows there",
        ),
        (
            lambda python, packages: taken(packages / "Scripts" / "msvcp140.dll"),
            "is missing; install msvc-runtime there",
        ),
        (
            lambda python, packages: (packages / "needed-1.0.dist-info").rename(packages / "gone"),
            "needed is not in .*packages; run 'pip install --target .*packages needed'",
        ),
        (lambda python, packages: taken(packages / "stemlane" / "stemlane_core.dll"), "stemlane_core.dll is missing"),
    ],
)
def test_parts_that_are_missing_are_named(parts, tmp_path, harm, reason):
    harm(**parts)
    with pytest.raises(PluginError, match=reason):
        install.make_bundle_of(tmp_path / "out", **parts)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_command_wants_both_folders(parts, tmp_path, capsys):
    assert main(["plugin", "bundle", str(tmp_path / "out"), "--python", str(parts["python"])]) == 1
    assert "--python and --packages go together" in capsys.readouterr().err
    options = ["--python", str(parts["python"]), "--packages", str(parts["packages"])]
    assert main(["plugin", "bundle", str(tmp_path / "out"), *options]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'Stemlane.vst3'}\n"
