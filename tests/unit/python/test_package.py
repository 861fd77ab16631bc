# SPDX-License-Identifier: MIT
"""The package's face: cheap to import, names loaded when used, examples in docstrings true."""

import doctest
import importlib
import inspect
import os
import pkgutil
import pydoc
import subprocess
import sys

import pytest
import soundfile
import stemlane
from stemlane.cli.progress import Progress
from support.audio_files import music

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(stemlane.__path__, "stemlane.")
    if not module.name.endswith(("__main__", "libstemlane_core"))  # the latter is no Python module
)
# Their examples load the built plugin into a host: tests/hosts/test_readme.py runs them.
HOSTED = ("stemlane.plugin.hosting", "stemlane.plugin.places", "stemlane.plugin.status")


def test_import_loads_nothing_else():
    heavy = "('numpy', 'onnxruntime', 'soundfile', 'cffi')"
    script = f"import sys, stemlane, stemlane.cli.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name",
    [name for name in MODULES if name.startswith(("stemlane.mix", "stemlane.plugin", "stemlane.manifests"))]
    + [
        "stemlane.evaluation.scores",
        "stemlane.evaluation.songs",
        "stemlane.evaluation.tables",
        "stemlane.files.reading",
    ],
)
def test_what_does_not_separate_brings_no_onnxruntime(name):
    script = f"import sys, {name}; print('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_needs_no_extra_and_no_ffmpeg_asks_for_none():
    """Without onnx as in a plain installation, or FFmpeg and TLS as in a bundle: completions, and lists of models."""
    missing = ("onnx", "yaml", "safetensors", "google_crc32c", "pedalboard", "matplotlib", "av", "mido", "_ssl")
    script = f"import sys; sys.modules |= dict.fromkeys({missing}); from stemlane.cli.main import main; "
    for command in ("['completion', 'bash']", "['completion', 'fish']", "['models', 'list', '--available']"):
        done = subprocess.run(
            [sys.executable, "-c", f"{script}sys.exit(main({command}))"], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0 and "open-unmix:umxl" in done.stdout, done.stderr


def test_nothing_is_reported_about_the_user(tmp_path, tiny_models):
    """Onnxruntime's telemetry would leave the machine's identifier and a queue of reports in the user's cache."""
    quiet = ("ORT_", "CI", "XDG_CACHE_HOME", "GITHUB_", "TF_BUILD")  # what keeps it quiet, or its files elsewhere
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(quiet)}
    surroundings["HOME"] = str(tmp_path)
    script = "import numpy as np, stemlane; stemlane.Separator('mix').separate(np.zeros((2, 50_000), 'f'), 44100)"
    subprocess.run([sys.executable, "-c", script], env=surroundings, check=True)
    assert [str(path) for path in tmp_path.rglob("*")] == []


def test_every_public_name_is_there():
    for name in stemlane.__all__:
        assert getattr(stemlane, name) is not None
    assert callable(stemlane.render) and callable(stemlane.plugin_path)
    assert set(stemlane.__all__) <= set(dir(stemlane))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        stemlane.nothing  # noqa: B018


@pytest.mark.parametrize("name", [name for name in MODULES if name not in HOSTED])
def test_examples_in_docstrings(name, tmp_path, monkeypatch):
    """They may write files, and read a `song.flac`."""
    soundfile.write(tmp_path / "song.flac", music(44100).T, 44100)
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", [name for name in stemlane.__all__ if name != "__version__"])
def test_every_public_function_and_class_has_an_example_that_runs(name):
    """Those of its module are run above, or in tests/hosts."""
    thing = getattr(stemlane, name)
    found = doctest.DocTestFinder(recurse=False).find(thing)
    assert any(test.examples for test in found)
    assert thing.__module__ in MODULES


@pytest.mark.parametrize("name", [name for name in stemlane.__all__ if name != "__version__"])
def test_help_is_clean(name):
    """No addresses of objects, nothing private, and each parameter of a function is explained."""
    thing = getattr(stemlane, name)
    text = pydoc.plain(pydoc.render_doc(thing))
    assert " at 0x" not in text and "lambda" not in text
    if callable(thing) and not isinstance(thing, type):
        explained = (thing.__doc__ or "").partition("Returns")[0]
        for parameter in inspect.signature(thing).parameters.values():
            assert parameter.name in explained, parameter


def test_help_of_the_package_names_what_it_offers():
    text = pydoc.plain(pydoc.render_doc(stemlane))
    assert all(name in text for name in stemlane.__all__)


def test_progress_is_silent_where_there_is_no_terminal(capsys):
    with Progress("song", 100) as progress:
        progress(50)
    assert capsys.readouterr().err == ""


def test_progress_draws_and_wipes_a_bar(capsys, monkeypatch):
    now = iter([0.0, 0.1, 1.0, 1.05, 3.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("song", 100) as progress:
        for _ in range(4):
            progress(25)
    err = capsys.readouterr().err
    assert err.count("\r") == 3  # not at 0.1 s and not twice within a tenth
    assert " 50%, 1 s left" in err and "100%, 0 s left" in err and err.endswith("\r\x1b[K")
