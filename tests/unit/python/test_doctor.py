# SPDX-License-Identifier: MIT
"""The doctor finds what is missing and keeps going."""

import sys
from pathlib import Path

import pytest
from stemlane import doctor
from stemlane.cli import main as cli
from stemlane.manifests import registry
from stemlane.plugin import loading as plugin
from support.tiny_models import build_model


@pytest.fixture
def healthy(tmp_path, tiny_models, monkeypatch):
    """An installation in which everything is in place, with a stand-in for the plugin."""
    bundle = tmp_path / "Stemlane.vst3"
    binaries = bundle / "Contents" / "x86_64-linux"
    binaries.mkdir(parents=True)
    (bundle / "Contents" / "Resources").mkdir()
    (bundle / "Contents" / "Resources" / "models.index").write_text("", encoding="utf-8")
    (binaries / "Stemlane.so").write_bytes(b"")
    engine = binaries / "stemlane-engine"
    engine.write_text("#!/bin/sh\nexit 2\n", encoding="utf-8")
    engine.chmod(0o755)
    monkeypatch.setenv("STEMLANE_PLUGIN", str(bundle))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return bundle


def problems():
    return {check.name: check.text for check in doctor.run() if not check.ok}


def test_all_is_well(healthy, capsys):
    assert problems() == {}
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 12 and all(" ok: " in line for line in lines)


def test_problems_are_named_and_the_rest_is_still_checked(healthy, tmp_path, monkeypatch, capsys):
    engine = plugin.engine_path(healthy)
    engine.write_text("#!/bin/sh\necho 'libpython3.11.so.1.0: not found' >&2\nexit 127\n", encoding="utf-8")
    build_model(tmp_path / "data" / "stemlane" / "models", name="hurt")
    (tmp_path / "data" / "stemlane" / "models" / "hurt" / "network.onnx").write_bytes(b"x")
    monkeypatch.setenv("STEMLANE_CORE", str(tmp_path / "none.so"))
    monkeypatch.setitem(sys.modules, "soxr", None)
    from stemlane.mix import _core

    _core.load.cache_clear()
    found = problems()
    _core.load.cache_clear()
    assert set(found) == {"engine", "model hurt", "core library", "soxr"}
    assert "does not start: libpython3.11.so.1.0: not found" in found["engine"]
    assert "damaged" in found["model hurt"] and "pip install soxr" in found["soxr"]
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "problem: " in out and "Traceback" not in out
    _core.load.cache_clear()


def test_missing_bundle_and_models(healthy, tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_PLUGIN", str(tmp_path / "none"))
    monkeypatch.delenv("STEMLANE_MODELS", raising=False)
    monkeypatch.setattr(registry, "embedded_folder", lambda: tmp_path / "nothing")
    found = problems()
    assert set(found) == {"models", "plugin", "engine"}
    assert "none in" in found["models"]


def test_installed_plugin_must_have_its_python(healthy, monkeypatch):
    monkeypatch.setattr(plugin, "this_python", lambda: Path("/gone/bin/python3"))
    plugin.install()
    assert "'/gone/bin/python3', which is gone; run 'stemlane plugin install' again" in problems()["installed plugin"]
    monkeypatch.setattr(plugin, "this_python", lambda: Path("/bin/false"))
    plugin.install()
    assert "has not stemlane" in problems()["installed plugin"]
