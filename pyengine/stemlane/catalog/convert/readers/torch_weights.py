# SPDX-License-Identifier: MIT
"""Reads files of named tensors that torch.save wrote, in its old and its zip form, without torch.

Such files are pickles, which can call anything. Here `pickles` reads them, and they can only make dictionaries, tensors
and numbers: every other name is refused before it is looked up. Packages that name the class of their network get that
name, never the class. Every tensor is checked against the numbers stored for it, every stated size against the file's.
"""

import io
import math
import re
import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from stemlane.catalog.convert.readers.pickles import Function, Names, OrderedTable, PickleError, Stateful, read_pickle
from stemlane.errors import ModelError
from stemlane.regular_files import open_regular

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8"), "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"), "IntStorage": np.dtype("<i4"),
}  # fmt: skip
_HIGHEST_DIMENSIONS = 8
_HIGHEST_FILE_BYTES = 8 << 30
_ENCRYPTED = 1  # a flag of a zip file's member
_HIGHEST_DIRECTORY_BYTES = 4 << 20  # of a zip: 30,000 tensors


@dataclass(frozen=True, slots=True)
class _StorageType:
    dtype: np.dtype


@dataclass(slots=True, eq=False)
class _Storage:
    """Numbers that tensors are views of; those of the old form are filled in at the end."""

    dtype: np.dtype
    num_values: int
    values: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A tensor: part of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """The tensor, read-only, without a copy: a thousand tensors of one storage need no more memory than one."""
        values = self.storage.values
        if values is None:
            raise PickleError("has a tensor whose numbers are missing")
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        # A stride of 0 repeats numbers: a tensor may be larger than what it reads, never larger than what is stored.
        if max(last + 1, math.prod(self.shape)) > len(values):
            raise PickleError("has a tensor larger than what is stored for it")
        item = values.itemsize
        return np.lib.stride_tricks.as_strided(
            values[self.offset :], self.shape, [stride * item for stride in self.strides], writeable=False
        )


def _rebuild_tensor(storage: object, offset: Any, shape: object, strides: object, *_: object) -> _View:
    if not isinstance(storage, _Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise PickleError("has a tensor without numbers")
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or len(shape) > _HIGHEST_DIMENSIONS or not all(map(_is_count, numbers)):
        raise PickleError("has a tensor of no possible form")
    if 0 in shape:
        raise PickleError("has a tensor of no size")
    return _View(storage, offset, shape, strides)


def _is_count(number: Any) -> bool:
    return type(number) is int and 0 <= number < 1 << 48


def _ordered_table() -> OrderedTable:
    """Without arguments: they could be anything."""
    return OrderedTable()


def _rebuild_parameter(view: object, *_: object) -> _View:
    if not isinstance(view, _View):
        raise PickleError("has a parameter that is no tensor")
    return view


@dataclass(frozen=True, slots=True)
class ClassName:
    """Stands for a class that a file names; it cannot be called."""

    text: str


class _NumberType(Stateful):
    """Stands for a numpy dtype of single numbers."""

    __slots__ = ("dtype",)

    def __init__(self, code: object, *_: object):
        if code not in ("f4", "f8", "i4", "i8"):
            raise PickleError("holds numbers of an unknown type")
        self.dtype = np.dtype(f"<{code}")

    def set_state(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] != "<":
            raise PickleError("holds numbers of another byte order")


def _number(kind: object, content: object) -> float:
    if not isinstance(kind, _NumberType) or not isinstance(content, bytes) or len(content) != kind.dtype.itemsize:
        raise PickleError("holds a damaged number")
    number: float = np.frombuffer(content, kind.dtype)[0].item()
    return number


def _bytes(text: object, encoding: object) -> bytes:
    if encoding != "latin1" or not isinstance(text, str):
        raise PickleError("holds bytes of another form")
    return text.encode("latin1")


def _fraction(*parts: object) -> Fraction:
    """Python before 3.11 stores a text like "39/5", later ones two numbers."""
    if not all(type(part) in (int, str) for part in parts):
        raise PickleError("holds a damaged fraction")
    text = "/".join(map(str, parts))
    if not re.fullmatch(r"[0-9]{1,9}(/[1-9][0-9]{0,8})?", text):
        raise PickleError("holds a damaged fraction")
    return Fraction(text)


_ALLOWED = {
    ("collections", "OrderedDict"): Function(_ordered_table),
    ("torch._utils", "_rebuild_tensor_v2"): Function(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): Function(_rebuild_parameter),
    **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
}
# What the settings beside the weights of published packages are made of.
_ALLOWED_IN_PACKAGES = {
    ("fractions", "Fraction"): Function(_fraction),
    ("numpy", "dtype"): Function(_NumberType),
    ("numpy.core.multiarray", "scalar"): Function(_number),
    ("numpy._core.multiarray", "scalar"): Function(_number),
    ("_codecs", "encode"): Function(_bytes),
}


def read_weights(path: Path | str) -> dict[str, np.ndarray]:
    """Tensors by name, read-only.

    Raises
    ------
    ModelError
        If the file is missing, cut off, of another form, or asks for code to be run.
    """
    found = _read(Path(path), _ALLOWED)
    return {str(name): values for name, values in found.items() if isinstance(values, np.ndarray)}


def read_package(path: Path | str, class_names: Iterable[str]) -> dict[Any, Any]:
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
    names = {(name.rsplit(".", 1)[0], name.rsplit(".", 1)[-1]): ClassName(name) for name in class_names}
    return _read(Path(path), {**_ALLOWED, **_ALLOWED_IN_PACKAGES, **names})


def _read(path: Path, allowed: Names) -> dict[Any, Any]:
    try:
        with open_regular(path, _HIGHEST_FILE_BYTES) as file:
            return read_content(file, allowed)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # noqa: BLE001 - damaged pickles raise nearly anything
        raise ModelError(f"{path}: not a file of weights, or damaged: {' '.join(str(error).split())[:300]}") from None


def read_content(file: BinaryIO, allowed: Names = _ALLOWED) -> dict[Any, Any]:
    """What `read_weights` reads, from an open file; other values than tensors are left in."""
    found = _read_zip(file, allowed) if zipfile.is_zipfile(file) else _read_legacy(file, allowed)
    if not isinstance(found, dict):
        raise PickleError("holds no dictionary of tensors")
    return _with_arrays(found)


def _with_arrays(found: dict[Any, Any]) -> dict[Any, Any]:
    """The dictionary, and those in it, with arrays for tensors."""
    views = {name: values.array() for name, values in found.items() if isinstance(values, _View)}
    tables = {name: _with_arrays(values) for name, values in found.items() if isinstance(values, dict)}
    return {**found, **views, **tables}


def _storage_loader(load: Callable[[np.dtype, str, int], _Storage]) -> Callable[[Any], _Storage]:
    """Checks what a pickle refers to, before `load` gets type, key and number of values."""

    def persistent(identifier: object) -> _Storage:
        if not isinstance(identifier, tuple) or len(identifier) not in (5, 6) or identifier[0] != "storage":
            raise PickleError("refers to something outside")
        _, kind, key, _, num_values, *view = identifier
        if not isinstance(kind, _StorageType) or not isinstance(key, str) or not _is_count(num_values):
            raise PickleError("stores numbers of an unknown type")
        if any(part is not None for part in view):
            raise PickleError("stores numbers as part of others")
        return load(kind.dtype, key, num_values)

    return persistent


def _read_zip(file: BinaryIO, allowed: Names) -> object:
    size = file.seek(0, io.SEEK_END)
    directory = _Directory(file)
    with zipfile.ZipFile(directory) as archive:
        directory.limit_bytes = None
        left = size  # members may lie over each other, so that each is small and all together are not

        def read(member: zipfile.ZipInfo) -> bytes:
            nonlocal left
            left -= member.file_size
            stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
            if not stored or member.flag_bits & _ENCRYPTED or left < 0:
                raise PickleError("is packed in another way than torch packs it")
            return archive.read(member)  # its checksum is compared

        names = archive.namelist()
        pickled = [name for name in names if name.endswith("/data.pkl")]
        if len(pickled) != 1 or len(set(names)) != len(names):
            raise PickleError("is no archive of torch")
        folder = pickled[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in names and read(archive.getinfo(f"{folder}byteorder")) != b"little":
            raise PickleError("was written on a big-endian machine")
        storages: dict[str, _Storage] = {}

        def load(dtype: np.dtype, key: str, num_values: int) -> _Storage:
            if key not in storages:
                member = archive.getinfo(f"{folder}data/{key}")
                if member.file_size != num_values * dtype.itemsize:
                    raise PickleError(f"has {member.file_size} bytes where {num_values} values should be")
                storages[key] = _Storage(dtype, num_values, np.frombuffer(read(member), dtype))
            return _same(storages[key], dtype, num_values)

        return read_pickle(io.BytesIO(read(archive.getinfo(pickled[0]))), allowed, _storage_loader(load))


class _Directory:
    """A zip file whose directory must be short: `zipfile` makes an object of 500 bytes of each 50 bytes of it."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.limit_bytes: int | None = _HIGHEST_DIRECTORY_BYTES
        self.seekable, self.seek, self.tell = file.seekable, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if self.limit_bytes is not None and size > self.limit_bytes:
            raise PickleError("has a directory larger than weights need")
        return self._file.read(size)


def _read_legacy(file: BinaryIO, allowed: Names) -> object:
    storages: dict[str, _Storage] = {}

    def load(dtype: np.dtype, key: str, num_values: int) -> _Storage:
        return _same(storages.setdefault(key, _Storage(dtype, num_values)), dtype, num_values)

    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if read_pickle(file, allowed) != _LEGACY_MAGIC or read_pickle(file, {}) != _LEGACY_PROTOCOL:
        raise PickleError("was not written by torch")
    about = read_pickle(file, {})
    if not isinstance(about, dict) or about.get("little_endian", True) is not True:
        raise PickleError("was written on a big-endian machine")
    found = read_pickle(file, allowed, _storage_loader(load))
    keys = read_pickle(file, {})
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise PickleError("names its numbers twice")
    for key in keys:
        storage = storages[key]
        (num_values,) = struct.unpack("<q", file.read(8))
        num_bytes = num_values * storage.dtype.itemsize
        if num_values != storage.num_values or num_bytes > size - file.tell():
            raise PickleError("is cut off")
        storage.values = np.frombuffer(file.read(num_bytes), storage.dtype)
    return found


def _same(storage: _Storage, dtype: np.dtype, num_values: int) -> _Storage:
    if (storage.dtype, storage.num_values) != (dtype, num_values):
        raise PickleError("states two sizes for the same numbers")
    return storage
