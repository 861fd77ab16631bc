# SPDX-License-Identifier: MIT
"""Writes .safetensors files byte by byte, right or wrong, and Demucs's settings as it writes them into such files."""

import json
import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

_DTYPES = {"float16": "F16", "float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64"}


def as_json(value: Any) -> str:
    """As Demucs 4.1 stores the arguments of a network: fractions are tables."""

    def encoded(value):
        if isinstance(value, Fraction):
            return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
        if isinstance(value, dict):
            return {key: encoded(entry) for key, entry in value.items()}
        return [encoded(entry) for entry in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(encoded(value))


def header_of(tensors: Mapping[str, np.ndarray], texts: Mapping[str, str] | None = None) -> dict:
    """The table at the beginning of a file."""
    header: dict[str, Any] = {"__metadata__": dict(texts)} if texts else {}
    start = 0
    for name, values in tensors.items():
        end = start + values.nbytes
        header[name] = {"dtype": _DTYPES[values.dtype.name], "shape": list(values.shape), "data_offsets": [start, end]}
        start = end
    return header


def write_parts(path: Path, header: dict | bytes, content: bytes) -> Path:
    """A file of a header and what follows it; returns `path`."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)
    return path


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray], texts: Mapping[str, str] | None = None) -> Path:
    """A file as it should be; returns `path`."""
    return write_parts(path, header_of(tensors, texts), b"".join(values.tobytes() for values in tensors.values()))
