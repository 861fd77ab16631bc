# SPDX-License-Identifier: MIT
"""`models add roformer`: what the settings say it gives, and what is refused, in one line each."""

import numpy as np
import pytest
from stemlane.catalog.convert.given_stems import Given, what_it_gives
from stemlane.catalog.convert.readers.training_config import Config
from stemlane.cli.main import main
from stemlane.errors import ModelError
from stemlane.manifests.registry import find_model
from support import roformer_case as case
from support.tiny_roformer import checkpoint

pytestmark = pytest.mark.usefixtures("no_models", "trials_here")


def add(path, *arguments) -> int:
    return main(["models", "add", "roformer", "--from", str(path), *arguments])


def test_what_is_said_of_one(tmp_path, capsys):
    path = checkpoint(tmp_path, "mel")
    assert add(path, "--config", str(path.with_suffix(".yaml")), "--stem", "karaoke", "--name", "lead") == 0
    said = capsys.readouterr().out
    assert "the vocals are the lead alone" in said
    assert "Mel-Band RoFormer" in said
    assert "M weights" in said
    manifest = find_model("lead")
    assert (manifest.stems, manifest.residual) == (("other", "vocals"), "vocals")
    assert (manifest.settings.segment_samples, manifest.settings.level) == (case.SEGMENT, "none")
    assert main(["models", "show", "lead"]) == 0
    assert "s of one core for a second of music, on this machine" in capsys.readouterr().out


@pytest.mark.parametrize("name, values, words", [
    ("layers.1.0.layers.0.0.to_gates.bias", None, "has no tensor layers.1.0.layers.0.0.to_gates.bias"),
    ("layers.0.0.layers.0.0.rotary_embed.freqs", None, "has no tensor layers.0.0.layers.0.0.rotary_embed.freqs"),
    ("layers.0.2.layers.0.0.to_qkv.0.weight", np.ones((3, 3), np.float32), "'layers.0.2.layers.0.0.to_qkv.0.weight'"),
    ("mask_estimators.1.segm.weight", np.ones(3, np.float32), "'mask_estimators.1.segm.weight', which no RoFormer"),
    ("layers.0.0.layers.0.0.to_qkv.weight", np.ones((71, 24), np.float32), "its heads are not those"),
    ("final_norm.gamma", np.ones(25, np.float32), "should be (24,)"),
    ("final_norm.gamma", None, "its 15 mel filters are not those of two channels and 257 bins"),
    ("band_split.to_features.14.0.gamma", np.ones(256, np.float32), "its 15 bands are not those of two channels"),
    ("layers.0.0.layers.0.1.net.1.bias", np.full(96, np.inf, np.float32), "holds values that are not finite"),
])  # fmt: skip
def test_tensors_that_are_refused(tmp_path, capsys, name, values, words):
    path = checkpoint(tmp_path, "bs", **{name: values})
    assert add(path, "--config", str(path.with_suffix(".yaml"))) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1, said


@pytest.mark.parametrize("old, new, words", [
    ("depth: 2\n", "depth: 2\n  skip_connection: true\n", "has skip connections between its blocks"),
    ("stft_n_fft: 512", "stft_n_fft: 1024", "stft_win_length is 512, should be from 1024 to 1024"),
    ("stft_hop_length: 128", "stft_hop_length: 0", "stft_hop_length is 0, should be from 32 to 256"),
    (f"chunk_size: {case.SEGMENT + 17}", "chunk_size: 999999999", "chunk_size is 999999999, should be from 44100"),
    ("[vocals, other]", "[vocals, kick]", "gives 2 stems, its settings name vocals, kick; should be 'other'"),
    ("[vocals, other]", "[vocals]", "gives 2 stems, its settings name vocals; should be 'other'"),
    ("audio:", "- audio:", "not a file of settings, or damaged"),
])  # fmt: skip
def test_settings_that_are_refused(tmp_path, capsys, old, new, words):
    path = checkpoint(tmp_path, "bs")
    settings = path.with_suffix(".yaml")
    assert old in case.config("bs")
    settings.write_text(case.config("bs").replace(old, new), encoding="utf-8")
    assert add(path, "--config", str(settings)) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1, said


def test_stitching_as_its_trainer(tmp_path, capsys):
    path = checkpoint(tmp_path, "bs")
    settings = path.with_suffix(".yaml")
    settings.write_text(case.config("bs") + "inference:\n  num_overlap: 4\n", encoding="utf-8")
    assert add(path, "--config", str(settings), "--stitching", "reference", "--name", "theirs") == 0
    found = find_model("theirs").settings
    assert (found.weights, found.segment_stride_samples) == ("ramps", case.SEGMENT // 4)
    assert add(path, "--config", str(settings), "--stitching", "theirs") == 1
    assert "stitching is 'theirs', should be one of: own, reference" in capsys.readouterr().err
    assert main(["models", "add", "spleeter:2stems", "--stitching", "reference"]) == 1
    assert "--stitching means nothing for spleeter:2stems; leave it out" in capsys.readouterr().err
    settings.write_text(case.config("bs") + "inference:\n  num_overlap: 50\n", encoding="utf-8")
    assert add(path, "--config", str(settings), "--stitching", "reference", "--name", "b") == 1
    assert "inference: num_overlap is 50, should be from 2 to 8" in capsys.readouterr().err


def test_it_needs_a_file_and_its_settings(tmp_path, capsys):
    assert main(["models", "add", "roformer"]) == 1
    assert "roformer needs --from FILE.ckpt and --config FILE.yaml" in capsys.readouterr().err
    assert add(tmp_path / "a.ckpt") == 1
    assert "give the settings it was trained with, --config FILE.yaml" in capsys.readouterr().err
    path = checkpoint(tmp_path, "bs")
    assert add("https://example.org/a.ckpt", "--config", str(path.with_suffix(".yaml"))) == 1
    assert "download it first, then --from PATH" in capsys.readouterr().err


def test_the_names_of_stems():
    def given(num_stems: int, named: str | None = None, **training) -> Given:
        return what_it_gives(num_stems, Config({"training": training}, "x"), named, "x")

    assert given(1, instruments=["Vocals", "Instrumental"], target_instrument="Vocals") == Given(["vocals"], [0])
    assert given(1, instruments=["Instrumental"]) == Given(["other"], [0], "vocals")
    assert given(1, "no_reverb", target_instrument="dry").stems == ["vocals"]
    assert given(2, instruments=["Instrumental", "Vocals"]) == Given(["vocals"], [1])
    assert given(4, instruments=["drums", "bass", "other", "vocals"]) == Given(["vocals", "drums", "bass"], [3, 0, 1])
    with pytest.raises(ModelError, match=r"gives one stem, 'dry': say which it is, --stem NAME"):
        given(1, target_instrument="dry")
    with pytest.raises(ModelError, match="--stem means nothing for 2 stems"):
        given(2, "vocals", instruments=["vocals", "other"])
