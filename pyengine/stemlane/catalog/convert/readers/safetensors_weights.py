# SPDX-License-Identifier: MIT
"""Reads .safetensors files: named tensors and texts about them, with the format's own library.

That library (Rust) checks that tensors lie side by side in the file and have the sizes of their shapes. What it leaves
open is checked here: what kind of file it is, how long its header may be, and which types weights have.
"""

import struct
from pathlib import Path

import numpy as np

from stemlane.errors import ModelError, one_line
from stemlane.regular_files import open_regular

_HIGHEST_FILE_BYTES = 8 << 30
_HIGHEST_HEADER_BYTES = 4 << 20  # the library itself allows 100 MB; 600 tensors take 60 KB
_HIGHEST_DIMENSIONS = 8
_DTYPES = ("F16", "F32", "F64", "I32", "I64")


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as this format does: with a length, and JSON behind it."""
    try:
        with open_regular(path, _HIGHEST_FILE_BYTES) as file:
            return file.read(9)[8:] == b"{"
    except OSError:
        return False  # whoever reads it says why


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors by name, and the texts beside them.

    Raises
    ------
    ModelError
        If the file is missing, cut off, of another form, or holds numbers of a type that weights never have.
    """
    try:
        with open_regular(path, _HIGHEST_FILE_BYTES) as file:
            start = file.read(8)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    if len(start) < 8 or struct.unpack("<Q", start)[0] > _HIGHEST_HEADER_BYTES:
        raise ModelError(f"{path}: not a .safetensors file, or its header is longer than weights need")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            tensors = {}
            for name in file.keys():  # noqa: SIM118 - it is no dictionary
                part = file.get_slice(name)
                if part.get_dtype() not in _DTYPES or len(part.get_shape()) > _HIGHEST_DIMENSIONS:
                    raise ModelError(f"{path}: {name!a} is {part.get_dtype()}, should be one of: {', '.join(_DTYPES)}")
                tensors[name] = file.get_tensor(name)
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, OverflowError) as error:
        raise ModelError(f"{path}: not a .safetensors file, or damaged: {one_line(error)[:200]}") from None
