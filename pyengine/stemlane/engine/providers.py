# SPDX-License-Identifier: MIT
"""What computes the networks: onnxruntime's execution provider that the user asks for, if it gives the right stems.

Providers for graphics cards and other devices have computed single operators wrongly before, and say nothing when they
do. So the first time a model runs on one, its known output is computed there; where that is wrong, or the provider
fails, the CPU takes over, with a message.
"""

import contextlib
import contextvars
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnxruntime

from stemlane.arguments import shown
from stemlane.engine.provider_names import AUTO, CPU, NAMES, PROVIDERS, VARIABLE
from stemlane.errors import InputError, StemlaneError, StemlaneWarning, one_line
from stemlane.manifests.model import Manifest

# Products of float32 are rounded to 10 bits by default on CUDA, and halves are taken on others.
_OPTIONS = {"cuda": {"use_tf32": "0"}, "openvino": {"precision": "ACCURACY"}}
__all__ = ["CPU", "asked", "available", "choose", "session_providers", "use"]
_in_use: contextvars.ContextVar[str | None] = contextvars.ContextVar("provider", default=None)
_lock = threading.Lock()
_chosen: dict[tuple[Path, str], str] = {}


def available() -> list[str]:
    """Names of the providers this onnxruntime has, the CPU last."""
    there = onnxruntime.get_available_providers()
    return [name for name, provider in NAMES.items() if provider in there]


def asked(provider: str | None = None) -> str:
    """What the user asks for: `provider`, or if that is None `STEMLANE_PROVIDER`; the CPU if that is empty.

    Raises
    ------
    InputError
        If it is no provider's name.
    """
    named = os.environ.get(VARIABLE, "").strip().lower() or CPU
    name, where = (named, VARIABLE) if provider is None else (provider, "provider")
    if name not in PROVIDERS:
        raise InputError(f"{where} is {shown(name)}, should be one of: {', '.join(PROVIDERS)}")
    return name


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Load networks for this provider inside the block, whatever the user asks for and without a check."""
    token = _in_use.set(name)
    try:
        yield
    finally:
        _in_use.reset(token)


def choose(manifest: Manifest, provider: str | None = None) -> str:
    """The provider that runs a model: what is asked for, if it is there and gives the model's known output.

    Warns with one line where it does not, and the CPU takes over. Each model is checked once in a process.
    """
    if (name := _in_use.get()) is not None:
        return name
    if (wanted := asked(provider)) == CPU:
        return CPU
    with _lock:
        key = (manifest.folder, wanted)
        if key not in _chosen:
            _chosen[key] = _check(manifest, wanted)
        return _chosen[key]


def session_providers() -> list[str | tuple[str, dict[str, str]]]:
    """What `onnxruntime.InferenceSession` takes for the provider in use; what that cannot compute, the CPU does."""
    name = _in_use.get() or CPU
    if name == CPU:
        return [NAMES[CPU]]
    return [(NAMES[name], _OPTIONS.get(name, {})), NAMES[CPU]]


def _check(manifest: Manifest, wanted: str) -> str:
    from stemlane.engine import known_output  # it runs models, which ask this module

    there = available()
    if wanted != AUTO and wanted not in there:
        _warn(f"provider {wanted!r} is not in this onnxruntime, which has: {', '.join(there)}; the CPU computes")
        return CPU
    known = manifest.self_test
    for name in there if wanted == AUTO else [wanted]:
        if name == CPU:
            break
        try:
            if not known:
                with use(CPU):
                    known = known_output.measure(manifest)
            with use(name):
                problem = known_output.difference(known_output.measure(manifest), known)
        except StemlaneError as error:
            problem = one_line(error)
        if not problem:
            return name
        _warn(f"provider {name!r} does not run model {manifest.name!r} as it should ({problem}); the CPU computes")
    return CPU


def _warn(text: str) -> None:
    warnings.warn(text, StemlaneWarning, stacklevel=2)
