# SPDX-License-Identifier: MIT
"""Ensembles: blends against closed forms and a slow reference, live and in files; what is refused, in one line."""

import json
import re
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from stemlane.catalog.ensembles import combine
from stemlane.catalog.install import add_model, verify
from stemlane.cli.main import main
from stemlane.engine.frontends.ensemble import stated
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ManifestError, ModelError
from stemlane.manifests.ensemble import Blend
from stemlane.manifests.model import load_manifest
from stemlane.manifests.registry import find_model, user_folder
from stemlane.mix.rendering import render
from support.htdemucs_case import recording
from support.members import build_members, one
from support.tiny_mdx import build_mdx
from support.tiny_models import change_manifest

TOLERANCE = 2e-6  # float32 sums of a music of peak 0.4


@pytest.fixture
def members(tmp_path, monkeypatch, trials_here):
    """Models whose stems are known."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    build_members(user_folder())


def test_means_and_choices_of_models_are_what_they_are_by_definition(members):
    """With masks that are one number each stem is a fraction of the mixture, and the residual is the rest."""
    made = combine("mine", {"vocals": Blend("mean", (("half", 3.0), ("fifth", 1.0))), "drums": one("half"),
                            "bass": one("fifth")})  # fmt: skip
    assert made.stems == ("vocals", "drums", "bass", "other") and verify("mine").self_test
    mixture = recording(30_000)
    stems = Separator("mine").separate(mixture, 44100)
    for stem, share in {"vocals": (3 * 0.5 + 0.2) / 4, "drums": 0.25, "bass": 0.4}.items():
        np.testing.assert_allclose(stems[stem], share * mixture, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-7)


@pytest.mark.parametrize("how, share", [("min", 0.2), ("max", 0.5)])
def test_the_lowest_and_highest_of_spectra(members, how, share):
    combine("mine", {"vocals": Blend(how, (("half", 1.0), ("fifth", 1.0))), "drums": one("half")})
    mixture = recording(30_000)
    stems = Separator("mine").separate(mixture, 44100)
    np.testing.assert_allclose(stems["vocals"], share * mixture, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(stems["drums"], 0.25 * mixture, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("how", ["min", "max"])
def test_spectra_are_compared_bin_by_bin(members, how):
    """Against frames of 2048 samples, centred on multiples of 512, each transformed and chosen from by itself."""
    combine("mine", {"vocals": Blend(how, (("half", 1.0), ("bins", 1.0)))})
    mixture = recording(20_000)
    versions = [Separator(name).separate(mixture, 44100)["vocals"] for name in ("half", "bins")]
    window = np.hanning(2049)[:-1]
    padded = [np.pad(version, ((0, 0), (2048, 2560))).astype(np.float64) for version in versions]
    total, weight = np.zeros_like(padded[0]), np.zeros(padded[0].shape[1])
    for start in range(0, total.shape[1] - 2047, 512):
        first, second = (np.fft.rfft(values[:, start : start + 2048] * window) for values in padded)
        lower = np.abs(first) <= np.abs(second)
        chosen = np.where(lower if how == "min" else ~lower, first, second)
        total[:, start : start + 2048] += window * np.fft.irfft(chosen)
        weight[start : start + 2048] += window**2
    inside = slice(2048, 2048 + 20_000)
    expected = total[:, inside] / weight[inside]
    assert min(np.abs(expected - version).max() for version in versions) > 0.01
    np.testing.assert_allclose(Separator("mine").separate(mixture, 44100)["vocals"], expected, rtol=0, atol=TOLERANCE)


def test_a_members_residual_can_be_taken(members):
    combine("mine", {"vocals": one("bins"), "bass": one("fifth"), "other": one("planes")}, residual="drums")
    mixture = recording(12_000)
    stems, planes = (Separator(name).separate(mixture, 44100) for name in ("mine", "planes"))
    np.testing.assert_allclose(stems["other"], planes["other"], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)


@pytest.mark.parametrize("how", ["mean", "max"])
def test_live_it_is_as_late_as_its_latest_member_and_as_stated(members, how):
    made = combine("mine", {"vocals": Blend(how, (("half", 1.0), ("bins", 1.0))), "drums": one("half")})
    longest = find_model("bins")
    assert made.stride_samples == longest.stride_samples
    assert made.delay_samples == longest.delay_samples + (2048 if how == "max" else 0)
    mixture = recording(30_000)
    separator = StreamingSeparator("mine", 44100, 2)
    first = separator.process(mixture)
    assert first.shape[2] == 30_000 // made.stride_samples * made.stride_samples - made.delay_samples
    live = np.concatenate([first, separator.finish()], axis=2)
    separator.reset()
    pieces = [separator.process(block) for block in np.split(mixture, [1, 777, 5000, 21_000], axis=1)]
    np.testing.assert_array_equal(np.concatenate([*pieces, separator.finish()], axis=2), live)
    whole = Separator("mine").separate(mixture, 44100)
    inner = slice(0, 20_000)  # at the end `bins` moves its last segment in files
    for stem, samples in zip(separator.stems, live, strict=True):
        np.testing.assert_allclose(samples[:, inner], whole[stem][:, inner], rtol=0, atol=TOLERANCE)


def test_the_core_mixes_it_at_its_latency(members):
    """As the plugin does, which knows the numbers of its manifest alone."""
    combine("mine", {"vocals": Blend("max", (("half", 1.0), ("fifth", 1.0))), "drums": one("half")})
    mixture = recording(60_000)
    mix = render(mixture, 44100, {"vocals": "-inf"}, model="mine")
    inner = slice(20_000, 60_000)  # stems fade in where a stream begins
    np.testing.assert_allclose(mix[:, inner], 0.5 * mixture[:, inner], rtol=0, atol=TOLERANCE)


def test_it_is_refused_once_a_member_is_gone_or_another(members):
    combine("mine", {"vocals": one("half")})
    manifest = user_folder() / "half" / "manifest.toml"
    network = manifest.with_name("network.onnx")
    known = network.read_bytes()
    network.write_bytes(known[:-1] + bytes([known[-1] ^ 1]))
    with pytest.raises(ModelError, match="half.*network.onnx"):
        StreamingSeparator("mine", 44100, 2)
    network.write_bytes(known)
    manifest.write_text(manifest.read_text().replace('version = "0.1.0"', 'version = "0.2.0"'))
    with pytest.raises(ModelError, match="half are not what they were when it was made: combine them again"):
        StreamingSeparator("mine", 44100, 2)
    manifest.rename(manifest.with_name("away"))
    with pytest.raises(ModelError, match="takes stems from 'half', which is not there"):
        StreamingSeparator("mine", 44100, 2)


@pytest.mark.parametrize("blends, words", [
    ({"vocals": one("none")}, "no model called 'none'"),
    ({"bass": one("half")}, "takes stems from 'half', which has no bass, but: vocals, drums, other"),
    ({"trumpet": one("half")}, "stem 'trumpet': should be one of"),
    ({"other": one("half")}, "other is what the other stems leave"),
    ({"vocals": Blend("min", (("half", 1.0),))}, "vocals is min of half, should be two or more models"),
    ({"vocals": Blend("mean", (("half", 1.0), ("half", 2.0)))}, "should be one or more models, each once"),
    ({"vocals": one("half", 0.0)}, "gives half the weight 0, should be 0.001 to 1000"),
    ({"vocals": one("half", float("nan"))}, "gives half the weight nan"),
    ({}, "stem 'none'"),
], ids=str)  # fmt: skip
def test_what_cannot_be_combined(members, blends, words):
    with pytest.raises((ModelError, ManifestError), match=re.escape(words)):
        combine("mine", blends)
    assert not (user_folder() / "mine").exists()


def test_no_ensemble_of_ensembles(members):
    combine("mine", {"vocals": one("half")})
    with pytest.raises(ModelError, match="'mine', which is an ensemble itself"):
        combine("more", {"vocals": one("mine")})


def test_no_model_is_made_of_itself(members, capsys):
    """With --force it would take the place of the weights it needs."""
    before = (user_folder() / "half" / "manifest.toml").read_bytes()
    assert main(["models", "combine", "half", "--force", "--mean", "vocals=half,fifth"]) == 1
    assert "members hold 'half', the model itself: choose another name" in capsys.readouterr().err
    assert (user_folder() / "half" / "manifest.toml").read_bytes() == before and verify("half").kind == "streaming"


def test_a_strangers_ensemble_cannot_replace_its_member(members, tmp_path):
    stranger = combine("mine", {"vocals": one("half")}).folder.rename(tmp_path / "half")
    change_manifest(stranger, "name", '"half"')
    with pytest.raises(ManifestError, match="members hold 'half', the model itself"):
        add_model(str(stranger), force=True)
    assert find_model("half").kind == "streaming"


def test_rings_of_ensembles_are_listed_and_refused(members, tmp_path, monkeypatch, capsys):
    """Made by hand below STEMLANE_MODELS, where nobody has checked them."""
    for name, member in (("ring", "gnir"), ("gnir", "ring")):
        folder = combine(name, {"vocals": one("half")}).folder.rename(tmp_path / name)
        text = (folder / "manifest.toml").read_text()
        (folder / "manifest.toml").write_text(text.replace('["half", 1.0]', f'["{member}", 1.0]'))
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    for arguments in (["list"], ["show", "ring"], ["list", "--json"]):
        assert main(["models", *arguments]) == 0
        assert "gnir: unknown: ask who made the weights" in capsys.readouterr().out
    with pytest.raises(ModelError, match="takes stems from 'gnir', which is an ensemble itself"):
        StreamingSeparator("ring", 44100, 2)


@pytest.mark.parametrize("settings", [
    {"compensation": 3}, {"both_signs": "true"}, {"silent_bins": 4}, {"residual": "vocals"},
    {"stems": ("vocals", "drums"), "residual": "drums"},
], ids=str)  # fmt: skip
def test_it_is_refused_once_a_members_settings_are_others(members, settings):
    """The network and the version are the same, the stems are not."""
    combine("mine", {"drums": one("half"), "vocals": one("planes")})
    combine("yours", {"vocals": one("bins")})
    shutil.rmtree(user_folder() / "planes")
    build_mdx(user_folder(), name="planes", **settings)
    with pytest.raises(ModelError, match="planes, half are not what they were when it was made: combine them again"):
        Separator("mine").separate(recording(1000), 44100)
    Separator("yours").separate(recording(1000), 44100)


def test_a_setting_that_a_later_version_adds_changes_no_ensemble():
    @dataclass(frozen=True)
    class Part:
        size: int
        added: float = 0.5

    @dataclass(frozen=True)
    class Settings:
        parts: tuple[Part, ...]
        added: bool = False

    assert stated(Settings((Part(3), Part(4)))) == "Settings(parts=(Part(size=3), Part(size=4)))"
    assert stated(Settings((Part(3, 1.5),), added=True)) == "Settings(parts=(Part(size=3, added=1.5)), added=True)"


@pytest.mark.parametrize("name, words", [
    ("n" * 200, "name has 200 characters, should have at most 100; choose another name"),
    ("mix", "the name 'mix' belongs to a model that comes with the package; choose another name"),
    ("fifth", "a model called 'fifth' is there already; --force replaces it, or choose another name"),
])  # fmt: skip
def test_names_that_are_refused(members, name, words):
    with pytest.raises(ModelError, match=f"^{re.escape(words)}$"):
        combine(name, {"vocals": one("half")})


@pytest.mark.parametrize("line, words", [
    ('vocals = ["mean", ["../half", 1.0]]', "names '../half', which is not a model name"),
    ('vocals = ["mean", ["half"]]', "holds ['half'], should be a list like"),
    ('vocals = ["mean", ["half", true]]', "gives half the weight True, should be a number"),
    ('vocals = ["sum", ["half", 1.0]]', "begins with 'sum', should begin with one of: mean, min, max"),
    ('vocals = "half"', "vocals is 'half', should be a list"),
    ('vocals = ["mean"' + "".join(f', ["m{n}", 1.0]' for n in range(9)) + "]", "members are 9, should be at most 8"),
    ('vocals = ["mean", ["half", 1.0]]\nother = ["mean", ["half", 1.0]]', "other is the residual"),
    ("", "vocals is missing"),
    ('vocals = ["mean", ["half", 1.0]]\n[[files]]\npath = "a"\nsha256 = ""', "files should be left out of an ensemble"),
])  # fmt: skip
def test_manifests_that_are_refused(members, line, words):
    folder = combine("mine", {"vocals": one("half")}).folder
    path = folder / "manifest.toml"
    text = re.sub(r"(?m)^vocals = \[\"mean.*$", lambda _: line, path.read_text().split("[self_test]")[0])
    path.write_text(text)
    with pytest.raises(ManifestError, match=re.escape(words)):
        load_manifest(folder)


def test_numbers_that_are_not_the_members(members):
    """A stranger's manifest cannot claim another latency than it has."""
    path = combine("mine", {"vocals": one("half")}).folder / "manifest.toml"
    path.write_text(re.sub(r"delay_samples = \d+", "delay_samples = 7", path.read_text()))
    with pytest.raises(ModelError, match="combine them again"):
        Separator("mine").separate(recording(1000), 44100)


def test_the_command_makes_shows_and_lists_it(members, tmp_path, capsys):
    arguments = ["models", "combine", "best", "--mean", "vocals=half:2,fifth", "--max", "drums=half,bins"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "half: MIT; fifth: MIT; bins: MIT" in out and "made           best: best, of half, fifth, bins" in out
    assert main(["models", "show", "best"]) == 0
    out = capsys.readouterr().out
    assert "mean of half (2), fifth (1)" in out and "highest magnitudes of half, bins" in out
    assert main(["models", "list"]) == 0 and "best" in capsys.readouterr().out
    assert main(arguments) == 1 and "a model called 'best' is there already" in capsys.readouterr().err
    assert main(["models", "combine", "b", "--mean", "vocals"]) == 1
    assert "--mean is 'vocals', should be STEM=MODEL" in capsys.readouterr().err
    assert main(["models", "combine", "b", "--mean", "vocals=half:x"]) == 1
    assert "the weight 'x' is not a number" in capsys.readouterr().err
    for wrong in (["b"], ["b", "--mean", "vocals=half", "--max", "vocals=half,fifth"]):
        with pytest.raises(SystemExit):
            main(["models", "combine", *wrong])
    json_text = (user_folder() / "models.index").read_text()
    assert "best\tbest, of half, fifth, bins\t44100" in json_text and json.dumps(json_text)
