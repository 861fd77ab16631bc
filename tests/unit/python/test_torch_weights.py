# SPDX-License-Identifier: MIT
"""Files of torch: both forms are read, nothing in them is ever run, damage is refused."""

import collections
import os
import pickle
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from stemlane.catalog.convert.readers.torch_weights import ClassName, read_package, read_weights
from stemlane.errors import ModelError
from support.spleeter_checkpoint import REFERENCES
from support.torch_files import Call, Name, write_package, write_torch

RNG = np.random.default_rng(13)
TENSORS = {
    "layer.weight": RNG.standard_normal((5, 7)).astype(np.float32),
    "double": RNG.standard_normal(3),
    "count": np.array(7),
}


@pytest.mark.parametrize("legacy", [False, True])
def test_what_is_written_is_read(tmp_path, legacy):
    found = read_weights(write_torch(tmp_path / "w.pth", TENSORS, legacy=legacy, extra={"note": "not a tensor"}))
    assert list(found) == list(TENSORS)
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


@pytest.mark.parametrize("name", ["torch_zip.pth", "torch_old.pth"])
def test_what_torch_has_written(name):
    found = read_weights(REFERENCES / name)
    six = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = {"a.weight": six, "b": six.T, "n": np.array(7), "weight": six, "bias": np.float32([1, 2])}
    assert set(found) == set(expected)
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values)


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_is_run(tmp_path):
    mark = str(tmp_path / "was here")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Evil(mark)))
    (tmp_path / "dict.pth").write_bytes(pickle.dumps(collections.OrderedDict(a=Evil(mark))))
    with zipfile.ZipFile(tmp_path / "zip.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": Evil(mark)}))
    for name in ("plain", "dict", "zip"):
        with pytest.raises(ModelError, match="asks for posix.mkdir, which weights do not need"):
            read_weights(tmp_path / f"{name}.pth")
    for legacy in (False, True):
        path = write_torch(tmp_path / "name.pth", TENSORS, legacy=legacy, extra={"f": Name("builtins", "eval")})
        with pytest.raises(ModelError, match="asks for builtins.eval"):
            read_weights(path)
    assert not os.path.exists(mark)


@pytest.mark.parametrize("legacy", [False, True])
def test_damage(tmp_path, legacy):
    path = write_torch(tmp_path / "w.pth", TENSORS, legacy=legacy)
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 7):
        path.write_bytes(content[:length])
        with pytest.raises(ModelError, match="not a file of weights, or damaged"):
            read_weights(path)
    for position in range(0, len(content), 5):  # some changes only rename a tensor; none may do anything else
        changed = bytearray(content)
        changed[position] ^= 0x21
        path.write_bytes(changed)
        try:
            found = read_weights(path)
        except ModelError as error:
            assert "\n" not in str(error)
        else:
            assert all(isinstance(values, np.ndarray) for values in found.values())
    with pytest.raises(ModelError, match="cannot be read .No such file"):
        read_weights(tmp_path / "none.pth")


def test_tensors_larger_than_their_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("support.torch_files._Tensor.__reduce__", lambda self: (
        Name("torch._utils", "_rebuild_tensor_v2"), (self.storage, 0, (1000, 1000), (1000, 1), False, {})))  # fmt: skip
    with pytest.raises(ModelError, match="larger than what is stored"):
        read_weights(write_torch(tmp_path / "w.pth", {"a": np.ones(4, np.float32)}))


def number(
    code: str, content: str, *, order: str = "<", encoding: str = "latin1", module: str = "numpy.core.multiarray"
):
    """A single number of numpy, pickled as before version 2."""
    kind = Call(Name("numpy", "dtype"), (code, False, True), state=(3, order, None, None, None, -1, -1, 0))
    return Call(Name(module, "scalar"), (kind, Call(Name("_codecs", "encode"), (content, encoding))))


def fraction(*parts):
    return Call(Name("fractions", "Fraction"), parts)


def test_what_packages_hold(tmp_path):
    klass = Name("demucs.htdemucs", "HTDemucs")
    settings = {
        "segment": fraction("39/5"),
        "new": fraction(39, 5),
        "lr": number("f8", "\0\0\0\0\0\0\xf8?"),
        "a": [1, None],
    }
    path = write_package(tmp_path / "x.th", TENSORS, klass=klass, kwargs=settings)
    found = read_package(path, ["demucs.htdemucs.HTDemucs"])
    assert found["klass"] == ClassName("demucs.htdemucs.HTDemucs")
    assert found["kwargs"] == {"segment": Fraction(39, 5), "new": Fraction(39, 5), "lr": 1.5, "a": [1, None]}
    np.testing.assert_array_equal(found["state"]["layer.weight"], TENSORS["layer.weight"])
    with pytest.raises(ModelError, match="asks for demucs.htdemucs.HTDemucs"):
        read_package(path, ["demucs.hdemucs.HDemucs"])
    with pytest.raises(ModelError, match="asks for"):  # weights alone name less
        read_weights(path)


@pytest.mark.parametrize(
    "value, words",
    [
        (fraction("1/0"), "damaged fraction"),
        (fraction("1e999999999"), "damaged fraction"),
        (fraction(10**12), "damaged fraction"),
        (number("O", "\0\0\0\0\0\0\0\0"), "numbers of an unknown type"),
        (number("f8", "\0"), "damaged number"),
        (number("f8", "\0\0\0\0\0\0\0\0", order=">"), "another byte order"),
        (number("f8", "x", encoding="rot13"), "bytes of another form"),
        (number("f8", "x", module="numpy.random"), "asks for numpy.random.scalar"),
        (Call(Name("demucs.htdemucs", "HTDemucs"), ()), "damaged"),
        (Call(Name("_codecs", "lookup"), ("zip",)), "asks for _codecs.lookup"),
    ],
)
def test_packages_that_are_refused(tmp_path, value, words):
    path = write_package(tmp_path / "x.th", TENSORS, klass=None, kwargs={"x": value})
    with pytest.raises(ModelError, match=words):
        read_package(path, ["demucs.htdemucs.HTDemucs"])
