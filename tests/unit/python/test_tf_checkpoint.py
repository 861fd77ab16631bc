# SPDX-License-Identifier: MIT
"""Checkpoints: what is written is read; whatever is cut off, changed or of another form is refused with the reason."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from stemlane.catalog.convert.readers.tf_checkpoint import Checkpoint, read_index
from stemlane.catalog.convert.spleeter.models import check_architecture
from stemlane.catalog.convert.spleeter.network import expected_shapes
from stemlane.errors import ModelError
from support.spleeter_checkpoint import REFERENCES
from support.tiny_checkpoint import field, write_checkpoint

RNG = np.random.default_rng(11)
TENSORS = {
    **{f"layer_{number}/kernel": RNG.standard_normal((3, number + 1)).astype(np.float32) for number in range(23)},
    "a/long/name/so/that/lengths/take/more/than/one/byte" * 4: RNG.standard_normal(200).astype(np.float32),
    "double": RNG.standard_normal((2, 2)),
    "global_step": np.int64(7),
}


@pytest.fixture
def prefix(tmp_path):
    return write_checkpoint(tmp_path / "model", TENSORS)


def data_of(prefix: Path) -> Path:
    return Path(f"{prefix}.data-00000-of-00001")


def index_of(prefix: Path) -> Path:
    return Path(f"{prefix}.index")


def test_tensors_are_read(prefix):
    checkpoint = Checkpoint(prefix)
    assert set(checkpoint.entries) == set(TENSORS)
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(checkpoint.read(name), values)


@pytest.mark.parametrize("variant", ["2stems", "4stems", "5stems"])
def test_indexes_written_by_tensorflow(variant):
    entries = read_index(REFERENCES / f"spleeter_{variant}.index")
    shapes = {name: entry.shape for name, entry in entries.items()}
    assert shapes.pop("global_step") == ()
    assert shapes == expected_shapes(int(variant[0]))
    # The sizes of Deezer's data files
    size = {"2stems": 78_614_080, "4stems": 157_228_152, "5stems": 196_535_188}[variant]
    assert max(entry.offset + entry.size_bytes for entry in entries.values()) == size


def test_changed_bytes_of_the_index_are_noticed_or_harmless(prefix):
    content = index_of(prefix).read_bytes()
    unharmed = Checkpoint(prefix).entries
    for position in range(0, len(content), 3):
        changed = bytearray(content)
        changed[position] ^= 0x11
        index_of(prefix).write_bytes(changed)
        try:
            assert Checkpoint(prefix).entries == unharmed  # padding, or a part nobody reads
        except ModelError as error:
            assert str(error).startswith(str(prefix))


def test_cut_off_files(prefix):
    content = index_of(prefix).read_bytes()
    for length in (0, 10, 47, 48, len(content) // 2, len(content) - 1):
        index_of(prefix).write_bytes(content[:length])
        with pytest.raises(ModelError, match="not a checkpoint's index"):
            Checkpoint(prefix)
    index_of(prefix).write_bytes(content)
    data = data_of(prefix).read_bytes()
    for changed in (data[:-1], b"", data + b"x"):
        data_of(prefix).write_bytes(changed)
        with pytest.raises(ModelError, match=rf"has {len(changed)} bytes, the index describes {len(data)}"):
            Checkpoint(prefix)
    data_of(prefix).unlink()
    with pytest.raises(ModelError, match=r"data-00000-of-00001: cannot be read .No such file"):
        Checkpoint(prefix)
    index_of(prefix).unlink()
    with pytest.raises(ModelError, match=r"model.index: cannot be read .No such file"):
        Checkpoint(prefix)


def test_changed_weights(prefix):
    data = bytearray(data_of(prefix).read_bytes())
    checkpoint = Checkpoint(prefix)
    data[checkpoint.entries["layer_7/kernel"].offset + 5] ^= 1
    data_of(prefix).write_bytes(data)
    checkpoint.read("layer_6/kernel")
    with pytest.raises(ModelError, match="layer_7/kernel is damaged: its checksum differs"):
        checkpoint.read("layer_7/kernel")


def test_other_forms_of_checkpoints(tmp_path):
    with pytest.raises(ModelError, match="is compressed"):
        Checkpoint(write_checkpoint(tmp_path / "snappy", TENSORS, compression=1))
    with pytest.raises(ModelError, match="in slices"):
        Checkpoint(write_checkpoint(tmp_path / "slices", TENSORS, extra={"double": field(7, b"")}))
    strings = Checkpoint(write_checkpoint(tmp_path / "string", TENSORS, extra={"double": field(1, 7)}))
    with pytest.raises(ModelError, match="double is of a type .7. weights never are"):
        strings.read("double")
    shapes = Checkpoint(write_checkpoint(tmp_path / "shape", TENSORS, extra={"double": field(2, b"")}))
    with pytest.raises(ModelError, match="double has 32 bytes, its shape is"):
        shapes.read("double")


def test_architectures(tmp_path):
    shapes = expected_shapes(2)
    small = {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if np.prod(shape) < 1000}

    def check(changes: dict, variant: str = "2stems") -> None:
        prefix = write_checkpoint(tmp_path / "changed", {**small, **changes})
        checkpoint = Checkpoint(prefix)
        for name, shape in shapes.items():  # the large ones only on paper
            if name not in small:
                checkpoint.entries[name] = type(checkpoint.entries["conv2d/bias"])(1, shape, 0, 0, 0, 0)
        check_architecture(checkpoint, variant)

    check({})
    check({"global_step": np.int64(1)})
    with pytest.raises(ModelError, match="are the weights of 2stems, not of 4stems"):
        check({}, "4stems")
    with pytest.raises(ModelError, match="unknown tensor conv2d/kernel/Adam"):
        check({"conv2d/kernel/Adam": np.zeros(3, np.float32)})
    with pytest.raises(ModelError, match=r"conv2d_3/bias has shape \(64,\), should be \(128,\)"):
        check({"conv2d_3/bias": np.zeros(64, np.float32)})
    with pytest.raises(ModelError, match="conv2d_3/bias has shape .*of 32-bit floats"):
        check({"conv2d_3/bias": np.zeros(128)})
    del small["conv2d_3/bias"]
    shapes = {name: shape for name, shape in shapes.items() if name != "conv2d_3/bias"}
    with pytest.raises(ModelError, match="has no tensor conv2d_3/bias"):
        check({})


def test_an_index_of_another_checkpoint(prefix, tmp_path):
    shutil.copy(REFERENCES / "spleeter_2stems.index", index_of(prefix))
    with pytest.raises(ModelError, match="the index describes 78614080: cut off or not its own"):
        Checkpoint(prefix)
