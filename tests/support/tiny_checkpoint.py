# SPDX-License-Identifier: MIT
"""Writes small checkpoints of TensorFlow's form: a LevelDB table as the index, one file of tensors."""

import struct
from pathlib import Path

import google_crc32c
import numpy as np

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9}


def masked_crc(content: bytes) -> int:
    """CRC32C, rotated by 15 bits and moved by LevelDB's constant."""
    value = google_crc32c.value(content)
    return ((value >> 15 | value << 17) + 0xA282EAD8) % 2**32


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    content = b""
    while value >= 128:
        content += bytes([value % 128 + 128])
        value //= 128
    return content + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, bytes):
        return varint(number * 8 + 2) + varint(len(value)) + value
    return varint(number * 8) + varint(value)


def block(records: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    """A block with its trailer: keys share what they have in common with the one before, anew every 4 records."""
    content, restarts, last = b"", [], b""
    for number, (key, value) in enumerate(records):
        shared = 0
        if number % 4:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        else:
            restarts.append(len(content))
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    content += b"".join(struct.pack("<I", place) for place in restarts) + struct.pack("<I", len(restarts))
    kind = bytes([compression])
    return content + kind + struct.pack("<I", masked_crc(content + kind))


def table(records: dict[bytes, bytes], compression: int = 0) -> bytes:
    """A LevelDB table of blocks of 10 records."""
    ordered = sorted(records.items())
    content, handles = b"", []
    for start in range(0, len(ordered), 10):
        part = ordered[start : start + 10]
        written = block(part, compression)
        handles.append((part[-1][0], varint(len(content)) + varint(len(written) - 5)))
        content += written
    meta, index = block([]), block(handles)
    footer = varint(len(content)) + varint(len(meta) - 5)
    footer += varint(len(content) + len(meta)) + varint(len(index) - 5)
    return content + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write_checkpoint(prefix: Path, tensors: dict[str, np.ndarray], *, compression: int = 0, extra=None) -> Path:
    """Write `prefix`.index and its data, return `prefix`; `extra` maps names to further bytes of their records."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    records = {b"": field(1, 1) + field(3, field(1, 1))}
    data = b""
    for name in sorted(tensors):
        values = np.asarray(tensors[name])
        content = values.tobytes()
        shape = b"".join(field(2, field(1, size)) for size in values.shape)
        record = field(1, DTYPES[values.dtype.name]) + field(2, shape) + field(4, len(data)) + field(5, len(content))
        record += varint(6 * 8 + 5) + struct.pack("<I", masked_crc(content))
        records[name.encode()] = record + (extra or {}).get(name, b"")
        data += content
    Path(f"{prefix}.index").write_bytes(table(records, compression))
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    return prefix
