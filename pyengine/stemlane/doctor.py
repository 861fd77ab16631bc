# SPDX-License-Identifier: MIT
"""Checks one by one what Stemlane needs, and says what to do about what is missing."""

import functools
import importlib
import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stemlane import __version__
from stemlane.contract import MODEL_INDEX_FILE, PYTHON_KEY
from stemlane.errors import StemlaneError, one_line
from stemlane.manifests.registry import Listing, embedded_folder, list_models
from stemlane.plugin import loading as plugin

PACKAGES = ("numpy", "onnxruntime", "soxr", "soundfile", "cffi")
_ENGINE_ALONE_STATUS = 2  # the engine, started by hand, says that it should not be


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    text: str


def run() -> list[Check]:
    """Run all checks; each catches its own failure."""
    checks = [Check("stemlane", True, f"{__version__} in {Path(__file__).parent}")]
    checks.append(Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} at {sys.executable}"))
    checks += [_guarded(name, functools.partial(_package, name)) for name in PACKAGES]
    checks += _models()
    checks.append(_guarded("core library", _core_library))
    checks.append(_guarded("plugin", _plugin_bundle))
    checks.append(_guarded("engine", _engine))
    checks.append(_guarded("installed plugin", _installed_plugin))
    return checks


def _guarded(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except Exception as error:  # noqa: BLE001 - whatever breaks is what the report is about
        return Check(name, False, one_line(error))


def _package(name: str) -> str:
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        raise StemlaneError(f"cannot be imported ({one_line(error)}); run 'pip install {name}'") from None
    return importlib.metadata.version(name)


def _models() -> Iterator[Check]:
    listings = list_models()
    if not listings:
        yield Check("models", False, f"none in {embedded_folder()}; install the stemlane package again")
    for listing in listings:
        yield _guarded(f"model {listing.name}", functools.partial(_model, listing))


def _model(listing: Listing) -> str:
    from stemlane.engine.streaming import StreamingSeparator

    if listing.manifest is None:
        raise StemlaneError(listing.problem)
    StreamingSeparator(listing.manifest, listing.manifest.sample_rate, 2)
    return f"{listing.manifest.version}, {', '.join(listing.manifest.stems)}, {listing.folder}"


def _core_library() -> str:
    from stemlane.mix import _core

    nanoseconds = _core.measure_process(44100, 2, 512, 20)
    return f"{_core.library_path()}, {nanoseconds:.0f} ns per sample"


def _plugin_bundle() -> str:
    path = Path(plugin.plugin_path())
    index = path / "Contents" / "Resources" / MODEL_INDEX_FILE
    if not list(path.glob("Contents/*/*.so")) or not index.is_file():
        raise StemlaneError(f"{path} is not complete; install the stemlane package again")
    return str(path)


def _engine() -> str:
    engine = plugin.engine_path(plugin.plugin_path())
    done = subprocess.run([engine], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
    if done.returncode != _ENGINE_ALONE_STATUS:
        raise StemlaneError(
            f"{engine} does not start: {done.stderr.strip() or done.returncode}; install the stemlane package again"
        )
    return str(engine)


def _installed_plugin() -> str:
    target = plugin.installed_path()
    if not target.exists():
        return "not installed for this user; 'stemlane plugin install' does it"
    lines = plugin.engine_configuration(target).read_text(encoding="utf-8").splitlines()
    python = next((line.removeprefix(PYTHON_KEY) for line in lines if line.startswith(PYTHON_KEY)), "")
    if not Path(python).exists():
        raise StemlaneError(f"{target} wants the Python {python!r}, which is gone; run 'stemlane plugin install' again")
    done = subprocess.run(
        [python, "-I", "-c", "import stemlane; print(stemlane.__version__)"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    if done.returncode != 0 or done.stdout.strip() != __version__:
        raise StemlaneError(f"{python} has not stemlane {__version__}; run 'stemlane plugin install' again")
    return f"{target}, runs {python}"
