# SPDX-License-Identifier: MIT
"""The bundle for macOS, of made-up parts. Nobody has run a real one."""

import os
import subprocess
import sys

import pytest
from stemlane.cli.main import main
from stemlane.errors import PluginError
from stemlane.plugin import install, places
from support.bundle_parts import add_stemlane, files_below, write

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def parts(tmp_path):
    """Folders of a Python and of packages for macOS."""
    python, packages = tmp_path / "Python für macOS", tmp_path / "packages"
    # Says what it was given and, in place of a Python, where it lies.
    write(python / "bin" / PYTHON, '#!/bin/sh\necho "$(dirname "$0")" "$@"\n')
    (python / "bin" / PYTHON).chmod(0o755)
    for name in (
        f"bin/pip{PYTHON}", f"lib/lib{PYTHON}.dylib", "lib/libtcl9.0.dylib", f"lib/{PYTHON}/LICENSE.txt",
        f"lib/{PYTHON}/lib-dynload/_scproxy.cpython-311-darwin.so",
        f"lib/{PYTHON}/lib-dynload/_tkinter.cpython-311-darwin.so",
        f"lib/{PYTHON}/os.py", f"lib/{PYTHON}/test/test_os.py", f"lib/{PYTHON}/site-packages/pip/__init__.py",
    ):  # fmt: skip
        write(python / name)
    binaries = ("Info.plist", "MacOS/Stemlane", "MacOS/stemlane-engine", "Resources/engine.conf")
    add_stemlane(packages, "libstemlane_core.dylib", *binaries)
    return {"python": python, "packages": packages}


def test_it_has_the_layout_that_the_engine_looks_for(parts, tmp_path, monkeypatch):
    bundle = install.make_bundle_of(tmp_path / "out", **parts)
    root = places.python_folder(bundle)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert places.bundled_python(bundle) == root / "bin" / "python3" and os.access(root / "bin" / "python3", os.X_OK)
    assert not places.engine_configuration(bundle).exists()
    packages = f"lib/{PYTHON}/site-packages"
    assert files_below(root) == {
        "bin/python3", f"lib/lib{PYTHON}.dylib", f"lib/{PYTHON}/LICENSE.txt", f"lib/{PYTHON}/os.pyc",
        f"lib/{PYTHON}/lib-dynload/_scproxy.cpython-311-darwin.so",
        *(f"{packages}/{name}" for name in (
            "needed-1.0.dist-info/METADATA", "needed/__init__.pyc", "needed/module.pyd",
            "stemlane-1.0.dist-info/METADATA", "stemlane/VERSION", "stemlane/__init__.pyc", "stemlane/core_api.h",
            "stemlane/libstemlane_core.dylib", "stemlane/models/live/network.onnx", "stemlane/models/mix/network.onnx",
        )),
    }  # fmt: skip
    assert os.readlink(root / packages / "stemlane/models/mix/network.onnx") == "../live/network.onnx"


def test_its_command_runs_its_python_from_any_folder(parts, tmp_path):
    bundle = install.make_bundle_of(tmp_path / "out", **parts).rename(tmp_path / "moved to Ä")
    command = bundle / "Contents" / "Resources" / "stemlane"
    done = subprocess.run([command, "models", "a b"], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout == f"{places.python_folder(bundle) / 'bin'} -I -m stemlane models a b\n"


@pytest.mark.parametrize(
    "part, name, reason",
    [
        ("python", f"lib/lib{PYTHON}.dylib", "dylib is missing; unpack a Python for macOS there, of python3"),
        ("python", f"bin/{PYTHON}", "is missing; unpack a Python for macOS there"),
        ("python", f"lib/{PYTHON}/os.py", "is missing; unpack a Python for macOS there"),
        (
            "packages", "stemlane/Stemlane.vst3/Contents/MacOS/stemlane-engine",
            "holds no plugin for macOS; install Stemlane's package for macOS there",
        ),
        ("packages", "stemlane/libstemlane_core.dylib", "libstemlane_core.dylib is missing"),
    ],
)  # fmt: skip
def test_parts_that_are_missing_are_named(parts, tmp_path, part, name, reason):
    (parts[part] / name).unlink()
    with pytest.raises(PluginError, match=reason):
        install.make_bundle_of(tmp_path / "out", **parts)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_is_none_is_named(parts, tmp_path):
    with pytest.raises(PluginError, match="nowhere: is no folder; name the one that a Python for Windows or macOS"):
        install.make_bundle_of(tmp_path / "out", python=tmp_path / "nowhere", packages=parts["packages"])


def test_the_command_makes_it(parts, tmp_path, capsys):
    options = ["--python", str(parts["python"]), "--packages", str(parts["packages"])]
    assert main(["plugin", "bundle", str(tmp_path / "out"), *options]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'Stemlane.vst3'}\n"
