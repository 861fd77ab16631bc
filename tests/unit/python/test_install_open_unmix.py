# SPDX-License-Identifier: MIT
"""Adding Open-Unmix: published files or one's own, their licence shown, others refused with the reason."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from stemlane.catalog.convert.open_unmix import source as open_unmix_source
from stemlane.catalog.convert.open_unmix.network import expected_shapes
from stemlane.catalog.convert.places import MIRROR_VARIABLE
from stemlane.catalog.install import add_model
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from stemlane.errors import ModelError
from stemlane.manifests import registry
from support import open_unmix_case as case
from support.torch_files import Name, write_torch
from support.unreliable_server import serve

pytestmark = pytest.mark.usefixtures("no_models", "trials_here")

NAMES = ["open-unmix-umxl", "open-unmix-umxl-1.5s", "open-unmix-umxl-3s"]
SHAPES = expected_shapes(8, 100)  # few hidden units and bins: milliseconds


def weights(stem: str) -> dict[str, np.ndarray]:
    # As old versions have written them, with parts that are no weights.
    return {name: case.weight(stem, name, shape) for name, shape in SHAPES.items()} | {
        "bn1.num_batches_tracked": np.array(5), "stft.window": np.ones(4096, np.float32),
    }  # fmt: skip


@pytest.fixture
def own(tmp_path):
    """A folder with a file for each stem."""
    folder = tmp_path / "own"
    folder.mkdir()
    for number, stem in enumerate(case.STEMS):
        write_torch(folder / f"{stem}-12345678.pth", weights(stem), legacy=bool(number % 2))
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_from_a_mirror_with_the_licence(tmp_path, monkeypatch, capsys):
    content = write_torch(tmp_path / "all.pth", weights("vocals")).read_bytes()
    hashes = dict.fromkeys(case.STEMS, hashlib.sha256(content).hexdigest()[:8])
    published = dataclasses.replace(open_unmix_source.OFFICIAL["umxl"], hashes=hashes)
    monkeypatch.setitem(open_unmix_source.OFFICIAL, "umxl", published)
    with serve(content, cut_after=[5000]) as server:
        monkeypatch.setenv(MIRROR_VARIABLE, server.url + "/mirror")
        assert main(["models", "add", "open-unmix:umxl", "--accept-licence"]) == 0
        asked = [path for path, _ in server.requests]
    assert asked[1:] == [f"/mirror/{stem}-{hashes[stem]}.pth" for stem in case.STEMS]
    said = capsys.readouterr().out
    assert "licence        CC BY-NC-SA 4.0: not for commercial use" in said
    assert "origin         https://zenodo.org/records/5069601/files" in said
    assert sorted(path.name for path in registry.user_folder().iterdir() if path.is_dir()) == NAMES
    assert files_in(tmp_path / "data" / "stemlane" / "downloads") == []
    for name in NAMES:
        assert main(["models", "verify", name]) == 0
    assert main(["models", "show", NAMES[2]]) == 0
    said = capsys.readouterr().out
    assert "kind           open-unmix" in said and "band" not in said
    assert "notice         these weights, and what is made with them, are not for commercial use" in said
    assert "computing      2.0 times that of whole segments" in said


def test_ones_own_weights(own):
    manifest = add_model("open-unmix:umxhq", location=str(own), name="mine")[0]
    assert manifest.stems == case.STEMS and manifest.residual == "other"
    assert manifest.licence.startswith("unknown") and "not the published umxhq" in manifest.origin
    mixture = np.random.default_rng(2).uniform(-0.5, 0.5, (1, 20000)).astype(np.float32)
    stems = Separator("mine-3s").separate(mixture, 48000)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)
    assert all(np.sqrt(np.mean(stem**2)) > 0.01 for stem in stems.values())


def test_what_is_refused(tmp_path, own):
    def refused(words: str, **changes) -> None:
        write_torch(own / "bass-12345678.pth", {**weights("bass"), **changes})
        with pytest.raises(ModelError, match=words):
            add_model("open-unmix:umxhq", location=str(own))

    refused(r"bass-12345678.pth: fc2.weight is float32 \(8, 8\), should be float32 \(8, 16\)",
            **{"fc2.weight": np.zeros((8, 8), np.float32)})  # fmt: skip
    refused("input_mean is float64", input_mean=np.zeros(100))
    refused("holds an unknown tensor attention", attention=np.zeros(3, np.float32))
    refused("input_scale holds values that are not finite", input_scale=np.full(100, np.inf, np.float32))
    other = {name: np.zeros(shape, np.float32) for name, shape in expected_shapes(8, 90).items()}
    refused("the network for bass has another size than the others", **other)
    write_torch(own / "bass-12345678.pth", {"layer": np.zeros(3, np.float32)})
    with pytest.raises(ModelError, match="has no fc1.weight and input_mean: not the weights of Open-Unmix"):
        add_model("open-unmix:umxhq", location=str(own))
    one_way = {name: values for name, values in weights("bass").items() if "reverse" not in name}
    write_torch(own / "bass-12345678.pth", one_way)
    with pytest.raises(ModelError, match="lstm.weight_ih_l0_reverse: not the weights of a bidirectional"):
        add_model("open-unmix:umxhq", location=str(own))
    write_torch(own / "bass-12345678.pth", weights("bass"), extra={"x": Name("os", "system")})
    with pytest.raises(ModelError, match="asks for os.system, which weights do not need"):
        add_model("open-unmix:umxhq", location=str(own))
    (own / "bass-12345678.pth").rename(own / "bass.txt")
    with pytest.raises(ModelError, match=r"should hold one file bass\*.pth, holds 0"):
        add_model("open-unmix:umxhq", location=str(own))
    with pytest.raises(ModelError, match="no such folder"):
        add_model("open-unmix:umxhq", location=str(tmp_path / "none"))
    with serve(b"something else") as server, pytest.raises(ModelError, match="is not the published file"):
        add_model("open-unmix:umxhq", location=server.url)
    assert files_in(tmp_path / "data") == []
