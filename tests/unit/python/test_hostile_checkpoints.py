# SPDX-License-Identifier: MIT
"""Checkpoints made to do harm, given to every family that reads such: refused in one line, nothing run or added."""

import os
from pathlib import Path

import numpy as np
import pytest
from stemlane.cli.main import main
from stemlane.manifests.registry import user_folder
from support import mdx23c_case, roformer_case, scnet_case
from support.hostile_files import archive, storage, tensor, weights
from support.torch_files import Call, Name, write_package, write_torch

CONFIGS = {"scnet": scnet_case.CONFIG, "roformer": roformer_case.config("bs"), "mdx23c": mdx23c_case.CONFIG}
FAMILIES = (*CONFIGS, "htdemucs", "open-unmix:umxhq")
HUGE = 1 << 40
STEMS = ("vocals", "drums", "bass", "other")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def refused(capsys, family: str, path: Path) -> str:
    """What `models add` says of one file, which is a folder of files for open-unmix."""
    place, more = path, []
    if family in CONFIGS:
        (settings := path.with_suffix(".yaml")).write_text(CONFIGS[family], encoding="utf-8")
        more = ["--config", str(settings)]
    elif family.startswith("open-unmix"):
        place = path.parent / "folder"
        place.mkdir()
        for stem in STEMS:
            (place / f"{stem}.pth").write_bytes(path.read_bytes())
    assert main(["models", "add", family, "--from", str(place), "--accept-licence", *more]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and not said.out, said
    assert not list(user_folder().glob("*/manifest.toml"))
    return said.err


@pytest.mark.parametrize("family", FAMILIES)
def test_code_is_not_run(tmp_path, capsys, family):
    call = Call(Name("os", "system"), (f"touch {tmp_path}/was-run",))
    said = refused(capsys, family, write_package(tmp_path / "w.th", {}, hook=call))
    assert "damaged" in said or "not a package" in said or "asks for" in said, said
    assert not os.path.lexists(tmp_path / "was-run")


@pytest.mark.parametrize("family", FAMILIES)
def test_shapes_larger_than_what_is_stored(tmp_path, capsys, family):
    path = tmp_path / "w.th"
    archive(path, weights(tensor(storage(4), [HUGE], [1])))
    assert "larger than what is stored" in refused(capsys, family, path)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_of_something_else(tmp_path, capsys, family):
    said = refused(capsys, family, write_torch(tmp_path / "w.th", {"model.weight": np.ones(3, np.float32)}))
    assert "has no tensor" in said or "not a package of Demucs" in said or "not the weights" in said, said
