# SPDX-License-Identifier: MIT
"""Files of safetensors: read as the format's own library reads them, HTDemucs's packages in them, others refused."""

import json
import os
import struct
from fractions import Fraction

import numpy as np
import pytest
from stemlane.catalog.convert.htdemucs.architecture import read_architecture
from stemlane.catalog.convert.htdemucs.safetensors_package import read_safetensors_package
from stemlane.catalog.convert.readers.safetensors_weights import is_safetensors, read_safetensors
from stemlane.catalog.convert.readers.torch_weights import ClassName
from stemlane.catalog.install import add_model
from stemlane.engine.separator import Separator
from stemlane.errors import ModelError
from support.safetensors_files import as_json, header_of, write_parts, write_safetensors
from support.tiny_htdemucs import SIZES, package, seeded

RNG = np.random.default_rng(21)
TENSORS = {
    "layer.weight": RNG.standard_normal((5, 7)).astype(np.float32),
    "half": RNG.standard_normal(3).astype(np.float16),
    "count": np.array(7),
}
CLASS = "demucs.htdemucs.HTDemucs"


def demucs_file(path, tensors=None, sizes=None, **texts):
    about = {"klass": CLASS, "args": "[]", "kwargs": as_json(sizes or SIZES), **texts}
    return write_safetensors(path, seeded(SIZES) if tensors is None else tensors, about)


def test_what_is_written_is_read(tmp_path):
    path = write_safetensors(tmp_path / "w.safetensors", TENSORS, {"klass": "a.B"})
    found, texts = read_safetensors(path)
    assert is_safetensors(path) and texts == {"klass": "a.B"} and set(found) == set(TENSORS)
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype
    from safetensors.numpy import save_file

    save_file(TENSORS, str(path))
    found, texts = read_safetensors(path)
    np.testing.assert_array_equal(found["layer.weight"], TENSORS["layer.weight"])
    assert texts == {}


@pytest.mark.parametrize("change", [
    {"data_offsets": [0, 1 << 40]}, {"data_offsets": [4, 0]}, {"data_offsets": [-4, 0]}, {"data_offsets": [0, 139]},
    {"shape": [1 << 40]}, {"shape": [1 << 62, 4]}, {"shape": [-5, -7]}, {"shape": [5, 7, 0]}, {"shape": "x"},
    {"dtype": "F64"}, {"dtype": "BF16"}, {"dtype": "object"}, {"shape": [1] * 9 + [35]},
])  # fmt: skip
def test_tensors_that_are_not_what_is_stored(tmp_path, change):
    tensors = {"a": TENSORS["layer.weight"]}
    header = header_of(tensors)
    header["a"].update(change)
    path = write_parts(tmp_path / "w.safetensors", header, tensors["a"].tobytes())
    with pytest.raises(ModelError, match="not a .safetensors file, or damaged|should be one of"):
        read_safetensors(path)


def test_headers_that_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    values = np.ones(4, np.float32)
    twice = json.dumps({name: header_of({"a": values})["a"] for name in ("a", "b")}).encode()
    for header in (b"[" * 200_000, b"{}" * 2, b"", b"\xff", twice, b'{"a": 1}'):
        with pytest.raises(ModelError, match="not a .safetensors file"):
            read_safetensors(write_parts(path, header, values.tobytes()))
    for length in (5 << 20, (1 << 64) - 1):
        path.write_bytes(struct.pack("<Q", length) + b"{}")
        with pytest.raises(ModelError, match="its header is longer than weights need"):
            read_safetensors(path)
    whole = write_safetensors(path, TENSORS).read_bytes()
    for length in range(0, len(whole), 5):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="not a .safetensors file"):
            read_safetensors(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(ModelError, match="or damaged"):
        read_safetensors(path)
    path.unlink()
    os.mkfifo(path)
    assert not is_safetensors(path)
    with pytest.raises(ModelError, match="is no regular file"):
        read_safetensors(path)


def test_the_same_package_in_both_forms_is_the_same_model(tmp_path, no_models, trials_here):
    old = add_model("htdemucs", location=str(package(tmp_path / "x.th", seeded(SIZES), SIZES)), name="old")[0]
    new = add_model("htdemucs", location=str(demucs_file(tmp_path / "x.safetensors")), name="new")[0]
    assert new.files == old.files and new.self_test == old.self_test and new.settings == old.settings
    assert new.licence.startswith("unknown")
    mixture = RNG.uniform(-0.5, 0.5, (2, 50_000)).astype(np.float32)
    stems = [Separator(name).separate(mixture, 44100) for name in ("old", "new")]
    for stem in stems[0]:
        np.testing.assert_array_equal(stems[1][stem], stems[0][stem])


def test_a_folder_of_files_named_like_the_published_ones(tmp_path, no_models, trials_here):
    demucs_file(tmp_path / "955717e8.safetensors")
    assert add_model("htdemucs", location=str(tmp_path))[0].name == "htdemucs"
    package(tmp_path / "955717e8-12345678.th", seeded(SIZES), SIZES)
    with pytest.raises(ModelError, match="or .safetensors, holds 2"):
        add_model("htdemucs", location=str(tmp_path), force=True)


def test_what_stands_beside_the_tensors(tmp_path):
    path = tmp_path / "x.safetensors"
    found = read_safetensors_package(demucs_file(path, TENSORS))
    assert found["klass"] == ClassName(CLASS) and found["args"] == []
    assert found["kwargs"]["segment"] == Fraction(1) and isinstance(found["kwargs"]["segment"], Fraction)

    def refused(words: str, **texts) -> None:
        with pytest.raises(ModelError, match=words):
            read_safetensors_package(demucs_file(path, TENSORS, **texts))

    for text in (
        "", "{", "[" * 100_000, "9" * 5000, '{"a": {"_type": "fraction"}}', "[" * 70 + "]" * 70,
        '{"a": {"_type": "fraction", "numerator": 1, "denominator": 0}}',
        '{"a": {"_type": "fraction", "numerator": "1e999999999", "denominator": 1}}',
        '{"a": {"_type": "fraction", "numerator": 1, "denominator": 10000000000000}}',
    ):  # fmt: skip
        refused("its args or kwargs are not what Demucs writes", kwargs=text)
        refused("its args or kwargs are not what Demucs writes", args=text)
    refused("quantised", structure="{}")
    with pytest.raises(ModelError, match="does not say its args: not a package of Demucs"):
        read_safetensors_package(write_safetensors(path, TENSORS, {"klass": CLASS}))


@pytest.mark.parametrize("changes", [
    {"t_layers": 10**9}, {"t_layers": 10**400}, {"segment": "1e999999999"}, {"segment": 1e308}, {"channels": 1e18},
    {"depth": 10**9}, {"nfft": 10**400}, {"channels": 10**400}, {"t_heads": 10**400},
    {"dconv_comp": 1e-9}, {"t_hidden_scale": 1e12}, {"norm_starts": "4"}, {"t_heads": [8]},
    {"sources": ["drums"] * 10**5}, {"sources": "drums"}, {"sources": [["drums"]]}, {"cac": [[]]},
    {"freq_emb": "9" * 4000}, {"nfft": None}, {"bottom_channels": -1}, {"t_emb": 1}, {"emb_scale": 1e300},
])  # fmt: skip
def test_sizes_that_ask_for_endless_work_are_refused(changes):
    sizes = json.loads(json.dumps({**SIZES, "segment": 1.0}))
    with pytest.raises(ModelError) as refusal:
        read_architecture({"args": [], "kwargs": {**sizes, **changes}}, "somewhere")
    assert len(str(refusal.value)) < 200
