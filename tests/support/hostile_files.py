# SPDX-License-Identifier: MIT
"""Builds files of weights byte by byte, so that their sizes, places and states can say anything."""

import io
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

from support import tiny_checkpoint

# Operations of pickles, as `pickletools` names them.
PROTO, STOP, MARK, EMPTY_DICT, EMPTY_TUPLE = b"\x80\x02", b".", b"(", b"}", b")"
TUPLE, REDUCE, BUILD, SETITEM, PERSID, TUPLE2 = b"t", b"R", b"b", b"s", b"Q", b"\x86"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def name(module: str, called: str) -> bytes:
    return f"c{module}\n{called}\n".encode()


def storage(num_values: int, key: str = "0") -> bytes:
    kind = name("torch", "FloatStorage")
    return MARK + text("storage") + kind + text(key) + text("cpu") + number(num_values) + TUPLE + PERSID


def numbers(values) -> bytes:
    return MARK + b"".join(map(number, values)) + TUPLE


def tensor(held: bytes, shape, strides, offset: int = 0) -> bytes:
    arguments = held + number(offset) + numbers(shape) + numbers(strides) + b"\x89" + EMPTY_TUPLE
    return name("torch._utils", "_rebuild_tensor_v2") + MARK + arguments + TUPLE + REDUCE


def weights(value: bytes) -> bytes:
    """A pickle of {"a": value}."""
    return PROTO + EMPTY_DICT + text("a") + value + SETITEM + STOP


def archive(path: Path, pickled: bytes, content: bytes = bytes(16), compression=zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/data/0", content)
    return path


def state(**values: bytes) -> bytes:
    return EMPTY_DICT + b"".join(text(key) + value + SETITEM for key, value in values.items()) + BUILD


def legacy_file(pickled: bytes, num_values: int, content: bytes, keys=("0",)) -> bytes:
    heads = [pickle.dumps(head, 2) for head in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    return b"".join(heads) + pickled + pickle.dumps(list(keys), 2) + struct.pack("<q", num_values) + content


def overlapping(count: int, num_bytes: int) -> bytes:
    """An archive whose `count` storages are the same bytes."""
    buffer = io.BytesIO()
    num_values = num_bytes // 4
    tensors = b"".join(
        text(f"t{key}") + tensor(storage(num_values, str(key)), [num_values], [1]) + SETITEM for key in range(count)
    )
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", PROTO + EMPTY_DICT + tensors + STOP)
        file.writestr("archive/data/0", bytes(num_bytes))
        first = file.getinfo("archive/data/0")
        for key in range(1, count):
            twin = zipfile.ZipInfo(f"archive/data/{key}")
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            twin.file_size = twin.compress_size = num_bytes
            file.filelist.append(twin)
            file.NameToInfo[twin.filename] = twin
    return buffer.getvalue()


def table_of(blocks: list[bytes], times: int) -> bytes:
    """A LevelDB table that names each block so many times."""
    handles, content = [], b""
    for block in blocks:
        handle = tiny_checkpoint.varint(len(content)) + tiny_checkpoint.varint(len(block) - 5)
        handles += [(b"%06d" % turn, handle) for turn in range(times)]
        content += block
    meta, index = tiny_checkpoint.block([]), tiny_checkpoint.block(handles)
    footer = tiny_checkpoint.varint(len(content)) + tiny_checkpoint.varint(len(meta) - 5)
    footer += tiny_checkpoint.varint(len(content) + len(meta)) + tiny_checkpoint.varint(len(index) - 5)
    return content + meta + index + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def tar_header(filename: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(filename)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def sparse_archive(*, goes_on: bool = False) -> bytes:
    """A tar archive whose file of 512 MiB is nothing but one hole; the list of holes may go on in the next block."""
    header = bytearray(tar_header("model.index", 512, tarfile.GNUTYPE_SPARSE))
    header[386:398], header[398:410] = b"%011o\0" % 0, b"%011o\0" % 512
    header[482] = goes_on
    header[483:495] = b"%011o\0" % (1 << 29)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(512) + bytes(1024)
