# SPDX-License-Identifier: MIT
"""Reads TensorFlow checkpoints (`model.index`, `model.data-00000-of-00001`) without TensorFlow, all checksums checked.

The index is a LevelDB table (LevelDB doc/table_format.md) of BundleEntryProto records (tensorflow/core/protobuf/
tensor_bundle.proto); the data file holds the tensors' bytes. Nothing in these files is executed.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
import numpy as np

from stemlane.errors import ModelError
from stemlane.regular_files import open_regular, read_regular

_TABLE_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_BLOCK_TRAILER_BYTES = 5  # compression and checksum
_HIGHEST_INDEX_BYTES = 4 << 20  # Spleeter's largest has 20 KB
_HIGHEST_DATA_BYTES = 4 << 30
_HIGHEST_KEY_BYTES = 1024  # keys repeat what the one before begins with, so that short files may hold long ones
_HIGHEST_DIMENSIONS = 8
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protocol buffers' wire types
_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 2: np.dtype("<f8"), 3: np.dtype("<i4"), 9: np.dtype("<i8")}


@dataclass(frozen=True)
class TensorEntry:
    """Where a tensor lies in the data file; `crc32c` is the masked checksum of its bytes."""

    dtype_number: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size_bytes: int
    crc32c: int


class Checkpoint:
    """A checkpoint's tensors by name.

    Parameters
    ----------
    prefix
        Path without endings, such as `4stems/model`.

    Attributes
    ----------
    entries
        A `TensorEntry` for every name.

    Raises
    ------
    ModelError
        If the files are missing, cut off, damaged or of an unknown form.
    """

    def __init__(self, prefix: Path | str):
        self.index_path = Path(f"{prefix}.index")
        self.data_path = Path(f"{prefix}.data-00000-of-00001")
        self.entries = read_index(self.index_path)
        needed = max((entry.offset + entry.size_bytes for entry in self.entries.values()), default=0)
        with self._open_data() as file:
            found = file.seek(0, 2)
        if found != needed:
            raise ModelError(
                f"{self.data_path}: has {found} bytes, the index describes {needed}: cut off or not its own"
            )

    def read(self, name: str) -> np.ndarray:
        """The tensor `name`, read-only, after its checksum has been compared."""
        entry = self.entries[name]
        dtype = _DTYPES.get(entry.dtype_number)
        if dtype is None:
            raise ModelError(f"{self.index_path}: {name} is of a type ({entry.dtype_number}) weights never are")
        if entry.shard != 0 or math.prod(entry.shape) * dtype.itemsize != entry.size_bytes:
            raise ModelError(f"{self.index_path}: {name} has {entry.size_bytes} bytes, its shape is {entry.shape}")
        with self._open_data() as file:
            file.seek(entry.offset)
            content = file.read(entry.size_bytes)
        if len(content) != entry.size_bytes or _masked_crc(content) != entry.crc32c:
            raise ModelError(f"{self.data_path}: {name} is damaged: its checksum differs")
        values: np.ndarray = np.frombuffer(content, dtype).reshape(entry.shape)
        return values

    def _open_data(self) -> BinaryIO:
        try:
            return open_regular(self.data_path, _HIGHEST_DATA_BYTES)
        except OSError as error:
            raise ModelError(f"{self.data_path}: cannot be read ({error.strerror})") from None


def read_index(path: Path | str) -> dict[str, TensorEntry]:
    """The tensors a checkpoint's index describes, by name; raises `ModelError` as `Checkpoint` does."""
    path = Path(path)
    try:
        content = read_regular(path, _HIGHEST_INDEX_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    return parse_index(content, path)


def parse_index(content: bytes, path: Path) -> dict[str, TensorEntry]:
    """As `read_index`, from the file's content; `path` is for messages."""
    records = _read_table(path, content)
    header = _fields(path, records.pop(b"", b""))
    if header.get(1, [0])[-1] != 1 or header.get(2, [0])[-1] != 0:
        raise ModelError(f"{path}: should describe one little-endian data file")
    return {name.decode("utf-8", "replace"): _entry(path, value) for name, value in records.items()}


def _entry(path: Path, record: bytes) -> TensorEntry:
    fields = _fields(path, record)
    if 7 in fields:
        raise ModelError(f"{path}: holds a tensor in slices, which is not supported")
    try:
        dims = _fields(path, fields.get(2, [b""])[-1]).get(2, [])
        shape = tuple(_fields(path, dim).get(1, [0])[-1] for dim in dims)
    except TypeError:  # a number where a message should be
        raise _damaged(path) from None
    number = {key: fields.get(key, [0])[-1] for key in (1, 3, 4, 5, 6)}
    # A number of the wire has up to 70 bits, a product of many of them has no end.
    if len(shape) > _HIGHEST_DIMENSIONS or not all(
        isinstance(value, int) and value < 1 << 48 for value in (*number.values(), *shape)
    ):
        raise _damaged(path)
    return TensorEntry(number[1], shape, number[3], number[4], number[5], number[6])


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path}: not a checkpoint's index, or damaged")


def _masked_crc(content: bytes) -> int:
    """CRC32C as LevelDB stores it: rotated and shifted, because checksums of checksums are weak."""
    value: int = google_crc32c.value(content)
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = content[position]  # IndexError where the content ends is turned into a ModelError by the callers
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise IndexError("varint too long")


def _fields(path: Path, record: bytes) -> dict[int, list[Any]]:
    """A protocol buffer message: for every field number its values, int or bytes, in order."""
    found: dict[int, list[Any]] = {}
    position = 0
    value: int | bytes
    try:
        while position < len(record):
            key, position = _varint(record, position)
            kind = key & 7
            if kind == _VARINT:
                value, position = _varint(record, position)
            elif kind == _BYTES:
                size, position = _varint(record, position)
                value = _slice(record, position, size)
                position += size
            elif kind in (_FIXED32, _FIXED64):
                size = 4 if kind == _FIXED32 else 8
                value = int.from_bytes(_slice(record, position, size), "little")
                position += size
            else:
                raise _damaged(path)
            found.setdefault(key >> 3, []).append(value)
    except IndexError:
        raise _damaged(path) from None
    return found


def _slice(content: bytes, start: int, size: int) -> bytes:
    if size < 0 or start + size > len(content):
        raise IndexError("past the end")
    return content[start : start + size]


def _read_table(path: Path, content: bytes) -> dict[bytes, bytes]:
    """All records of a LevelDB table."""
    if len(content) < _FOOTER_BYTES or struct.unpack("<Q", content[-8:])[0] != _TABLE_MAGIC:
        raise ModelError(f"{path}: not a checkpoint's index, or cut off")
    try:
        position = len(content) - _FOOTER_BYTES
        for _ in range(2):  # the handle of the meta index, which is of no use here
            _, position = _varint(content, position)
        index_handle, _ = _handle(content, position)
        records: dict[bytes, bytes] = {}
        blocks = [_handle(value, 0)[0] for value in _read_block(path, content, *index_handle).values()]
        if sum(size for _, size in blocks) > len(content):  # blocks that lie over each other
            raise _damaged(path)
        for handle in blocks:
            records.update(_read_block(path, content, *handle))
    except (IndexError, struct.error):
        raise _damaged(path) from None
    return records


def _handle(content: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = _varint(content, position)
    size, position = _varint(content, position)
    return (offset, size), position


def _read_block(path: Path, content: bytes, offset: int, size: int) -> dict[bytes, bytes]:
    """Records of one block: keys share prefixes with the key before; restart points follow the records."""
    block = _slice(content, offset, size)
    trailer = _slice(content, offset + size, _BLOCK_TRAILER_BYTES)
    if trailer[0] != 0:
        raise ModelError(f"{path}: is compressed, which checkpoints are not")
    if _masked_crc(block + trailer[:1]) != int.from_bytes(trailer[1:], "little"):
        raise ModelError(f"{path}: is damaged: a checksum differs")
    (num_restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (num_restarts + 1)
    records: dict[bytes, bytes] = {}
    key, position = b"", 0
    while position < end:
        num_shared, position = _varint(block, position)
        num_new, position = _varint(block, position)
        num_value, position = _varint(block, position)
        if num_shared + num_new > _HIGHEST_KEY_BYTES:
            raise IndexError("key too long")
        key = _slice(key, 0, num_shared) + _slice(block, position, num_new)
        records[key] = _slice(block, position + num_new, num_value)
        position += num_new + num_value
    return records
