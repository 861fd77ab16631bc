# SPDX-License-Identifier: MIT
"""Adding and removing models: whole or not at all, official or said not to be, known to the plugin's index."""

import hashlib
import io
import os
import re
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from stemlane.catalog.convert.places import MIRROR_VARIABLE
from stemlane.catalog.convert.readers.tf_checkpoint import Checkpoint
from stemlane.catalog.convert.spleeter import network as spleeter_network
from stemlane.catalog.convert.spleeter import source as spleeter_source
from stemlane.catalog.install import add_model, remove_model
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from stemlane.errors import ModelError
from stemlane.manifests import registry
from stemlane.manifests.model import load_manifest
from support.spleeter_case import weight
from support.tiny_checkpoint import write_checkpoint
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter
from support.unreliable_server import serve

NAMES = ["spleeter-4stems", "spleeter-4stems-1.5s", "spleeter-4stems-3s"]


pytestmark = pytest.mark.usefixtures("no_models")


@pytest.fixture(autouse=True)
def small_networks(monkeypatch):
    """Networks of few filters, so that seconds become milliseconds."""
    monkeypatch.setattr(spleeter_network, "FILTERS", (2, 3, 2, 3, 2, 4))


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data" / "stemlane"


def weights(variant: str) -> dict:
    shapes = spleeter_network.expected_shapes(int(variant[0]))
    return {name: weight("tiny", name, shape) for name, shape in shapes.items()} | {"global_step": np.int64(3)}


@pytest.fixture
def checkpoint(tmp_path, trials_here):
    """A folder as the original unpacks it. What is made of it is tried in this process."""
    prefix = write_checkpoint(tmp_path / "weights" / "model", weights("4stems"))
    (prefix.parent / "checkpoint").write_text('model_checkpoint_path: "model"\n', encoding="utf-8")
    return prefix.parent


def archive_of(folder: Path, extra: dict[str, bytes] | None = None, prefix: str = "./") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in (extra or {}).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for path in sorted(folder.iterdir()):
            tar.add(path, prefix + path.name)
    return buffer.getvalue()


@pytest.fixture
def official(checkpoint, monkeypatch):
    """Archive of weights that count as the official ones."""
    found = Checkpoint(checkpoint / "model")
    identity = spleeter_source.Identity(
        hashlib.sha256(found.data_path.read_bytes()).hexdigest(),
        spleeter_source.fingerprint(found.entries),
    )
    monkeypatch.setitem(spleeter_source.OFFICIAL, "4stems", identity)
    return archive_of(checkpoint)


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def installed(data: Path) -> list[str]:
    assert sorted(path.name for path in data.iterdir() if path.name != "downloads") == ["models", "unfinished"]
    assert not list((data / "unfinished").iterdir())
    return sorted(path.name for path in (data / "models").iterdir() if path.is_dir())


def index_names(data: Path) -> list[str]:
    lines = (data / "models" / "models.index").read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[0] for line in lines if not line.startswith("#")]


def test_from_a_server_that_cuts_and_redirects(data, official, capsys, monkeypatch):
    with serve(official, cut_after=[1000, 5000]) as server:
        monkeypatch.setenv(MIRROR_VARIABLE, server.url + "/elsewhere/v1.4.0/")
        assert main(["models", "add", "spleeter:4stems"]) == 0
        assert server.requests[0][0] == "/elsewhere/v1.4.0/4stems.tar.gz"
    said = capsys.readouterr().out
    assert "MIT (Deezer SA)" in said and "https://github.com/deezer/spleeter/releases/download/v1.4.0" in said
    assert "added          spleeter-4stems-3s: Spleeter 4 stems, 3 s windows, latency 3.2 s" in said
    assert installed(data) == NAMES == index_names(data)
    assert everything_in(data / "downloads") == []
    manifest = registry.find_model("spleeter-4stems")
    assert manifest.licence == "MIT (Deezer SA)" and manifest.stems == ("vocals", "drums", "bass", "other")
    assert "Deezer's internal recordings" in manifest.training_data
    for name in NAMES:
        assert main(["models", "verify", name]) == 0
        assert "ok, gives the known output" in capsys.readouterr().out
    mixture = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 30000)).astype(np.float32)
    stems = Separator("spleeter-4stems").separate(mixture, 44100)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)
    assert all(np.sqrt(np.mean(stem**2)) > 0.01 for stem in stems.values())


def test_one_network_on_disk_for_all_windows(data, checkpoint):
    add_model("spleeter:4stems", location=str(checkpoint))
    files = {(data / "models" / name / "network.onnx").stat().st_ino for name in NAMES}
    assert len(files) == 1


def test_what_show_says_of_a_window(checkpoint, capsys):
    add_model("spleeter:4stems-16kHz", location=str(checkpoint), mask_extension="average", name="mine")
    assert main(["models", "show", "mine-3s"]) == 0
    said = capsys.readouterr().out
    for words in (
        "segment        2.97 s, moves on by 1.49 s, blends 0.19 s",
        "computing      2.0 times that of whole segments without overlap",
        "the network hears 0.65 s before and 0.65 s after",
        "masks to 16538 Hz; above, the sound follows the mean of the mask below",
        "latency        3.5 s at 44100 Hz, 155712 samples:",
        "also as        mine, latency 16.4 s; mine-1.5s, latency 1.9 s",
        "weights of Spleeter's form from",
        "licence        unknown: ask who made the weights",
    ):
        assert words in said, said


@pytest.mark.parametrize("variant, stems", [
    ("2stems", ("vocals", "other")), ("5stems", ("vocals", "drums", "bass", "piano", "other")),
])  # fmt: skip
def test_the_other_variants(tmp_path, variant, stems):
    write_checkpoint(tmp_path / "w" / "model", weights(variant))
    (tmp_path / "w.tgz").write_bytes(archive_of(tmp_path / "w"))
    manifest = add_model(f"spleeter:{variant}", location=str(tmp_path / "w.tgz"))[0]
    assert manifest.stems == stems and manifest.residual == "other" and manifest.name == f"spleeter-{variant}"


def test_wrong_bytes_from_a_server_install_nothing(data, official, checkpoint, monkeypatch):
    flipped = bytearray((checkpoint / "model.data-00000-of-00001").read_bytes())
    flipped[100] ^= 1
    (checkpoint / "model.data-00000-of-00001").write_bytes(flipped)
    for content, words in (
        (archive_of(checkpoint), r"is not Deezer's 4stems \(its sha256 differs\); nothing was installed"),
        (official[:-2000], "cannot be unpacked"),
        (b"<html>please log in</html>" * 99, "cannot be unpacked"),
    ):
        with serve(content) as server, pytest.raises(ModelError, match=words):
            add_model("spleeter:4stems", location=server.url + "/4stems.tar.gz")
        assert everything_in(data) == []
        installed(data)
    with serve(official, cut_after=[100] + [0] * 9) as server:
        monkeypatch.setattr("stemlane.catalog.download._TRIES", 1)
        with pytest.raises(ModelError, match="the connection ended after 100 of"):
            add_model("spleeter:4stems", location=server.url + "/4stems.tar.gz")
    assert installed(data) == []


def test_damaged_weights_of_ones_own(data, checkpoint):
    path = checkpoint / "model.data-00000-of-00001"
    content = path.read_bytes()
    for changed, words in (
        (content[:-1], "the index describes"),
        (content[:99] + bytes([content[99] ^ 1]) + content[100:], "is damaged: its checksum differs"),
    ):
        path.write_bytes(changed)
        with pytest.raises(ModelError, match=words):
            add_model("spleeter:4stems", location=str(checkpoint))
        assert everything_in(data) == []
    write_checkpoint(checkpoint / "model", weights("4stems") | {"conv2d/bias": np.float32([np.nan, 0])})
    with pytest.raises(ModelError, match="conv2d/bias holds values that are not finite"):
        add_model("spleeter:4stems", location=str(checkpoint))
    with pytest.raises(ModelError, match="are the weights of 4stems, not of 5stems"):
        add_model("spleeter:5stems", location=str(checkpoint))
    assert everything_in(data) == []


def test_archives_cannot_write_elsewhere(tmp_path, data, checkpoint):
    evil = {"../../evil": b"1", "/tmp/evil": b"1", "../model.meta": b"1"}
    (tmp_path / "a.tar.gz").write_bytes(archive_of(checkpoint, evil, prefix="../../../"))
    before = everything_in(tmp_path)
    add_model("spleeter:4stems", location=str(tmp_path / "a.tar.gz"))
    made = set(everything_in(tmp_path)) - set(before)
    assert {path.split(os.sep)[0] for path in made} == {"data"} and installed(data) == NAMES
    with tarfile.open(tmp_path / "link.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("model.index")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    twice = archive_of(checkpoint, {"x/model.index": b"1"})
    (tmp_path / "twice.tar.gz").write_bytes(twice)
    for name in ("link", "twice"):
        with pytest.raises(ModelError, match="no plain file, there twice, or too large"):
            add_model("spleeter:4stems", location=str(tmp_path / f"{name}.tar.gz"), force=True)
    with tarfile.open(tmp_path / "half.tar.gz", "w:gz") as tar:
        tar.add(checkpoint / "model.index", "model.index")
    with pytest.raises(ModelError, match="holds no model.data-00000-of-00001: not Spleeter's weights"):
        add_model("spleeter:4stems", location=str(tmp_path / "half.tar.gz"), force=True)
    assert installed(data) == NAMES


def test_names_and_replacing(data, checkpoint):
    location = str(checkpoint)
    add_model("spleeter:4stems", location=location)
    with pytest.raises(ModelError, match="'spleeter-4stems' is there already; --force replaces it"):
        add_model("spleeter:4stems", location=location)
    before = load_manifest(data / "models" / "spleeter-4stems")
    write_checkpoint(checkpoint / "model", weights("4stems") | {"conv2d/bias": np.float32([9, 9])})
    after = add_model("spleeter:4stems", location=location, force=True)[0]
    assert after.files != before.files and installed(data) == NAMES
    for name in ("mix", "default", "live"):
        with pytest.raises(ModelError, match="belongs to a model that comes with the package"):
            add_model("spleeter:4stems", location=location, name=name)
    for name in ("../x", "Big", "", ".x"):
        with pytest.raises(ModelError, match=re.escape(f"name is {name!r}, should be")):
            add_model("spleeter:4stems", location=location, name=name)
    for source in ("spleeter:3stems", "demucs", "", str(checkpoint)):
        with pytest.raises(ModelError, match="there are: spleeter:2stems, spleeter:4stems, spleeter:5stems"):
            add_model(source)
    with pytest.raises(ModelError, match="extension is 'mirror', should be one of: zeros, average"):
        add_model("spleeter:4stems", location=location, mask_extension="mirror")


def test_a_failure_while_replacing_keeps_what_was_there(data, checkpoint, monkeypatch):
    add_model("spleeter:4stems", location=str(checkpoint))
    before = {path: (data / path).read_bytes() for path in everything_in(data)}
    write_checkpoint(checkpoint / "model", weights("4stems") | {"conv2d/bias": np.float32([9, 9])})
    moves = []
    original = os.replace

    def failing(source, target):
        moves.append(target)
        if len(moves) == 4:
            raise OSError(28, "No space left on device", str(target))
        original(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(ModelError, match="No space left on device, .*; nothing was changed"):
        add_model("spleeter:4stems", location=str(checkpoint), force=True)
    assert {path: (data / path).read_bytes() for path in everything_in(data)} == before


def test_models_of_ones_own(tmp_path, data, capsys):
    build_model(tmp_path, name="own")
    build_spleeter(tmp_path, name="segments")
    (tmp_path / "own" / "notes.txt").write_text("private", encoding="utf-8")
    for name in ("own", "segments"):
        assert main(["models", "add", str(tmp_path / name)]) == 0
        assert main(["models", "verify", name]) == 0
    assert everything_in(data / "models" / "own") == ["manifest.toml", "network.onnx"]
    assert index_names(data) == ["own", "segments"]
    # The network is replaced, hash and all: the known output tells.
    other = build_spleeter(tmp_path / "other", name="segments", steepness=2)
    text = (data / "models" / "segments" / "manifest.toml").read_text(encoding="utf-8")
    known = text[text.index("[self_test]") :]
    shutil.copytree(other, data / "models" / "segments", dirs_exist_ok=True)
    with (data / "models" / "segments" / "manifest.toml").open("a", encoding="utf-8") as file:
        file.write(known)
    capsys.readouterr()
    assert main(["models", "verify", "segments"]) == 1
    said = capsys.readouterr().err
    assert re.search(
        r"than when it was added: the \w+ channel's \w+ of vocals is 0\.\d+, was 0\.\d+; the .* of drums is", said
    )
    (tmp_path / "own" / "network.onnx").write_bytes(b"changed")
    with pytest.raises(ModelError, match="is damaged or changed"):
        add_model(str(tmp_path / "own"), force=True)
    with pytest.raises(ModelError, match="its manifest gives the name"):
        add_model(str(tmp_path / "own"), name="new")


def test_remove(data, checkpoint, capsys):
    add_model("spleeter:4stems", location=str(checkpoint))
    (data / "models" / "broken").mkdir()
    (data / "models" / "broken" / "manifest.toml").write_text("nonsense", encoding="utf-8")
    assert main(["models", "remove", "spleeter-4stems"]) == 0
    assert capsys.readouterr().out.strip() == str(data / "models" / "spleeter-4stems")
    assert index_names(data) == NAMES[1:]
    assert main(["models", "verify", NAMES[1]]) == 0  # its network is its own
    remove_model("broken")
    for name, words in (
        ("mix", "'mix' comes with the package"), ("default", "'default' comes with the package"),
        ("nope", "added: spleeter-4stems-1.5s, spleeter-4stems-3s"), ("../models", "no model called '../models'"),
    ):  # fmt: skip
        with pytest.raises(ModelError, match=words):
            remove_model(name)
    assert installed(data) == NAMES[1:]


def test_without_the_converter(checkpoint, monkeypatch):
    for package, module in (("spleeter", "models"), ("spleeter", "network"), ("readers", "tf_checkpoint")):
        name = f"stemlane.catalog.convert.{package}"
        monkeypatch.delitem(sys.modules, f"{name}.{module}")
        monkeypatch.delattr(sys.modules[name], module)
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match="is missing: run 'pip install google-crc32c onnx pyyaml safetensors'$"):
        add_model("spleeter:4stems", location=str(checkpoint))


def test_a_mirror_is_an_address(monkeypatch):
    monkeypatch.setenv(MIRROR_VARIABLE, "/srv/mirror")
    for source in ("spleeter:4stems", "open-unmix:umx", "htdemucs"):
        with pytest.raises(ModelError, match="STEMLANE_MIRROR is '/srv/mirror', should be an http"):
            add_model(source)
