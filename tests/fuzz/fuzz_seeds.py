# SPDX-License-Identifier: MIT
"""Inputs the fuzzers begin with: small files that are as they should be, from the tests' own writers."""

import io
import pickle
import struct
import tarfile
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from stemlane.plugin import state
from support import tiny_checkpoint
from support.safetensors_files import as_json, write_safetensors
from support.tiny_htdemucs import SIZES
from support.tiny_mdx import build_mdx, network
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter
from support.torch_files import write_torch

_TENSORS = {"layer.weight": np.ones((2, 3), np.float32), "count": np.array(7)}


def seeds(target: str) -> list[bytes]:
    """The inputs for one of the targets of `fuzz_readers`."""
    with tempfile.TemporaryDirectory() as folder:
        return _SEEDS[target](Path(folder))


def _torch_files(folder: Path) -> list[bytes]:
    written = [write_torch(folder / f"{legacy}.pth", _TENSORS, legacy=legacy) for legacy in (False, True)]
    return [path.read_bytes() for path in written]


def _torch_pickles(folder: Path) -> list[bytes]:
    with zipfile.ZipFile(write_torch(folder / "w.pth", _TENSORS)) as archive:
        pickled = archive.read("archive/data.pkl")
    return [pickled, pickle.dumps({"a": Fraction(1, 2), "b": [1.5, None, (True, b"x")]}, 2), pickle.dumps({"a": 1}, 4)]


def _indexes(folder: Path) -> list[bytes]:
    prefix = tiny_checkpoint.write_checkpoint(folder / "model", {f"a/{n}": np.ones((2, n)) for n in range(1, 14)})
    return [Path(f"{prefix}.index").read_bytes()]


def _archives(folder: Path) -> list[bytes]:
    found = []
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
            for name in ("x/model.index", "y" * 120):
                member = tarfile.TarInfo(name)
                member.size = 600
                tar.addfile(member, io.BytesIO(bytes(600)))
        found += [b"\0" + buffer.getvalue(), b"\1" + buffer.getvalue()]
    return found


def _manifests(folder: Path) -> list[bytes]:
    built = [build_model(folder), build_mdx(folder, name="mdx"), build_spleeter(folder, name="spleeter")]
    return [(path / "manifest.toml").read_bytes() for path in built]


def _presets(folder: Path) -> list[bytes]:
    text = f'<?xml version="1.0" encoding="UTF-8"?><{state.TAG} model="mix" vocals_gain="-3.0"/>'.encode()
    chunk = struct.pack("<Ii", state._XML_MAGIC, len(text)) + text + b"\0"
    head = state._HEADER.pack(b"VST3", 1, b"0" * 32, state._HEADER.size + len(chunk))
    entry = state._ENTRY.pack(state._COMPONENT, state._HEADER.size, len(chunk))
    return [head + chunk + state._LIST_HEAD.pack(b"List", 1) + entry]


_SEEDS = {
    "torch_file": _torch_files,
    "torch_pickle": _torch_pickles,
    "tensorflow_index": _indexes,
    "onnx_network": lambda folder: [network(), network(batch=1)],
    "tar_archive": _archives,
    "manifest": _manifests,
    "plugin_state": _presets,
    "safetensors_file": lambda folder: [write_safetensors(folder / "w", _TENSORS, {"klass": "a.B"}).read_bytes()],
    "demucs_package": lambda folder: [as_json(SIZES).encode()],
    "checked_table": lambda folder: [b"0" * 64 + b" 12 1700000000000000000 mix/network.onnx\n"],
}
