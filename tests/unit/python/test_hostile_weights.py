# SPDX-License-Identifier: MIT
"""Files of weights made to do harm: read in a process that may take 1 GiB and a few seconds, they are refused."""

import gzip
import os
import resource
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from stemlane.catalog.convert.readers.tar_members import take_members
from stemlane.catalog.convert.readers.tf_checkpoint import read_index
from stemlane.catalog.convert.readers.torch_weights import read_weights
from stemlane.errors import ModelError
from support import tiny_checkpoint
from support.hostile_files import (
    EMPTY_DICT,
    EMPTY_TUPLE,
    PROTO,
    REDUCE,
    SETITEM,
    STOP,
    TUPLE2,
    archive,
    legacy_file,
    name,
    number,
    numbers,
    overlapping,
    sparse_archive,
    state,
    storage,
    table_of,
    tar_header,
    tensor,
    text,
    weights,
)
from support.torch_files import write_torch

_HIGHEST_MEMORY_BYTES = 1 << 30
_SECONDS = 60  # of processor time; each takes less than one


def refused(path: Path, reader: str = "torch_weights.read_weights") -> str:
    """What the reader says of the file, in a process of its own: some files crash it or eat all memory."""
    module, function = reader.split(".")
    code = f"""
import sys
from stemlane.catalog.convert.readers.{module} import {function}
from stemlane.errors import ModelError
try:
    {function}(sys.argv[1])
    print("was read")
except ModelError as error:
    print("refused:", error)
"""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (_HIGHEST_MEMORY_BYTES, _HIGHEST_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, env=environment, preexec_fn=limit,
        timeout=20 * _SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-500:]}"
    assert done.stdout.startswith("refused: ") and done.stdout.count("\n") == 1 and len(done.stdout) < 600, done.stdout
    return done.stdout


def test_objects_take_no_state(tmp_path):
    """A state could overwrite the size of a storage, or its numbers by an address of memory."""
    interface = EMPTY_DICT + text("shape") + numbers([1000]) + SETITEM + text("typestr") + text("<f4") + SETITEM
    interface += text("version") + number(3) + SETITEM
    interface += text("data") + number(0x400000) + b"\x89" + TUPLE2 + SETITEM
    function = name("torch._utils", "_rebuild_tensor_v2")
    for held, words in (
        (tensor(storage(4) + state(num_values=number(1 << 40)), [1 << 38], [1]), "gives a state to what has none"),
        (storage(4) + state(__array_interface__=interface), "gives a state to what has none"),
        (tensor(storage(4), [4], [1]) + state(shape=numbers([1 << 30])), "gives a state to what has none"),
        (name("torch", "FloatStorage") + state(dtype=text("<f8")), "gives a state to what has none"),
        (function + state(a=number(1)), "gives a state to what has none"),
        (text("x") + state(a=number(1)), "gives a state to what has none"),
    ):
        assert words in refused(archive(tmp_path / "w.pth", weights(held)))


def test_an_ordered_dictionary_forgets_its_state(tmp_path):
    ordered = name("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
    content = PROTO + ordered + text("a") + tensor(storage(4), [4], [1]) + SETITEM
    content += state(_metadata=EMPTY_DICT, __array_interface__=EMPTY_DICT) + STOP
    found = read_weights(archive(tmp_path / "w.pth", content, np.float32([1, 2, 3, 4]).tobytes()))
    np.testing.assert_array_equal(found["a"], [1, 2, 3, 4])
    with pytest.raises(ValueError, match="read-only"):  # the numbers of a file cannot be written to
        found["a"][0] = 9


@pytest.mark.parametrize("shape, strides, offset", [
    ([1 << 30], [0], 0), ([32768, 32768], [0, 0], 0), ([5], [0], 0),  # strides of 0
    ([5], [1], 0), ([2, 2], [3, 1], 0), ([4], [1], 1), ([1], [1], 4),  # one value too far
    ([1 << 62, 4], [1, 1], 0), ([4], [1 << 62], 0), ([2], [-1], 1), ([-1], [1], 0), ([4], [1], -4),
    ([0], [1], 0), ([4, 1], [1], 0), ([1] * 9, [1] * 9, 0), ([1] * 64, [1] * 64, 0),
])  # fmt: skip
@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_outside_of_their_storage(tmp_path, shape, strides, offset, legacy):
    pickled = weights(tensor(storage(4), shape, strides, offset))
    path = tmp_path / "w.pth"
    if legacy:
        path.write_bytes(legacy_file(pickled, 4, bytes(16)))
    else:
        archive(path, pickled)
    with pytest.raises(ModelError, match="larger than what is stored|of no size|of no possible form"):
        read_weights(path)


def test_sizes_are_compared_before_they_are_read(tmp_path):
    path = tmp_path / "w.pth"
    huge = 1 << 40
    path.write_bytes(legacy_file(weights(tensor(storage(huge), [huge], [1])), huge, bytes(16)))
    assert "is cut off" in refused(path)
    path.write_bytes(legacy_file(weights(tensor(storage(4), [4], [1])), huge, bytes(16)))
    assert "is cut off" in refused(path)
    path.write_bytes(legacy_file(weights(tensor(storage(4), [4], [1])), 4, bytes(16), keys=()))
    assert "whose numbers are missing" in refused(path)
    path.write_bytes(legacy_file(weights(tensor(storage(4), [4], [1])), 4, bytes(16), keys=("0", "0")))
    assert "names its numbers twice" in refused(path)
    for operation in (b"X" + b"\xff" * 4, b"\x8d" + b"\xff" * 7 + b"\x7f", b"B" + b"\xff" * 4, b"\x8b\xff\xff\xff\x7f"):
        assert refused(archive(path, weights(operation)))


def test_memos_and_nesting_stay_small(tmp_path):
    """A memo of the highest number fills memory in Python's own unpickler; tables in tables take it for ever."""
    path = tmp_path / "w.pth"
    rings = EMPTY_DICT + b"q\x00" + text("b") + b"h\x00" + SETITEM
    doubled = b"N" + b"".join(b"q%c0h%c\x86" % (i, i) for i in range(60))
    tables = EMPTY_DICT + b"".join(
        b"q%c" % i + b"0" + EMPTY_DICT + text("l") + b"h%c" % i + SETITEM + text("r") + b"h%c" % i + SETITEM
        for i in range(60)
    )
    tables = tables.replace(b"0" + EMPTY_DICT, EMPTY_DICT)  # POP is none of the operations
    key = EMPTY_DICT + EMPTY_TUPLE + b"".join(b"q%ch%c\x86" % (i, i) for i in range(60)) + b"N" + SETITEM
    for value in (rings, key, tables, b"]" * 5000 + b"a" * 4999, doubled, b"(" * 100):
        assert refused(archive(path, weights(value)))
    far = archive(path, weights(b"Nr\xff\xff\xff\x7f"))
    assert list(read_weights(far)) == []


def test_archives_that_inflate(tmp_path):
    """Deflated members, members over each other, and a directory of a hundred thousand names."""
    path = tmp_path / "w.pth"
    num_values = 1 << 26
    pickled = weights(tensor(storage(num_values), [num_values], [1]))
    archive(path, pickled, bytes(4 * num_values), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    assert "packed in another way than torch packs it" in refused(path)
    content = bytearray(archive(path, weights(tensor(storage(4), [4], [1]))).read_bytes())
    content[content.rindex(b"PK\1\2") + 8] |= 1  # says that the storage is encrypted
    path.write_bytes(content)
    assert "packed in another way than torch packs it" in refused(path)
    path.write_bytes(overlapping(64, 1 << 24))
    assert path.stat().st_size < 20_000_000
    assert "packed in another way than torch packs it" in refused(path)
    with zipfile.ZipFile(path, "w") as file:
        for index in range(100_000):
            file.writestr(f"archive/data/{index}", b"")
    assert "directory larger than weights need" in refused(path)


def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.pth")
    (tmp_path / "endless.pth").symlink_to("/dev/zero")
    for path in ("pipe.pth", "endless.pth"):
        assert "is no regular file" in refused(tmp_path / path)
    write_torch(tmp_path / "w.pth", {"a": np.ones(3, np.float32)})
    (tmp_path / "link.pth").symlink_to("w.pth")  # caches of downloads are full of them
    np.testing.assert_array_equal(read_weights(tmp_path / "link.pth")["a"], [1, 1, 1])
    for kind in ("index", "data-00000-of-00001"):
        tiny_checkpoint.write_checkpoint(tmp_path / kind / "model", {"a": np.ones(3, np.float32)})
        (tmp_path / kind / f"model.{kind}").unlink()
        os.mkfifo(tmp_path / kind / f"model.{kind}")
        assert "is no regular file" in refused(tmp_path / kind / "model", "tf_checkpoint.Checkpoint")


def test_checkpoints_that_inflate(tmp_path):
    """Keys that repeat a long one, blocks that are named again and again, shapes of a million sizes."""
    path = tmp_path / "model.index"
    header = (b"", tiny_checkpoint.field(1, 1))
    long_key = b"k" * 500_000
    records = tiny_checkpoint.varint(0) + tiny_checkpoint.varint(len(long_key)) + b"\0" + long_key
    records += b"".join(
        tiny_checkpoint.varint(len(long_key)) + b"\x04\0" + struct.pack(">I", index) for index in range(5000)
    )
    block = records + struct.pack("<II", 0, 1) + b"\0"
    path.write_bytes(table_of([block + struct.pack("<I", tiny_checkpoint.masked_crc(block))], 1))
    assert "not a checkpoint's index, or damaged" in refused(path, "tf_checkpoint.read_index")
    block = tiny_checkpoint.block([header, (b"a", bytes(1_000_000))])
    path.write_bytes(table_of([block], 20_000))
    assert "not a checkpoint's index, or damaged" in refused(path, "tf_checkpoint.read_index")
    one = tiny_checkpoint.field(2, tiny_checkpoint.field(1, (1 << 63) - 1))
    record = tiny_checkpoint.field(1, 1) + tiny_checkpoint.field(2, one * 200_000)
    path.write_bytes(tiny_checkpoint.table({header[0]: header[1], b"a": record}))
    with pytest.raises(ModelError, match="not a checkpoint's index, or damaged"):
        read_index(path)


def refused_archive(path: Path, folder: Path) -> str:
    with pytest.raises(ModelError) as refusal:
        take_members(path, ["model.index"], folder, lambda *_: None)
    return str(refusal.value)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.REGTYPE])
def test_tar_archives_that_inflate(tmp_path, kind):
    """A name, a header, or a file to be skipped, of 4 GiB of zeros that take 4 MB; only the beginning is there."""
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(tar_header("x", 4 << 30, kind))
        for _ in range(64):
            file.write(bytes(1 << 20))
    resource_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = refused_archive(path, tmp_path)
    assert "would inflate to" in said or "more headers than weights need" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resource_before < 32 << 10  # KiB


def test_sparse_and_packed_archives_are_refused(tmp_path):
    (tmp_path / "sparse.tar").write_bytes(sparse_archive())
    assert "no plain file" in refused_archive(tmp_path / "sparse.tar", tmp_path)
    for length in range(512, 1017, 9):  # `tarfile` itself trips over these
        (tmp_path / "sparse.tar").write_bytes(sparse_archive(goes_on=True)[:length])
        assert "cannot be unpacked" in refused_archive(tmp_path / "sparse.tar", tmp_path)
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as tar:  # its dictionary may want 4 GiB
        tar.addfile(tarfile.TarInfo("model.index"))
    assert "cannot be unpacked" in refused_archive(tmp_path / "a.tar.xz", tmp_path)
    os.mkfifo(tmp_path / "pipe.tar")
    assert "is no regular file" in refused_archive(tmp_path / "pipe.tar", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.xz", "pipe.tar", "sparse.tar"]
