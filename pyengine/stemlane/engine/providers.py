# SPDX-License-Identifier: MIT
"""What computes the networks: onnxruntime's execution providers by name, the one that is asked for, the one in use."""

import contextlib
import contextvars
import os
from collections.abc import Iterator

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
from stemlane.errors import InputError
from stemlane.regular_files import read_regular
from stemlane.user_folders import config_folder

AUTO, *_names = PROVIDERS
CPU = _names[-1]
# By name, in the order of the contract: `auto` takes the first that is there and right.
_IN_ONNXRUNTIME = ("Tensorrt", "CUDA", "MIGraphX", "Dml", "CoreML", "OpenVINO", "WebGpu", "CPU")
NAMES = {name: f"{known}ExecutionProvider" for name, known in zip(_names, _IN_ONNXRUNTIME, strict=True)}
# Products of float32 are rounded to 10 bits by default on CUDA, and halves are taken on others.
_OPTIONS = {"cuda": {"use_tf32": "0"}, "openvino": {"precision": "ACCURACY"}}
__all__ = ["CPU", "asked", "asked_of_engine", "available", "configured", "in_use", "session_providers", "use"]
_in_use: contextvars.ContextVar[str | None] = contextvars.ContextVar("provider", default=None)


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


def in_use() -> str | None:
    """The provider of the `use` block that this is inside, or None."""
    return _in_use.get()


def session_providers() -> list[str | tuple[str, dict[str, str]]]:
    """What `onnxruntime.InferenceSession` takes for the provider in use; what that cannot compute, the CPU does."""
    name = _in_use.get() or CPU
    if name == CPU:
        return [NAMES[CPU]]
    return [(NAMES[name], _OPTIONS.get(name, {})), NAMES[CPU]]
