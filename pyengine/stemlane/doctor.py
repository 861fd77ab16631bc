# SPDX-License-Identifier: MIT
"""Checks one by one what Stemlane needs, and says what to do about what is missing."""

import functools
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stemlane import __version__
from stemlane.contract import MODEL_INDEX_FILE
from stemlane.errors import StemlaneError, one_line
from stemlane.manifests.registry import MODELS_VARIABLE, Listing, embedded_folder, list_models
from stemlane.manifests.stem_names import stem_names
from stemlane.plugin import places

PACKAGES = ("numpy", "onnxruntime", "soxr", "soundfile", "cffi")
# The plugin's in its bundle.
_BINARIES = {"linux": "Stemlane.so", "win32": "Stemlane.vst3", "darwin": "Stemlane"}
# Loading Python, onnxruntime and two models takes 1 s; on a busy machine with a cold disk, many times that.
_ENGINE_SECONDS = 120


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
    checks.append(_guarded("provider", _provider))
    checks += _models()
    checks.append(_guarded("core library", _core_library))
    checks.append(_guarded("plugin", _plugin_bundle))
    checks.append(_guarded("engine", _engine))
    checks.append(_guarded("installed plugin", _installed_plugin))
    return checks


def lines(checks: list[Check]) -> list[str]:
    """The report, one line a check."""
    width = max(len(check.name) for check in checks)
    return [f"{check.name:<{width}} {'ok' if check.ok else 'problem'}: {check.text}" for check in checks]


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


def _provider() -> str:
    from stemlane.engine import providers

    return f"{providers.asked()} is asked for; this onnxruntime has: {', '.join(providers.available())}"


def _models() -> Iterator[Check]:
    try:
        listings = list_models()
    except StemlaneError as error:
        yield Check("models", False, one_line(error))
        return
    if not listings:
        yield Check("models", False, f"none in {embedded_folder()}; install the stemlane package again")
    for listing in listings:
        yield _guarded(f"model {listing.name}", functools.partial(_model, listing))


def _model(listing: Listing) -> str:
    from stemlane.engine.streaming import StreamingSeparator

    if listing.manifest is None:
        raise StemlaneError(listing.problem)
    StreamingSeparator(listing.manifest, listing.manifest.sample_rate, 2)
    return f"{listing.manifest.version}, {', '.join(stem_names(listing.manifest))}, {listing.folder}"


def _core_library() -> str:
    from stemlane.mix import _core

    nanoseconds = _core.measure_process(44100, 2, 512, 20)
    return f"{_core.library_path()}, {nanoseconds:.0f} ns per sample"


def _plugin_bundle() -> str:
    path = Path(places.plugin_path())
    index = path / "Contents" / "Resources" / MODEL_INDEX_FILE
    binary = _BINARIES.get(sys.platform, _BINARIES["linux"])
    if not list(path.glob(f"Contents/*/{binary}")) or not index.is_file():
        raise StemlaneError(f"{path} is not complete; install the stemlane package again")
    return str(path)


def _engine() -> str:
    return engine_text(places.plugin_path(), remedy="install the stemlane package again")


def _installed_plugin() -> str:
    target = places.installed_path()
    if not target.exists():
        return "not installed for this user; 'stemlane plugin install' does it"
    python = places.configured_python(target)
    if python is not None and not python.exists():
        raise StemlaneError(f"{target} wants the Python '{python}', which is gone; run 'stemlane plugin install' again")
    text = engine_text(target, remedy="run 'stemlane plugin install' again")
    return f"{target}, {text}"


def engine_text(bundle: str | Path, *, remedy: str) -> str:
    """Let the engine of `bundle` start as a host would start it, import and separate; returns what it ran, in words.

    Raises
    ------
    StemlaneError
        If it does not, or is of another version than this package; the text ends in `remedy` or in the engine's own.
    """
    engine = places.engine_path(bundle)
    try:
        done = subprocess.run(
            [engine, "--check"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=_ENGINE_SECONDS, check=False, env=_engine_environment(),
        )  # fmt: skip
    except OSError as error:
        raise StemlaneError(f"{engine} does not start: {error.strerror}; {remedy}") from None
    except subprocess.TimeoutExpired:
        raise StemlaneError(f"{engine} has not separated anything within {_ENGINE_SECONDS} s; {remedy}") from None
    said = " ".join(done.stderr.split())
    if done.returncode != 0:
        said = said or f"exit status {done.returncode}"
        raise StemlaneError(
            f"{engine} does not run: {said}" + ("" if "; run '" in said or MODELS_VARIABLE in said else f"; {remedy}")
        )
    try:
        facts = json.loads(done.stdout.splitlines()[-1])
        version, python, models = facts["stemlane"], facts["python"], ", ".join(facts["models"])
    except (ValueError, IndexError, KeyError, TypeError):
        raise StemlaneError(f"{engine} does not say what it runs; {remedy}") from None
    if version != __version__:
        raise StemlaneError(f"{engine} is of stemlane {version}, this is {__version__}; {remedy}")
    return f"separates with {models} in Python {python}"


def _engine_environment() -> dict[str, str]:
    """What an engine is started with by a host: nothing that is meant for another Python or loader."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LD_"))}
