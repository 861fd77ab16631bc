# SPDX-License-Identifier: MIT
"""`models add scnet`: from checkpoints as trainers write them; what is refused, in one line each."""

import hashlib
import os

import numpy as np
import pytest
from stemlane.catalog.convert.options import AddOptions
from stemlane.catalog.convert.readers.training_config import Config, parse_config
from stemlane.catalog.convert.scnet import source
from stemlane.catalog.convert.scnet.architecture import read_architecture
from stemlane.catalog.convert.source import Order
from stemlane.cli.main import main
from stemlane.errors import ModelError
from stemlane.manifests.model import Manifest, load_manifest
from stemlane.manifests.registry import find_model
from support import scnet_case as case
from support.torch_files import Call, Name, write_package, write_torch


@pytest.fixture(autouse=True)
def home(tmp_path, no_models, trials_here):
    (tmp_path / "settings.yaml").write_text(case.CONFIG, encoding="utf-8")


def add(path, *arguments) -> int:
    return main(["models", "add", "scnet", "--from", str(path), "--config", str(path.parent / "settings.yaml"),
                 *arguments])  # fmt: skip


def test_a_checkpoint_with_other_things_in_it(tmp_path, capsys):
    path = write_package(tmp_path / "best.ckpt", case.seeded(), epoch=3, best_loss=np.float64(0.5))
    assert add(path) == 0
    said = capsys.readouterr().out
    assert "added          scnet: SCNet, own weights, latency" in said
    manifest = find_model("scnet")
    assert manifest.stems == ("vocals", "drums", "bass", "other") and manifest.residual == "other"
    assert manifest.settings.segment_samples == case.SEGMENT and manifest.settings.window == "flat"
    assert main(["models", "verify", "scnet"]) == 0
    assert main(["models", "show", "scnet"]) == 0
    said = capsys.readouterr().out
    assert "unknown: ask who made the weights" in said and "moves on by 0.50 s" in said


def test_segments_joined_as_the_trainer_does(tmp_path, capsys):
    """The settings say how many segments hear a moment."""
    path = write_torch(tmp_path / "w.ckpt", case.seeded())
    settings = tmp_path / "settings.yaml"
    settings.write_text(case.CONFIG + "inference:\n  num_overlap: 4\n", encoding="utf-8")
    assert add(path, "--stitching", "reference") == 0
    found = find_model("scnet").settings
    assert (found.weights, found.segment_stride_samples) == ("ramps", case.SEGMENT // 4)
    settings.write_text(case.CONFIG + "inference:\n  num_overlap: 50\n", encoding="utf-8")
    capsys.readouterr()
    words = "inference: num_overlap is 50, should be from 2 to 8"
    refused(capsys, path, words, "--stitching", "reference", "--name", "b")


def converted(path, name: str, **options) -> list[Manifest]:
    """Models as `add` writes them before it tries them, the longest window first."""
    target = path.parent / name
    target.mkdir()
    wanted = AddOptions(config=path.parent / "settings.yaml", **options)
    folders = source.add(source.ScnetSource(), Order(
        str(path), name, wanted, path.parent, path.parent, target, report=lambda stage, done, total: None))  # fmt: skip
    return [load_manifest(folder) for folder in folders]


def test_both_windows_are_heard_as_often(tmp_path):
    """A segment of the training and one of 345 frames, the odd number next to 2 s."""
    path = write_torch(tmp_path / "w.ckpt", case.seeded())
    text = case.CONFIG.replace(f"chunk_size: {case.SEGMENT}", "chunk_size: 132096") + "inference:\n  num_overlap: 4\n"
    (tmp_path / "settings.yaml").write_text(text, encoding="utf-8")
    found = [manifest.settings for manifest in converted(path, "scnet", stitching="reference")]
    strides = [(settings.segment_samples, settings.segment_stride_samples) for settings in found]
    assert strides == [(132_096, 132_096 // 4), (88_320, 88_320 // 4)]


def test_the_published_large_weights_are_known_by_their_hash(tmp_path, monkeypatch):
    """They are normalised as their authors trained them, whatever the settings say that come with them."""
    path = write_torch(tmp_path / "w.ckpt", case.seeded())
    (authors,) = converted(path, "authors")
    (tmp_path / "settings.yaml").write_text(case.CONFIG + "inference:\n  normalize: false\n", encoding="utf-8")
    (own,) = converted(path, "own")
    monkeypatch.setattr(source, "_LARGE_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    (large,) = converted(path, "large")
    assert (own.settings.level, large.settings.level) == ("none", "recording")
    assert own.files[0].sha256 != large.files[0].sha256 == authors.files[0].sha256  # normalised inside
    assert (large.title, large.version, large.training_data) == ("SCNet large", "1.0.9", "MUSDB18-HQ")
    assert large.licence == "MIT (SCNet's author)" and own.title == "SCNet, own weights"


def refused(capsys, path, words: str, *arguments) -> None:
    assert add(path, *arguments) == 1
    said = capsys.readouterr()
    assert words in said.err and said.err.count("\n") == 1, said.err
    assert not said.out


def test_tensors_that_are_refused(tmp_path, capsys):
    seeded = case.seeded()
    name = "encoder.1.conv_modules.0.layers.2.3.weight"
    for title, tensors, words in (
        ("missing", {key: values for key, values in seeded.items() if key != name}, f"has no tensor {name}"),
        (
            "unknown",
            {**seeded, "mamba.weight": np.ones(3, np.float32)},
            "holds a tensor 'mamba.weight', which no SCNet",
        ),
        ("shape", {**seeded, name: seeded[name][:, :, :2]}, "should be (3, 1, 3)"),
        ("number", {**seeded, name: seeded[name] * np.float32(np.nan)}, "holds values that are not finite"),
        ("kind", {**seeded, name: np.zeros((3, 1, 3), np.int64)}, "is int64 (3, 1, 3), should be"),
        ("other", {"model.weight": np.ones(3, np.float32)}, "has no tensor encoder.0.globalconv.weight"),
    ):
        refused(capsys, write_torch(tmp_path / f"{title}.ckpt", tensors), words)


def test_a_pickle_that_calls_something(tmp_path, capsys):
    path = write_package(tmp_path / "w.ckpt", {}, hook=Call(Name("os", "system"), (f"touch {tmp_path}/was-run",)))
    refused(capsys, path, "not a file of weights, or damaged")
    assert not os.path.lexists(tmp_path / "was-run")


@pytest.mark.parametrize(
    "width, shares, settings, inside, whole",
    [
        (32, [0.175, 0.392, 0.433], None, False, True),  # the weights of July 2024, older than the normalisation inside
        (64, [0.225, 0.372, 0.403], None, True, True),  # those of September
        (32, [0.175, 0.392, 0.433], "model: {}\n", True, True),  # the authors' settings: their present network
        (32, [0.175, 0.392, 0.433], "inference:\n  normalize: false\n", False, False),
        (64, [0.225, 0.372, 0.403], "inference:\n  normalize: true\n", False, True),
    ],
)
def test_what_is_normalised_follows_the_publication_or_the_settings(width, shares, settings, inside, whole):
    sizes = case.SIZES | {"dims": [4, width, 2 * width, 4 * width], "band_SR": shares, "num_dplayer": 6}
    tensors = {name: np.broadcast_to(np.float32(0), shape) for name, shape in case.shapes(sizes).items()}
    config = None if settings is None else Config(parse_config(settings.encode(), "settings"), "settings")
    found = read_architecture(tensors, config, "weights")
    assert (found.normalises_segments, found.normalises_mixture) == (inside, whole)


def test_sizes_nobody_has_published_need_settings(tmp_path, capsys):
    path = write_torch(tmp_path / "w.ckpt", case.seeded())
    assert main(["models", "add", "scnet", "--from", str(path)]) == 1
    assert "is of no published size: give the settings it was trained with, --config" in capsys.readouterr().err
    assert main(["models", "add", "scnet"]) == 1
    assert "scnet needs --from FILE.ckpt" in capsys.readouterr().err


@pytest.mark.parametrize("old, new, words", [
    ("win_size: 1024", "win_size: 2048", "win_size is 2048, should be from 1024 to 1024"),
    ("'drums', 'bass'", "'kick', 'bass'", "its stems are kick, bass, other, vocals; should be"),
    ("'drums', 'bass', ", "'drums', ", "gives 4 stems, its settings name drums, other, vocals"),
    ("band_stride: [1, 4, 16]", "band_stride: [1, 2, 16]", "with strides (1, 2, 16) are not those of an SCNet"),
    ("band_SR: [0.175, 0.392, 0.433]", "band_SR: [0, 0.4, 0.6]", "leave nothing of 513 bins"),
    ("nfft: 1024", "nfft: 1000000000", "nfft is 1000000000, should be from 256 to 16384"),
    ("nfft: 1024", "nfft: !!python/name:os.system", "not a file of settings, or damaged"),
])  # fmt: skip
def test_settings_that_are_refused(tmp_path, capsys, old, new, words):
    assert old in case.CONFIG
    (tmp_path / "settings.yaml").write_text(case.CONFIG.replace(old, new), encoding="utf-8")
    refused(capsys, write_torch(tmp_path / "w.ckpt", case.seeded()), words)


@pytest.mark.parametrize("text, words", [
    (b"a: &a [1]\nb: *a\n", "refers to another part of itself"),
    (b"&a [*a]", "refers to another part of itself"),
    (b"!!python/object/apply:os.system ['true']", "could not determine a constructor"),
    (b"a: " + b"[" * 5000, "lists and tables lie 33 deep: not a file of settings"),
    (b"- 1\n", "holds no tables"),
    (b"\xff\xfe\x00", "not a file of settings"), (b"a: 1\n\tb", "not a file of settings"),
])  # fmt: skip
def test_yaml_that_is_refused(text, words):
    with pytest.raises(ModelError, match=words):
        parse_config(text, "settings.yaml")


def test_yaml_with_tuples():
    assert parse_config(b"a: !!python/tuple [1, 2]\nb:\n  c: !!python/tuple\n  - 3\n", "x") == {
        "a": [1, 2], "b": {"c": [3]}}  # fmt: skip
