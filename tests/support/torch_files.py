# SPDX-License-Identifier: MIT
"""Writes files of tensors as torch.save does, in its old and its zip form, without torch."""

import collections
import io
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

STORAGES = {
    "float16": "HalfStorage", "float32": "FloatStorage", "float64": "DoubleStorage", "int64": "LongStorage",
}  # fmt: skip


class Name:
    """Stands for something importable; only its name is written."""

    def __init__(self, module: str, name: str):
        self.text = f"c{module}\n{name}\n".encode()

    def __call__(self):
        raise AssertionError("only written, never called")


class Call:
    """Stands for what a call of something importable returns, and for the state it is given then."""

    def __init__(self, function: Name, arguments: tuple, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


class _Storage:
    def __init__(self, values: np.ndarray, key: str):
        self.values, self.key = values, key


class _Tensor:
    def __init__(self, values: np.ndarray, key: str):
        self.storage, self.values = _Storage(values, key), values

    def __reduce__(self):
        strides = tuple(stride // self.values.itemsize for stride in self.values.strides)
        arguments = (self.storage, 0, self.values.shape, strides, False, collections.OrderedDict())
        return Name("torch._utils", "_rebuild_tensor_v2"), arguments


class _Pickler(pickle._Pickler):  # the one in Python: the other cannot write names of what is not there
    dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012 - as the base class has it

    def __init__(self, file, *, legacy: bool):
        super().__init__(file, protocol=2)
        self._legacy = legacy

    def persistent_id(self, obj):
        if not isinstance(obj, _Storage):
            return None
        kind = Name("torch", STORAGES[obj.values.dtype.name])
        return ("storage", kind, obj.key, "cpu", obj.values.size, *([None] if self._legacy else []))

    def _save_name(self, obj):
        self.write(obj.text)

    dispatch[Name] = _save_name


def write_torch(path: Path, tensors: dict[str, np.ndarray], *, legacy: bool = False, extra: dict | None = None) -> Path:
    """Write `tensors`, and `extra` beside them; returns `path`."""
    state = _state(tensors)
    return _write(path, {**state, **(extra or {})}, state, legacy=legacy)


def write_package(path: Path, tensors: dict[str, np.ndarray], **beside) -> Path:
    """Write a package as Demucs does: `tensors` under "state", and `beside` it anything; returns `path`."""
    state = _state(tensors)
    return _write(path, {**beside, "state": {**state, **beside.get("state", {})}}, state, legacy=False)


def _state(tensors: dict[str, np.ndarray]) -> dict:
    return {name: _Tensor(np.ascontiguousarray(values), str(key)) for key, (name, values) in enumerate(tensors.items())}


def _write(path: Path, content: dict, state: dict, *, legacy: bool) -> Path:
    buffer = io.BytesIO()
    _Pickler(buffer, legacy=legacy).dump(collections.OrderedDict(content))
    storages = [entry.storage for entry in state.values()]
    if not legacy:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", buffer.getvalue())
            archive.writestr("archive/byteorder", sys.byteorder)
            archive.writestr("archive/version", "3\n")
            for storage in storages:
                archive.writestr(f"archive/data/{storage.key}", storage.values.tobytes())
        return path
    with path.open("wb") as file:
        for head in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}):
            pickle.dump(head, file, protocol=2)
        file.write(buffer.getvalue())
        pickle.dump([storage.key for storage in storages], file, protocol=2)
        for storage in storages:
            file.write(struct.pack("<q", storage.values.size) + storage.values.tobytes())
    return path
