# SPDX-License-Identifier: MIT
"""The plugin's binary holds no Python, and the bundle holds what the plugin looks for."""

import subprocess
from pathlib import Path

import pytest
from stemlane.plugin.places import engine_path, plugin_path


@pytest.fixture(scope="module")
def binary() -> Path:
    (found,) = Path(plugin_path()).glob("Contents/*/Stemlane.so")
    return found


def output(*command) -> str:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout


def test_no_python_in_symbols_or_libraries(binary):
    symbols = [line.split()[-1] for line in output("nm", "--dynamic", binary).splitlines()]
    assert symbols and not [name for name in symbols if name.startswith(("Py", "_Py")) or "pybind11" in name]
    needed = [
        line for line in output("readelf", "--dynamic", binary).splitlines() if "NEEDED" in line or "PATH" in line
    ]
    assert needed and not [line for line in needed if "python" in line.lower()]


# The C and C++ run time, and what lies beside it where systems have none of it: images, fonts, compression. A library
# of sound or of a display server would keep the plugin from loading in a container or on a server.
MAY_NEED = {
    "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1",
    "libstdc++.so.6", "libz.so.1", "libfreetype.so.6", "libjpeg.so.62", "libpng16.so.16",
}  # fmt: skip


def test_it_loads_without_a_sound_system_or_a_display(binary):
    lines = output("readelf", "--dynamic", "--wide", binary).splitlines()
    needed = {line.split("[")[1].rstrip("]") for line in lines if "(NEEDED)" in line}
    assert "libc.so.6" in needed and needed <= MAY_NEED


def test_only_the_entry_points_are_visible(binary):
    """What else it shows could be mixed up with another plugin's, JUCE above all."""
    defined = [line.split()[-1] for line in output("nm", "--dynamic", "--defined-only", binary).splitlines()]
    assert set(defined) >= {"GetPluginFactory", "ModuleEntry", "ModuleExit"}
    assert not [name for name in defined if "juce" in name.lower() or "stemlane" in name.lower()]


def test_the_bundle_is_complete(binary):
    assert engine_path(plugin_path()).parent == binary.parent
    index = Path(plugin_path()) / "Contents" / "Resources" / "models.index"
    names = {line.split("\t")[0] for line in index.read_text(encoding="utf-8").splitlines() if not line.startswith("#")}
    assert {"live", "mix"} <= names
