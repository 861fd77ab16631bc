# SPDX-License-Identifier: MIT
"""`stemlane models` as a user meets it, and models by their names elsewhere."""

import importlib.util
import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stemlane.catalog.install import CONVERTER_PACKAGES
from stemlane.catalog.sources import source_of_file
from stemlane.cli.main import main
from stemlane.contract import MODEL_INDEX_FILE
from stemlane.errors import ModelError
from stemlane.manifests.model import index_text
from stemlane.manifests.registry import user_folder
from support.command_line import everything_in, fails, noise, write
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter


def test_models(tiny_models, capsys):
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "mix (default)  Tiny mix: " in out and "Tiny live: vocals, drums, bass, other at 44100 Hz" in out
    assert main(["models", "show", "default"]) == 0
    out = capsys.readouterr().out
    assert "3584 samples" in out and "built by the tests" in out
    # Its parts 3584, 2048 and 4096, and 64 to fade out.
    assert "222.0 ms at 44100 Hz, 9792 samples:" in out and "64 samples, to fade stems out" in out
    assert main(["models", "verify", "live"]) == 0
    fails(capsys, ["models", "show", "nope"], "no model called 'nope'")


def test_models_that_can_be_added_are_listed(tiny_models, capsys):
    assert main(["models", "list", "--available"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith(
        "spleeter:2stems        vocals, accompaniment; MIT (Deezer SA) (Hennequin et al., JOSS 5(50)"
    )
    assert any("umxl" in row and "not for commercial use" in row for row in rows)
    assert any(row.startswith("htdemucs_6s ") and "vocals, drums, bass, guitar, piano, other;" in row for row in rows)


def test_programs_get_what_is_here_and_what_can_be_added(tiny_models, tmp_path, monkeypatch, capsys):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.toml").write_text("format = 2", encoding="utf-8")
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    assert main(["models", "list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    here = {row["name"]: row for row in rows if row["installed"]}
    assert here["live"]["stems"] == ["vocals", "drums", "bass", "other"] and here["live"]["embedded"]
    assert here["live"]["quality"] and here["live"]["licence"] and not here["live"]["must_be_accepted"]
    assert "format is 2" in here["broken"]["problem"]
    addable = {row["source"]: row for row in rows if not row["installed"]}
    assert addable["htdemucs"]["must_be_accepted"] and "research" in addable["htdemucs"]["notice"]
    assert addable["spleeter:4stems"]["megabytes"] == 157 and not addable["spleeter:4stems"]["must_be_accepted"]
    assert addable["htdemucs_6s"]["stems"] == ["vocals", "drums", "bass", "guitar", "piano", "other"]
    assert not any(row["problem"] for row in addable.values())  # the tests' Python has what converts
    assert rows.index(here["live"]) < rows.index(addable["htdemucs"])
    assert main(["models", "list", "--available", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(addable)
    assert main(["models", "list", "--added", "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_programs_hear_what_adding_lacks_before_they_try(tiny_models, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnx" else find(name))
    assert main(["models", "list", "--available", "--json"]) == 0
    problems = {json.loads(line)["problem"] for line in capsys.readouterr().out.splitlines()}
    assert problems == {f"onnx is missing: run 'pip install {' '.join(CONVERTER_PACKAGES)}'"}


def test_the_converter_needs_what_its_extra_brings():
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    wanted = tomllib.loads(text)["project"]["optional-dependencies"]["convert"]
    assert [requirement.split(">=")[0] for requirement in wanted] == list(CONVERTER_PACKAGES)
    assert all(importlib.util.find_spec(module) for module in CONVERTER_PACKAGES.values())


@pytest.mark.parametrize("form", [[], ["--json"], ["--added"]])
def test_models_that_were_copied_by_hand_come_into_the_plugin_with_a_list(tiny_models, tmp_path, monkeypatch, form):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    models = user_folder()
    assert main(["models", "list", *form]) == 0
    assert not models.exists()  # where there is none, none is made
    models.mkdir(parents=True)
    build_model(models, name="copied")
    index = models / MODEL_INDEX_FILE
    assert main(["models", "list", *form]) == 0
    assert index.read_text(encoding="utf-8") == index_text(models) and "\ncopied\t" in index_text(models)
    written = index.stat().st_mtime_ns, index.stat().st_ino
    assert main(["models", "list", *form]) == 0
    assert (index.stat().st_mtime_ns, index.stat().st_ino) == written  # nothing new
    shutil.rmtree(models / "copied")
    assert main(["models", "list", *form]) == 0
    assert "copied" not in index.read_text(encoding="utf-8")


def test_a_model_that_the_engine_would_not_find_by_its_name_stays_out_of_the_plugin(tiny_models, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    models = user_folder()
    models.mkdir(parents=True)
    build_model(models, name="copied")
    build_model(models, name="other-name").rename(models / "mine")
    build_model(models, name="live")  # of a model that comes with the package
    assert main(["models", "list"]) == 0
    names = [line.split("\t")[0] for line in (models / MODEL_INDEX_FILE).read_text(encoding="utf-8").splitlines()[1:]]
    assert names == ["copied"]


def test_unusable_models_are_listed_in_line(models_folder, tmp_path, monkeypatch, capsys):
    build_model(tmp_path, name="a-name-that-is-long")
    build_model(tmp_path, name="b")
    (tmp_path / "b" / "manifest.toml").write_text("format = 2", encoding="utf-8")
    monkeypatch.setenv("STEMLANE_MODELS", f"{tmp_path}{os.pathsep}{models_folder}")
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({len(line) - len(line.split("  ", 1)[1].lstrip()) for line in lines}) == 1
    assert any(line.startswith("b  ") and "unusable: " in line and "format is 2" in line for line in lines)


def test_verify_finds_damage(tmp_path, capsys):
    folder = build_model(tmp_path)
    (folder / "network.onnx").write_bytes(b"x")
    fails(capsys, ["models", "verify", str(folder)], "damaged or changed")


def test_models_of_other_projects_by_their_names_there(tmp_path, tiny_models, capsys, monkeypatch):
    source = write(tmp_path / "a.wav", noise(2, 5000))
    build_spleeter(tmp_path / "models", name="spleeter-2stems", stems=("vocals", "other"))
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path / "models"))
    assert main(["separate", "-p", "spleeter:2stems", "-o", str(tmp_path / "o"), source]) == 0
    assert everything_in(tmp_path / "o") == ["a", "a/accompaniment.wav", "a/vocals.wav"]
    for name, source_name in {
        "spleeter:5stems-16kHz": "spleeter:5stems-16kHz",
        "spleeter-4stems": "spleeter:4stems",
        "open-unmix:umxl": "open-unmix:umxl",
        "htdemucs_ft": "htdemucs_ft",
    }.items():
        fails(capsys, ["separate", "-n", name, source], f"can be added: run 'stemlane models add {source_name}'")


def test_spleeters_accompaniment(tmp_path, monkeypatch, capsys):
    build_spleeter(tmp_path / "models", name="two", stems=("vocals", "other"))
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path / "models"))
    mixture = noise(2, 20_000)
    source = write(tmp_path / "a.wav", mixture)
    out = tmp_path / "out"
    assert main(["separate", source, "-o", str(out), "--model", "two"]) == 0
    assert everything_in(out) == ["a", "a/accompaniment.wav", "a/vocals.wav"]
    for name in ("accompaniment", "other"):
        chosen = tmp_path / name
        assert main(["separate", source, "-o", str(chosen), "--model", "two", "--stems", name]) == 0
        assert everything_in(chosen) == ["a", "a/accompaniment.wav"]
        muted = str(tmp_path / f"{name}.wav")
        assert main(["render", source, "-o", muted, "--model", "two", "--gain", f"{name}=-inf"]) == 0
    renders = [soundfile.read(tmp_path / f"{name}.wav", dtype="float32")[0] for name in ("accompaniment", "other")]
    np.testing.assert_array_equal(*renders)
    np.testing.assert_allclose(renders[0], soundfile.read(out / "a" / "vocals.wav")[0], atol=1e-6)
    capsys.readouterr()
    arguments = ["render", source, "-o", muted, "--model", "two", "--gain", "other=0", "--gain", "accompaniment=0"]
    fails(capsys, arguments, "'accompaniment' is another name of 'other', which has a gain already")
    fails(
        capsys, ["separate", source, "-o", muted, "--model", "two", "--stems", "drums"], "it has: vocals, accompaniment"
    )
    for arguments in (["models", "list"], ["models", "list", "--json"], ["models", "show", "two"], ["doctor"]):
        main(arguments)
        said = capsys.readouterr().out.replace('"', "")
        assert re.search(r"\btwo\b.*vocals, accompaniment\b", said, re.DOTALL), said
    write(tmp_path / "song" / "vocals.wav", mixture)
    write(tmp_path / "song" / "accompaniment.wav", mixture / 2)
    assert main(["evaluate", str(tmp_path / "song"), "--model", "two", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["stems"] == ["vocals", "accompaniment"]


def test_adding_tells_programs_how_far_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = build_model(tmp_path / "own", name="mine")
    assert main(["models", "add", str(folder), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1] == {"added": [{"name": "mine", "title": "Tiny mine"}]}
    assert all(set(line) == {"stage", "done", "total"} for line in lines[:-1])


def test_a_program_is_told_what_must_be_agreed_to(tmp_path, capsys):
    (tmp_path / "weights.th").write_bytes(b"no weights")
    assert main(["models", "add", str(tmp_path / "weights.th"), "--json"]) == 1
    said = capsys.readouterr()
    assert "research only" in json.loads(said.out)["question"] and "licence was not accepted" in said.err
    fails(capsys, ["models", "add", str(tmp_path / "weights.th"), "--accept-licence"], "weights.th")


def test_weights_are_known_by_their_files_names(tmp_path):
    def found(name, settings=None):
        path = tmp_path / name
        path.write_bytes(b"")
        if settings is not None:
            path.with_suffix(".yaml").write_text(settings, encoding="utf-8")
        return source_of_file(path)

    assert found("a.ONNX") == ("mdx", None)
    assert found("a.th") == found("a.safetensors") == ("htdemucs", None)
    assert found("5stems-finetune.tgz") == ("spleeter:5stems", None)
    assert found("a.ckpt") == ("scnet", None)
    assert found("b.ckpt", "model:\n  dim: 384\n") == ("roformer", tmp_path / "b.yaml")
    assert found("c.ckpt", "model:\n  num_subbands: 4\n") == ("mdx23c", tmp_path / "c.yaml")
    assert found("song.wav") is None
    with pytest.raises(ModelError, match=r"should be called 2stems\.tar\.gz"):
        found("model.tar.gz")
