# SPDX-License-Identifier: MIT
"""Inputs the fuzzers begin with, from the tests' own writers: files that are as they should be, and attacks of old."""

import io
import pickle
import struct
import tarfile
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
from stemlane.plugin import presets
from support import hostile_files as hostile
from support import roformer_case, scnet_case, tiny_checkpoint
from support.mdx_unet import unet
from support.safetensors_files import as_json, write_safetensors
from support.tiny_htdemucs import SIZES
from support.tiny_mdx import build_mdx, network
from support.tiny_models import build_model
from support.tiny_segment import build_segment
from support.tiny_spleeter import build_spleeter
from support.torch_files import write_torch

STORAGE_BYTES = 64  # of what stands beside a fuzzed pickle
_TENSORS = {"layer.weight": np.ones((4, 4), np.float32), "count": np.arange(8)}


def seeds(target: str) -> list[bytes]:
    """The inputs for one of the targets of `reader_targets`."""
    with tempfile.TemporaryDirectory() as folder:
        return _SEEDS[target](Path(folder))


def _torch_files(folder: Path) -> list[bytes]:
    written = [write_torch(folder / f"{legacy}.pth", _TENSORS, legacy=legacy) for legacy in (False, True)]
    attacks = [
        hostile.legacy_file(hostile.weights(hostile.tensor(hostile.storage(4), shape, strides)), 4, bytes(16))
        for shape, strides in (([4], [1]), ([64], [0]), ([5], [1]))
    ]
    return [path.read_bytes() for path in written] + [*attacks, hostile.overlapping(3, 256)]


def _torch_pickles(folder: Path) -> list[bytes]:
    with zipfile.ZipFile(write_torch(folder / "w.pth", _TENSORS)) as archive:
        pickled = archive.read("archive/data.pkl")
    size = STORAGE_BYTES // 4
    held = hostile.storage(size)
    views = [
        ([size], [1]), ([4, 4], [4, 1]), ([4, 4], [1, 4]), ([size * 64], [0]), ([size + 1], [1]), ([2, 2], [size, 1]),
    ]  # fmt: skip
    attacks = [hostile.weights(hostile.tensor(held, shape, strides)) for shape, strides in views]
    more = hostile.state(num_values=hostile.number(1 << 40))
    attacks.append(hostile.weights(hostile.tensor(held + more, [1 << 30], [1])))
    attacks.append(hostile.weights(hostile.name("collections", "OrderedDict") + b")R" + more))
    return [
        *attacks,
        pickled,
        pickle.dumps({"a": Fraction(1, 2), "b": [1.5, None, (True, b"x")]}, 2),
        pickle.dumps({"a": 1}, 4),
    ]


def _indexes(folder: Path) -> list[bytes]:
    prefix = tiny_checkpoint.write_checkpoint(folder / "model", {f"a/{n}": np.ones((2, n)) for n in range(1, 14)})
    header = tiny_checkpoint.field(1, 1)
    repeated = b"\0\0" + tiny_checkpoint.varint(len(header)) + header
    repeated += b"\0" + tiny_checkpoint.varint(900) + b"\0" + b"k" * 900
    repeated += b"".join(tiny_checkpoint.varint(900 + n) + b"\x01\0" + b"k" for n in range(200))
    block = repeated + struct.pack("<II", 0, 1) + b"\0" + bytes(4)
    return [Path(f"{prefix}.index").read_bytes(), hostile.table_of([block], 2)]


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
    kinds = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.REGTYPE)
    endless = [hostile.tar_header("model.index", 4 << 30, kind) + bytes(2048) for kind in kinds]
    return found + [
        b"\1" + content for content in (*endless, hostile.sparse_archive(), hostile.sparse_archive(goes_on=True)[:580])
    ]


def _manifests(folder: Path) -> list[bytes]:
    built = [
        build_model(folder), build_mdx(folder, name="mdx"), build_spleeter(folder, name="spleeter"),
        build_segment(folder, name="segment"),
    ]  # fmt: skip
    good = [(path / "manifest.toml").read_bytes() for path in built]
    top = good[0].partition(b"[streaming]")[0].replace(b'"streaming"', b'"ensemble"')
    blends = b"".join(b'%s = ["min", ["mix", 2.0], ["a", 1]]\n' % stem for stem in (b"vocals", b"drums", b"bass"))
    blends += b'stages = [["vocals"], ["drums", "bass"]]\n'
    good.append(top + b"[ensemble]\nstride_samples = 64\ndelay_samples = 0\n" + blends)
    paths = ("../x", "/etc/x", "a/../../x", "manifest.toml", "C:x")
    bad = [good[0].replace(b'"network.onnx"', f'"{path}"'.encode()) for path in paths]
    return [*good, *bad, good[0].replace(b"Tiny", b"a\\u001b[2J"), b"a = " + b"[" * 1500]


def _presets(folder: Path) -> list[bytes]:
    text = b'<?xml version="1.0" encoding="UTF-8"?><STEMLANE model="mix" vocals_gain="-3.0"/>'
    chunk = struct.pack("<Ii", presets._XML_MAGIC, len(text)) + text + b"\0"
    head = presets._HEADER.pack(b"VST3", 1, b"0" * 32, presets._HEADER.size + len(chunk))
    entry = presets._ENTRY.pack(presets._COMPONENT, presets._HEADER.size, len(chunk))
    whole = head + chunk + presets._LIST_HEAD.pack(b"List", 1) + entry
    return [whole, whole.replace(b"UTF-8", b"utf-7"), head + chunk + presets._LIST_HEAD.pack(b"List", 60) + 60 * entry]


def _automation(folder: Path) -> list[bytes]:
    file = mido.MidiFile(type=1)
    track = file.add_track()
    track.append(mido.MetaMessage("set_tempo", tempo=400_000, time=0))
    track += [mido.Message("control_change", control=20 + index, value=99, time=100) for index in range(7)]
    buffer = io.BytesIO()
    file.save(file=buffer)
    project = (
        b"<REAPER_PROJECT 0.1\n<TRACK\nNAME vocals\n<VOLENV2\nACT 1 -1\nVOLTYPE 1\nPT 0 1 0\nPT 2 0.5 1\n>\n>\n"
        b"<MASTERVOLENV\nPT 1 1 0\n>\n>\n"
    )
    return [
        b"\0time,stem,gain_db,shape\n0,vocals,-3,stepped\n", b"\0time;stem;gain_db\n0,5;drums;-inf\n",
        b'\1[{"time": 0, "stem": "vocals", "gain_db": -3, "shape": "amplitude"}]', b"\1" + b"[" * 1500,
        b"\2" + buffer.getvalue(), b"\3" + project,
    ]  # fmt: skip


def _stem_files(folder: Path) -> list[bytes]:
    def box(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + name + content

    names = b'{"version": 1, "stems": [{"name": "Drums"}, {"name": "Bass"}, {"name": "Other"}, {"name": "Vox"}]}'
    moov = box(b"moov", box(b"mvhd", bytes(4)) + box(b"udta", box(b"meta", b"") + box(b"stem", names + bytes(2))))
    long = struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4)
    deep = box(b"moov", box(b"udta", box(b"stem", b"[" * 1500)))
    return [box(b"ftyp", b"isom") + long + moov, moov[:-50], deep, bytes(8) * 100]


_SEEDS = {
    "stem_file": _stem_files,
    "automation_file": _automation,
    "torch_file": _torch_files,
    "torch_pickle": _torch_pickles,
    "tensorflow_index": _indexes,
    "onnx_network": lambda folder: [network(), network(batch=1), unet(8, 24, depth=1, growth=2)],
    "tar_archive": _archives,
    "manifest": _manifests,
    "plugin_state": _presets,
    "safetensors_file": lambda folder: [write_safetensors(folder / "w", _TENSORS, {"klass": "a.B"}).read_bytes()],
    "demucs_package": lambda folder: [
        as_json({**SIZES, **change}).encode()
        for change in ({}, {"t_layers": 10**9}, {"dconv_comp": 1e-9}, {"segment": "1e99999"}, {"sources": ["a"] * 500})
    ],
    "training_settings": lambda folder: [
        scnet_case.CONFIG.encode(),
        roformer_case.config("bs").encode(),
        b"a: &a [*a]",
        b"a: !!python/name:os.system",
        b"model: {band_SR: [0, 0, 0]}",
    ],
    "checked_table": lambda folder: [b"0" * 64 + b" 12 1700000000000000000 mix/network.onnx\n"],
}
