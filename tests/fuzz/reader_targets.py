# SPDX-License-Identifier: MIT
"""What the fuzzers feed: each target hands bytes to one reader of untrusted files and checks what comes of it.

A reader may refuse its input with an error of its own. It may not raise anything else, read numbers outside of the
file, or give more than the file holds.
"""

import contextlib
import gzip
import io
import struct
import tempfile
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
from fuzz.reader_seeds import STORAGE_BYTES
from stemlane.catalog import network_check
from stemlane.catalog.convert.htdemucs import safetensors_package
from stemlane.catalog.convert.htdemucs.architecture import expected_shapes, read_architecture
from stemlane.catalog.convert.mdx.in_parts import in_parts
from stemlane.catalog.convert.readers import (
    safetensors_weights,
    tar_members,
    tf_checkpoint,
    torch_weights,
    training_config,
)
from stemlane.catalog.convert.roformer.architecture import read_architecture as read_roformer
from stemlane.catalog.convert.scnet.architecture import read_architecture as read_scnet
from stemlane.errors import InputError, ManifestError, ModelError, PluginError
from stemlane.files import stem_files
from stemlane.manifests import integrity
from stemlane.manifests.model import load_manifest, read_manifest
from stemlane.manifests.registry import embedded_folder
from stemlane.mix.automation import read_automation
from stemlane.mix.rendering import GainPlan
from stemlane.plugin import presets
from support import scnet_case, tiny_roformer

_NOWHERE = Path("somewhere")
_PLANNED = load_manifest(embedded_folder() / "mix")
# Beside the readers' own errors: what they turn into one, see `torch_weights._read`. A text of a pickle with a wrong
# escape is a warning, which pytest makes an error; whether there is one depends on the time that a zip file holds.
_DAMAGE = (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error, zipfile.BadZipFile, EOFError,
           NotImplementedError, DeprecationWarning, OverflowError, OSError)  # fmt: skip


def torch_file(data: bytes) -> None:
    """A file of weights, in its zip or its old form."""
    names = {**torch_weights._ALLOWED, **torch_weights._ALLOWED_IN_PACKAGES}
    with contextlib.suppress(*_DAMAGE):
        found = torch_weights.read_content(io.BytesIO(data), names)
        _check_tensors(found, len(data))
        assert sum(_storages(found).values()) <= len(data), "more numbers than the file has"


def torch_pickle(data: bytes) -> None:
    """The pickle in such a file, beside storages of one size; its checksums are right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for key in range(3):
            archive.writestr(f"archive/data/{key}", bytes(STORAGE_BYTES))
    names = {**torch_weights._ALLOWED, **torch_weights._ALLOWED_IN_PACKAGES}
    with contextlib.suppress(*_DAMAGE):
        _check_tensors(torch_weights.read_content(buffer, names), STORAGE_BYTES)


def _check_tensors(found, num_bytes: int) -> None:
    """No tensor reaches out of its storage or is larger than `num_bytes`, and all else is plain data."""
    if isinstance(found, dict):
        for value in found.values():
            _check_tensors(value, num_bytes)
    elif isinstance(found, np.ndarray):
        low, high = np.lib.array_utils.byte_bounds(found)
        first, last = np.lib.array_utils.byte_bounds(_storage(found))
        assert first <= low <= high <= last, "a tensor outside of its storage"
        assert found.nbytes <= num_bytes, "a tensor larger than the file"
        found.sum()
    else:
        plain = (str, int, float, bytes, list, tuple, type(None), torch_weights.Fraction, torch_weights.Function,
                 torch_weights._StorageType, torch_weights._Storage, torch_weights._NumberType)  # fmt: skip
        assert isinstance(found, plain), f"an object of {type(found)}"


def _storage(values: np.ndarray) -> np.ndarray:
    while isinstance(values.base, np.ndarray):
        values = values.base
    return values


def _storages(found) -> dict[int, int]:
    """Sizes in bytes of the storages of all tensors."""
    if isinstance(found, dict):
        return {key: size for value in found.values() for key, size in _storages(value).items()}
    return {id(_storage(found)): _storage(found).nbytes} if isinstance(found, np.ndarray) else {}


class _Equal(int):
    """A checksum that is always right: otherwise nothing behind it would be reached."""

    __hash__ = int.__hash__

    def __ne__(self, other):
        return False


def safetensors_file(data: bytes) -> None:
    """A .safetensors file."""
    with tempfile.NamedTemporaryFile(dir=_memory()) as file, contextlib.suppress(ModelError):
        file.write(data)
        file.flush()
        tensors, texts = safetensors_weights.read_safetensors(Path(file.name))
        assert sum(values.nbytes for values in tensors.values()) <= len(data)
        assert all(isinstance(text, str) for text in texts.values())


def demucs_package(data: bytes) -> None:
    """What stands beside the tensors of a package, JSON that says how its network was made."""
    text = data.decode("utf-8", "replace")
    texts = {"klass": "x", "args": "[]", "kwargs": text}
    read = mock.patch.object(safetensors_package, "read_safetensors", return_value=({}, texts))
    with read, contextlib.suppress(ModelError):
        found = read_architecture(safetensors_package.read_safetensors_package(_NOWHERE), "somewhere")
        assert len(expected_shapes(found)) < 10_000


def training_settings(data: bytes) -> None:
    """A trainer's YAML file, and networks of seeded weights that it describes."""
    try:
        values = training_config.parse_config(data, "somewhere")
    except ModelError:
        return
    with contextlib.suppress(ModelError):
        found = read_scnet(scnet_case.seeded(), training_config.Config(values, "somewhere"), "somewhere")
        assert found.fft_samples <= 16384 and len(found.sources) == len(scnet_case.SOURCES)
    with contextlib.suppress(ModelError):
        settings = training_config.Config(values, "somewhere")
        network = read_roformer(tiny_roformer.seeded("bs"), settings, "somewhere")
        assert network.num_bins == 257


def tensorflow_index(data: bytes) -> None:
    """The index of a checkpoint."""
    with mock.patch.object(tf_checkpoint, "_masked_crc", return_value=_Equal()), contextlib.suppress(ModelError):
        entries = tf_checkpoint.parse_index(data, _NOWHERE)
        assert max(map(len, entries), default=0) <= 1024
        assert all(0 <= size < 1 << 48 for entry in entries.values() for size in entry.shape)


def onnx_network(data: bytes) -> None:
    """A network, which is put in parts where it can be."""
    with contextlib.suppress(ModelError):
        network_check.check_content(data, _NOWHERE)
        in_parts(onnx.ModelProto.FromString(data), 60, "network.weights")


def tar_archive(data: bytes) -> None:
    """An archive, plain, or gzipped with a right checksum."""
    content = gzip.compress(data[1:], 1) if data[:1] == b"\0" else data[1:]
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path, target = Path(folder, "archive"), Path(folder, "target")
        target.mkdir()
        path.write_bytes(content)
        with contextlib.suppress(ModelError):
            tar_members.take_members(path, ["model.index"], target, lambda *_: None)
        written = list(target.iterdir())
        assert {file.name for file in written} <= {"model.index"}
        assert sorted(file.name for file in Path(folder).iterdir()) == ["archive", "target"]
        assert sum(file.stat().st_size for file in written) <= len(data)


def manifest(data: bytes) -> None:
    """A manifest.toml."""
    with contextlib.suppress(ManifestError):
        found = read_manifest(data, _NOWHERE)
        assert "\x1b" not in found.title + found.licence + found.origin
        assert found.delay_samples >= 0 and found.stride_samples > 0
        for entry in found.files:
            assert (_NOWHERE / entry.path).resolve().is_relative_to(_NOWHERE.resolve())


def plugin_state(data: bytes) -> None:
    """A preset of the plugin; what is read from it can be written and read again."""
    with contextlib.suppress(PluginError):
        element = presets.read(data)
        again = presets.read(presets.replaced(data, element))
        assert again.attrib == element.attrib


def checked_table(data: bytes) -> None:
    """The table of files whose hashes have been compared."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        Path(folder, integrity.CHECKED_NAME).write_bytes(data)
        for mark in integrity._read_table(Path(folder)).values():
            assert len(mark) == 3


def automation_file(data: bytes) -> None:
    """Automation in a file whose ending the first byte chooses; its points are finite, whatever it is."""
    ending = (".csv", ".json", ".mid", ".rpp")[data[0] % 4] if data else ".csv"
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder, "faders" + ending)
        path.write_bytes(data[1:])
        with contextlib.suppress(InputError):
            points = read_automation(path)
            if ending in (".mid", ".rpp"):  # of the others, the plan checks what the points hold
                assert all(point["time"] >= 0 and -60 <= point["gain_db"] <= 12 for point in points)
            GainPlan(_PLANNED, None, points).gain_db("vocals", 1)


def stem_file(data: bytes) -> None:
    """The boxes of a stem file and the names in it."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder, "song.stem.mp4")
        path.write_bytes(data)
        with contextlib.suppress(InputError):
            assert sorted(stem_files.streams_by_stem(path).values()) == [1, 2, 3, 4]


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


TARGETS = {
    function.__name__: function
    for function in (torch_file, torch_pickle, tensorflow_index, onnx_network, tar_archive, manifest, plugin_state,
                     checked_table, safetensors_file, demucs_package, training_settings, automation_file,
                     stem_file)
}  # fmt: skip
