# SPDX-License-Identifier: MIT
"""Reads files of named tensors that torch.save wrote, in its old and its zip form, without torch.

Such files are pickles, which can call anything. Here they can only make dictionaries and tensors: every other name
is refused before it is looked up.
"""

import collections
import io
import math
import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stemlane.errors import ModelError

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_DTYPES = {
    "FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8"), "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"), "IntStorage": np.dtype("<i4"),
}  # fmt: skip
_HIGHEST_BYTES = 1 << 30


@dataclass(frozen=True)
class _StorageType:
    dtype: np.dtype


@dataclass
class _Storage:
    """Numbers that tensors are views of; those of the old form are filled in at the end."""

    dtype: np.dtype
    num_values: int
    values: np.ndarray | None = None


@dataclass(frozen=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """The tensor as an array of its own."""
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides))
        numbers = (self.offset, *self.shape, *self.strides)
        if not all(isinstance(number, int) and number >= 0 for number in numbers) or math.prod(self.shape) == 0:
            raise ValueError("a tensor of no size")
        if last >= self.storage.num_values:
            raise ValueError("a tensor larger than what is stored for it")
        item = self.storage.dtype.itemsize
        view = np.lib.stride_tricks.as_strided(
            self.storage.values[self.offset :], self.shape, [stride * item for stride in self.strides], writeable=False
        )
        return view.copy()


def _rebuild_tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without numbers")
    return _View(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(view, *_):
    return view


_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Makes dictionaries and tensors, refuses everything else."""

    def __init__(self, file, load_storage=None):
        super().__init__(file, encoding="utf-8")
        self._load_storage = load_storage

    def find_class(self, module, name):
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"asks for {module}.{name}, which weights do not need") from None

    def persistent_load(self, pid):
        if self._load_storage is None or not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise pickle.UnpicklingError("refers to something outside")
        _, kind, key, _, num_values = pid[:5]
        if (
            not isinstance(kind, _StorageType)
            or not isinstance(num_values, int)
            or not 0 <= num_values < _HIGHEST_BYTES
        ):
            raise pickle.UnpicklingError("stores numbers of an unknown type")
        return self._load_storage(kind.dtype, str(key), num_values)


def read_weights(path: Path | str) -> dict[str, np.ndarray]:
    """Tensors by name.

    Raises
    ------
    ModelError
        If the file is missing, cut off, of another form, or asks for code to be run.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            found = _read_zip(path) if zipfile.is_zipfile(file) else _read_legacy(path)
        if not isinstance(found, dict):
            raise pickle.UnpicklingError("not a dictionary of tensors")
        return {str(name): view.array() for name, view in found.items() if isinstance(view, _View)}
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # noqa: BLE001 - damaged pickles raise nearly anything
        raise ModelError(f"{path}: not a file of weights, or damaged: {' '.join(str(error).split())}") from None


def _read_zip(path: Path):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        (pickled,) = [name for name in names if name.endswith("/data.pkl")]
        folder = pickled.removesuffix("data.pkl")
        if f"{folder}byteorder" in names and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("written on a big-endian machine")
        storages: dict[str, _Storage] = {}

        def load(dtype: np.dtype, key: str, num_values: int) -> _Storage:
            if key not in storages:
                member = archive.getinfo(f"{folder}data/{key}")
                if member.file_size != num_values * dtype.itemsize:
                    raise ValueError(f"{member.filename} has {member.file_size} bytes")
                content = archive.read(member)  # its checksum is compared
                storages[key] = _Storage(dtype, num_values, np.frombuffer(content, dtype))
            return storages[key]

        return _Unpickler(io.BytesIO(archive.read(pickled)), load).load()


def _read_legacy(path: Path):
    storages: dict[str, _Storage] = {}

    def load(dtype: np.dtype, key: str, num_values: int) -> _Storage:
        return storages.setdefault(key, _Storage(dtype, num_values))

    with path.open("rb") as file:
        if _Unpickler(file).load() != _LEGACY_MAGIC or _Unpickler(file).load() != _LEGACY_PROTOCOL:
            raise ValueError("torch did not write it")
        if not _Unpickler(file).load().get("little_endian", True):
            raise ValueError("written on a big-endian machine")
        found = _Unpickler(file, load).load()
        for key in _Unpickler(file).load():
            storage = storages[str(key)]
            (num_values,) = struct.unpack("<q", file.read(8))
            content = file.read(storage.num_values * storage.dtype.itemsize)
            if num_values != storage.num_values or len(content) < storage.num_values * storage.dtype.itemsize:
                raise ValueError("cut off")
            storage.values = np.frombuffer(content, storage.dtype)
    return found
