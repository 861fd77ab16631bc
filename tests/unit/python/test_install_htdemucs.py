# SPDX-License-Identifier: MIT
"""Adding HTDemucs: published packages or one's own, shown and verified; others refused with the reason, nothing run."""

import hashlib
import os
from dataclasses import replace

import numpy as np
import pytest
from stemlane.catalog.convert.htdemucs import source as htdemucs_source
from stemlane.catalog.convert.places import MIRROR_VARIABLE
from stemlane.catalog.install import add_model
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from stemlane.errors import InputError, ModelError
from stemlane.manifests import registry
from support.tiny_htdemucs import CLASS, SIZES, package, seeded
from support.torch_files import Name
from support.unreliable_server import serve

pytestmark = pytest.mark.usefixtures("no_models", "trials_here")


def written(path, *, state=None, extra=None, klass=CLASS, args=(), **changes):
    tensors = seeded(SIZES) if state is None else state
    return package(path, tensors, {**SIZES, **changes}, klass=klass, args=args, **(extra or {}))


def test_from_a_mirror(tmp_path, monkeypatch, capsys):
    content = written(tmp_path / "all.th").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    names = {stem: f"{stem}0-{sha256[:8]}.th" for stem in ("vocals", "drums", "bass")}
    published = replace(htdemucs_source.OFFICIAL["htdemucs_ft"], files=names)
    monkeypatch.setitem(htdemucs_source.OFFICIAL, "htdemucs_ft", published)
    with serve(content, cut_after=[5000]) as server:
        monkeypatch.setenv(MIRROR_VARIABLE, server.url + "/mirror")
        assert main(["models", "add", "htdemucs_ft", "--accept-licence"]) == 0
        asked = [path for path, _ in server.requests]
    assert asked[1:] == [f"/mirror/{name}" for name in names.values()]  # the first was cut
    said = capsys.readouterr().out
    assert (
        "licence        research only: not under the MIT licence of the code" in said
        and "dl.fbaipublicfiles.com" in said
    )
    assert "added          htdemucs_ft: HTDemucs, fine-tuned for each stem, latency 1.8 s" in said
    assert main(["models", "show", "htdemucs_ft"]) == 0
    said = capsys.readouterr().out
    assert "segment        1.00 s, moves on by 0.75 s, blends 0.25 s" in said
    assert "computing      3 networks on all processors, each moment 1.33 times" in said
    for name in ("htdemucs_ft", "htdemucs_ft-3s"):
        assert main(["models", "verify", name]) == 0
        assert "gives the known output" in capsys.readouterr().out
    folders = [registry.user_folder() / name for name in ("htdemucs_ft", "htdemucs_ft-3s")]
    assert [os.path.samefile(folders[0] / file, folders[1] / file)
            for file in ("drums.weights", "drums.onnx")] == [True, False]  # fmt: skip
    assert not list((tmp_path / "data" / "stemlane" / "downloads").iterdir())


def test_another_network_than_when_it_was_added(tmp_path):
    add_model("htdemucs", location=str(written(tmp_path / "x.th")))
    manifest = registry.find_model("htdemucs").folder / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("drums = ["))
    manifest.write_text(text.replace(line, "drums = [0.5, 0.5, 0.0, 0.0]"), encoding="utf-8")
    assert main(["models", "verify", "htdemucs"]) == 1


def test_ones_own_weights(tmp_path):
    for stem in ("vocals", "drums", "bass"):
        written(tmp_path / f"{stem}-mine.th", state=seeded(SIZES, stem))
    manifest = add_model("htdemucs_ft", location=str(tmp_path), name="mine")[0]
    assert manifest.stems == ("vocals", "drums", "bass", "other") and manifest.residual == "other"
    assert manifest.licence.startswith("unknown") and "not the published htdemucs_ft" in manifest.origin
    mixture = np.random.default_rng(2).uniform(-0.5, 0.5, (1, 60_000)).astype(np.float32)
    stems = Separator("mine").separate(mixture, 48000)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)
    assert all(np.sqrt(np.mean(stem**2)) > 0.001 for stem in stems.values())


def test_shifts_are_for_this_kind_only(tmp_path, tiny_models):
    mixture = np.zeros((2, 100), np.float32)
    with pytest.raises(InputError, match="model 'mix' cannot be shifted"):
        Separator("mix", shifts=1).separate(mixture, 44100)
    with pytest.raises(InputError, match="shifts is -1, should be a whole number from 0 to 20"):
        Separator("mix", shifts=-1)


def test_sizes_that_are_refused(tmp_path):
    def refused(words: str, **changes) -> None:
        with pytest.raises(ModelError, match=words):
            add_model("htdemucs", location=str(written(tmp_path / "x.th", **changes)))

    refused("has norm_starts = 0|sizes of its network", norm_starts=0)
    refused("its network has cac = False, only True is supported", cac=False)
    refused("its network has t_emb = 'cape', only 'sin' is supported", t_emb="cape")
    refused("sizes of its network are not those of an HTDemucs", multi_freqs=[0.5])
    refused("sizes of its network are no numbers", channels="many")
    refused("sizes of its network are not those", segment=1000)
    refused(r"its stems are drums, strings; should be 'other' and some of: vocals, drums",
            sources=["drums", "strings"], state=seeded({**SIZES, "sources": ["drums", "strings"]}))  # fmt: skip
    refused("names no stems", sources=[])
    refused("does not say how its network was made", args=(1, 2))


def test_files_that_are_refused(tmp_path):
    def refused(words: str, path) -> None:
        with pytest.raises(ModelError, match=words):
            add_model("htdemucs", location=str(path))

    tensors, path = seeded(SIZES), tmp_path / "x.th"
    name = "encoder.1.conv.weight"
    refused(f"has no tensor {name}", written(path, state={key: tensors[key] for key in tensors if key != name}))
    refused(rf"{name} is float16 \(3,\), should be \(8, 4, 8, 1\)",
            written(path, state={**tensors, name: np.zeros(3, np.float16)}))  # fmt: skip
    refused("holds an unknown tensor attention", written(path, state={**tensors, "attention": np.zeros(3)}))
    refused(f"{name} holds values that are not finite",
            written(path, state={**tensors, name: np.full((8, 4, 8, 1), np.nan, np.float16)}))  # fmt: skip
    refused("asks for os.system, which weights do not need", written(path, extra={"x": Name("os", "system")}))
    refused("holds a demucs.hdemucs.HDemucs, only", written(path, klass=Name("demucs.hdemucs", "HDemucs")))
    refused("not a package of Demucs", written(path, klass=None))
    refused("quantised", written(path, extra={"state": {"__quantized": True}}))
    whole = written(path).read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        refused("not a file of weights, or damaged", path)
    refused("no such file; it should be one .th or .safetensors file", tmp_path / "none.th")
    path.rename(tmp_path / "x.txt")
    refused(r"should hold one file 955717e8\*.th or \*.th, or .safetensors, holds 0", tmp_path)
    with serve(b"something else") as server:
        refused("is not the published file", server.url)
    assert [file for file in (tmp_path / "data").rglob("*") if file.is_file()] == []
