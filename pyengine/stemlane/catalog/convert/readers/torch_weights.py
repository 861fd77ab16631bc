# SPDX-License-Identifier: MIT
"""Reads files of named tensors that torch.save wrote, in its old and its zip form, without torch.

Such files are pickles, which can call anything. Here they can only make dictionaries, tensors and numbers: every other
name is refused before it is looked up. Packages that name the class of their network get that name, never the class.
"""

import collections
import io
import math
import pickle
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
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
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
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


@dataclass(frozen=True)
class ClassName:
    """Stands for a class that a file names; it cannot be called."""

    text: str


class _NumberType:
    """Stands for a numpy dtype of single numbers."""

    def __init__(self, code, *_):
        if code not in ("f4", "f8", "i4", "i8"):
            raise pickle.UnpicklingError("holds numbers of an unknown type")
        self.dtype = np.dtype(f"<{code}")

    def __setstate__(self, state):
        if not isinstance(state, tuple) or state[1] != "<":
            raise pickle.UnpicklingError("holds numbers of another byte order")


def _number(kind, content):
    if not isinstance(kind, _NumberType) or not isinstance(content, bytes) or len(content) != kind.dtype.itemsize:
        raise pickle.UnpicklingError("holds a damaged number")
    return np.frombuffer(content, kind.dtype)[0].item()


def _bytes(text, encoding):
    if encoding != "latin1":
        raise pickle.UnpicklingError("holds bytes of another form")
    return text.encode("latin1")


def _fraction(*parts):
    """Python before 3.11 stores a text like "39/5", later ones two numbers."""
    text = "/".join(map(str, parts))
    if not re.fullmatch(r"\d{1,9}(/[1-9]\d{0,8})?", text):
        raise pickle.UnpicklingError("holds a damaged fraction")
    return Fraction(text)


_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
}
# What the settings beside the weights of published packages are made of.
_ALLOWED_IN_PACKAGES = {
    ("fractions", "Fraction"): _fraction,
    ("numpy", "dtype"): _NumberType,
    ("numpy.core.multiarray", "scalar"): _number,
    ("numpy._core.multiarray", "scalar"): _number,
    ("_codecs", "encode"): _bytes,
}


class _Unpickler(pickle.Unpickler):
    """Makes what the tables above say, refuses everything else."""

    def __init__(self, file, allowed, load_storage=None):
        super().__init__(file, encoding="utf-8")
        self._allowed = allowed
        self._load_storage = load_storage

    def find_class(self, module, name):
        try:
            return self._allowed[module, name]
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
    found = _read(Path(path), _ALLOWED)
    return {str(name): values for name, values in found.items() if isinstance(values, np.ndarray)}


def read_package(path: Path | str, class_names: Iterable[str]) -> dict:
    """A dictionary of anything that is made of dictionaries, lists, numbers, texts, tensors and names of classes.

    Parameters
    ----------
    class_names
        The classes the file may name, such as "package.module.Class". They come back as `ClassName`.

    Raises
    ------
    ModelError
        As `read_weights`.
    """
    names = {tuple(name.rsplit(".", 1)): ClassName(name) for name in class_names}
    return _read(Path(path), {**_ALLOWED, **_ALLOWED_IN_PACKAGES, **names})


def _read(path: Path, allowed: Mapping) -> dict:
    try:
        with path.open("rb") as file:
            found = _read_zip(path, allowed) if zipfile.is_zipfile(file) else _read_legacy(path, allowed)
        if not isinstance(found, dict):
            raise pickle.UnpicklingError("not a dictionary of tensors")
        return _with_arrays(found)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # noqa: BLE001 - damaged pickles raise nearly anything
        raise ModelError(f"{path}: not a file of weights, or damaged: {' '.join(str(error).split())}") from None


def _with_arrays(found: dict) -> dict:
    """The dictionary, and those in it, with arrays for tensors."""
    views = {name: values.array() for name, values in found.items() if isinstance(values, _View)}
    tables = {name: _with_arrays(values) for name, values in found.items() if isinstance(values, dict)}
    return {**found, **views, **tables}


def _read_zip(path: Path, allowed: Mapping):
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

        return _Unpickler(io.BytesIO(archive.read(pickled)), allowed, load).load()


def _read_legacy(path: Path, allowed: Mapping):
    storages: dict[str, _Storage] = {}

    def load(dtype: np.dtype, key: str, num_values: int) -> _Storage:
        return storages.setdefault(key, _Storage(dtype, num_values))

    with path.open("rb") as file:
        if _Unpickler(file, allowed).load() != _LEGACY_MAGIC or _Unpickler(file, allowed).load() != _LEGACY_PROTOCOL:
            raise ValueError("torch did not write it")
        if not _Unpickler(file, allowed).load().get("little_endian", True):
            raise ValueError("written on a big-endian machine")
        found = _Unpickler(file, allowed, load).load()
        for key in _Unpickler(file, allowed).load():
            storage = storages[str(key)]
            (num_values,) = struct.unpack("<q", file.read(8))
            content = file.read(storage.num_values * storage.dtype.itemsize)
            if num_values != storage.num_values or len(content) < storage.num_values * storage.dtype.itemsize:
                raise ValueError("cut off")
            storage.values = np.frombuffer(content, storage.dtype)
    return found
