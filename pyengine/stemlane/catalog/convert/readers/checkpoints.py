# SPDX-License-Identifier: MIT
"""Checkpoints as trainers write them: tensors by name, alone or in a dictionary with other things, in either format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stemlane.catalog.convert.readers.safetensors_weights import is_safetensors, read_safetensors
from stemlane.catalog.convert.readers.torch_weights import read_package
from stemlane.errors import ModelError

_PLACES = ("state_dict", "state", "model_state_dict", "model", "best_state")  # where trainers put the tensors
Shapes = Mapping[str, tuple[int, ...]]


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a .ckpt, .th, .pth or .safetensors file; nothing in it is run.

    Raises
    ------
    ModelError
        If the file is missing, damaged, asks for code to be run, or holds no tensors.
    """
    found: dict[Any, Any] = read_safetensors(path)[0] if is_safetensors(path) else read_package(path, ())
    for place in _PLACES:
        if not any(isinstance(values, np.ndarray) for values in found.values()) and isinstance(found.get(place), dict):
            found = found[place]
    tensors = {str(name): values for name, values in found.items() if isinstance(values, np.ndarray)}
    if not tensors:
        raise ModelError(f"{path}: holds no tensors: not a checkpoint")
    return tensors


def check_tensors(tensors: Mapping[str, np.ndarray], expected: Shapes, where: str, family: str) -> None:
    """Raise `ModelError` naming the first tensor that is missing, unknown, of another shape or not finite."""
    for name, shape in expected.items():
        if name not in tensors:
            raise ModelError(f"{where}: has no tensor {name}: not the weights of a {family}")
        if tensors[name].shape != shape or not np.issubdtype(tensors[name].dtype, np.floating):
            raise ModelError(f"{where}: {name} is {tensors[name].dtype} {tensors[name].shape}, should be {shape}")
        if not np.isfinite(tensors[name]).all():
            raise ModelError(f"{where}: {name} holds values that are not finite")
    unknown = sorted(set(tensors) - set(expected))
    if unknown:
        raise ModelError(f"{where}: holds a tensor {unknown[0]!a}, which no {family} that can be converted has")


def count(tensors: Mapping[str, np.ndarray], pattern: str, highest: int) -> int:
    """How many tensors there are of the names `pattern`.format(0), format(1) and so on; at most `highest`."""
    return next((number for number in range(highest) if pattern.format(number) not in tensors), highest)


def size(tensors: Mapping[str, np.ndarray], name: str, axis: int, where: str, family: str) -> int:
    """One size of a tensor; `ModelError` if there is no such tensor or it has fewer dimensions."""
    if name not in tensors or tensors[name].ndim <= axis:
        raise ModelError(f"{where}: has no tensor {name}: not the weights of a {family}")
    return int(tensors[name].shape[axis])
