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
from stemlane.contract import (
    ENGINE_CONFIGURATION_FILE,
    LONGEST_CONFIGURATION_BYTES,
    LONGEST_CONFIGURATION_VALUE,
    PROVIDER_KEY,
    PROVIDER_VARIABLE,
    PROVIDERS,
)
from stemlane.errors import InputError, StemlaneError, StemlaneWarning, one_line
from stemlane.manifests.model import Manifest
from stemlane.regular_files import read_regular
from stemlane.user_folders import config_folder

AUTO, *_names = PROVIDERS
CPU = _names[-1]
# By name, in the order of the contract: `auto` takes the first that is there and right.
_IN_ONNXRUNTIME = ("Tensorrt", "CUDA", "MIGraphX", "Dml", "CoreML", "OpenVINO", "WebGpu", "CPU")
NAMES = {name: f"{known}ExecutionProvider" for name, known in zip(_names, _IN_ONNXRUNTIME, strict=True)}
# Products of float32 are rounded to 10 bits by default on CUDA, and halves are taken on others.
_OPTIONS = {"cuda": {"use_tf32": "0"}, "openvino": {"precision": "ACCURACY"}}
__all__ = ["CPU", "asked", "asked_of_engine", "available", "choose", "configured", "session_providers", "use"]
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
    if provider is not None:
        return _known(provider, "provider")
    return _known(os.environ.get(PROVIDER_VARIABLE, "").strip().lower() or CPU, PROVIDER_VARIABLE)


def asked_of_engine() -> str:
    """What the user asks for in the plugin: as `asked`, or else what its page of settings has written.

    Raises
    ------
    InputError
        If it is no provider's name.
    """
    if os.environ.get(PROVIDER_VARIABLE, "").strip():
        return asked()
    path = config_folder() / ENGINE_CONFIGURATION_FILE
    try:
        text = read_regular(path, LONGEST_CONFIGURATION_BYTES).decode("utf-8", "replace")
    except OSError:  # there is none
        return CPU
    return _known(configured(text, PROVIDER_KEY) or CPU, f"{PROVIDER_KEY} in {path}")


def configured(text: str, key: str) -> str:
    """The value of the first line that begins with `key`; empty without one that can be meant, as the plugin reads it.

    >>> configured("provider=openvino", "provider=")
    'openvino'
    """
    line = next((line for line in text.split("\n") if line.startswith(key)), key)
    value = line.removeprefix(key).removesuffix("\r")
    is_plain = len(value) <= LONGEST_CONFIGURATION_VALUE and all(character >= " " for character in value)
    return value if is_plain else ""


def _known(name: object, where: str) -> str:
    if not isinstance(name, str) or name not in PROVIDERS:
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
