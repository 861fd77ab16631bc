# SPDX-License-Identifier: MIT
"""Trainings from nothing: one amount of material for all, and files that say what is wrong with them."""

from pathlib import Path

import pytest

from models.training.run import scratch

FOLDER = Path(scratch.__file__).parent


@pytest.fixture
def steps(monkeypatch):
    """What would be run, in order."""
    found = []
    for name in ("instrumentals", "material", "choirs", "sing", "speakers", "vowels", "bands", "heavy", "staccato",
                 "render", "demos", "modules", "build", "train"):  # fmt: skip
        monkeypatch.setattr(
            getattr(scratch, name), "main", lambda arguments, name=name: found.append((name, arguments))
        )
    return found


@pytest.mark.parametrize("name", ["live", "mix", "studio"])
def test_every_network_is_trained_on_the_same_material(steps, name):
    scratch.main([str(FOLDER / f"{name}.toml")])
    *material, panel, training = steps
    assert [made for made, _ in material] == [
        "instrumentals", "material", "choirs", "sing", "speakers", "vowels", "bands", "heavy", "staccato", "render",
        "demos", "modules",
    ]  # fmt: skip
    assert dict(material)["bands"] == ["--songs", "200", "--guitars", "100"]
    assert panel == ("build", []) and training[0] == "train" and training[1][:2] == ["--config", name]


def test_amounts_are_stated_once(steps, tmp_path):
    """A configuration that states its own says so, where they would have no effect."""
    path = tmp_path / "own.toml"
    path.write_text('[material]\nspeeds = 3\n[training]\nconfig = "mix"\n')
    with pytest.raises(SystemExit) as caught:
        scratch.main([str(path)])
    assert caught.value.code == f"scratch: {path}: needs exactly training; look at material" and steps == []


def test_a_missing_or_misspelt_kind_is_named(steps, tmp_path, monkeypatch):
    path = tmp_path / "material.toml"
    path.write_text(scratch.MATERIAL.read_text().replace("choirs", "choir"))
    monkeypatch.setattr(scratch, "MATERIAL", path)
    with pytest.raises(SystemExit, match="material.toml: needs exactly speeds, .*; look at choir, choirs"):
        scratch.main([str(FOLDER / "mix.toml")])
    assert steps == []


@pytest.mark.parametrize("text, words", [(None, "No such file or directory"), ("[training", "Expected ']' .*")])
def test_a_configuration_that_cannot_be_read_is_named(steps, tmp_path, text, words):
    path = tmp_path / "own.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit, match=f"^scratch: {path}: cannot be read \\({words}\\)$"):
        scratch.main([str(path)])
    assert steps == []
