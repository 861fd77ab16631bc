# SPDX-License-Identifier: MIT
"""Packages as Demucs publishes them from version 4.1 on: tensors in a .safetensors file, all else as JSON beside them.

The form is that of demucs/hf.py. No class is looked up; its name is compared.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from stemlane.catalog.convert.readers.pickles import PickleError, check_depth
from stemlane.catalog.convert.readers.safetensors_weights import read_safetensors
from stemlane.catalog.convert.readers.torch_weights import ClassName
from stemlane.errors import ModelError

_HIGHEST_PART = 10**9  # of a fraction: 39/5 seconds are usual


def read_safetensors_package(path: Path) -> dict[str, Any]:
    """The package's class, arguments and weights, under the names the older form has.

    Raises
    ------
    ModelError
        If the file is damaged, or what stands beside the tensors is not what Demucs writes.
    """
    tensors, texts = read_safetensors(path)
    missing = sorted({"klass", "args", "kwargs"} - set(texts))
    if missing:
        raise ModelError(f"{path}: does not say its {missing[0]}: not a package of Demucs")
    if "structure" in texts:  # how packed numbers are put together again
        raise ModelError(f"{path}: its weights are quantised (DiffQ); take the package that is not")
    try:
        arguments, keywords = (_decoded(_parsed(texts[name])) for name in ("args", "kwargs"))
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        raise ModelError(f"{path}: its args or kwargs are not what Demucs writes") from None
    return {"klass": ClassName(texts["klass"]), "args": arguments, "kwargs": keywords, "state": tensors}


def _parsed(text: str) -> Any:
    value = json.loads(text)
    try:
        check_depth(value)
    except PickleError as error:
        raise ValueError(str(error)) from None
    return value


def _decoded(value: Any) -> Any:
    """JSON has no fractions: they are written as tables."""
    if isinstance(value, list):
        return [_decoded(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.get("_type") != "fraction":
        return {key: _decoded(entry) for key, entry in value.items()}
    parts = value["numerator"], value["denominator"]
    if not all(type(part) is int and 0 <= part <= _HIGHEST_PART for part in parts):
        raise ValueError("a damaged fraction")
    return Fraction(*parts)
