# SPDX-License-Identifier: MIT
"""Manifests: what is read, what is refused and in which words, and the index for the C++ core."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import stemlane
from stemlane.errors import ManifestError
from stemlane.manifests.model import index_text, load_manifest
from support.tiny_models import build_model


def edited(tmp_path, old: str, new: str) -> Path:
    """A tiny model whose manifest has `old` replaced by `new`."""
    folder = build_model(tmp_path)
    path = folder / "manifest.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_numbers_are_read_and_derived(tmp_path):
    manifest = load_manifest(
        build_model(
            tmp_path,
            name="mix",
            fft_samples=2048,
            synthesis_samples=2048,
            hop_samples=512,
            frames_per_step=4,
            lookahead_frames=4,
        )
    )
    assert manifest.stride_samples == 4 * 512
    assert manifest.delay_samples == 2048 - 512 + 4 * 512
    assert manifest.settings.num_bins == 1025
    assert manifest.separated_stems == ("vocals", "drums", "bass")
    assert manifest.settings.state_tensors == (("history", "next_history"),)


def test_residual_may_stand_anywhere(tmp_path):
    manifest = load_manifest(build_model(tmp_path, stems=("other", "vocals"), masks=(0.5,)))
    assert manifest.separated_stems == ("vocals",)


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("format = 1", "format = 2", ["format is 2", "reads 1", "update"]),
        ("format = 1", "", ["format is missing"]),
        ('name = "tiny"', 'name = "Tiny One"', ["'Tiny One'", "lower-case"]),
        ('name = "tiny"', f'name = "{101 * "a"}"', ["name has 101 characters", "at most 100"]),
        ('title = "Tiny tiny"', 'title = "a\\tb"', ["title", "tabs"]),
        ('kind = "streaming"', 'kind = "magic"', ["'magic'", "streaming"]),
        ('"bass", "other"]', '"basso", "other"]', ["'basso'", "vocals, drums, bass"]),
        ('"bass", "other"]', '"drums", "other"]', ["stems is", "different"]),
        ('residual = "other"', 'residual = "piano"', ["'piano'", "one of the stems"]),
        ("sample_rate = 44100", "sample_rate = 44100.5", ["sample_rate is 44100.5", "whole number"]),
        ("sample_rate = 44100", "sample_rate = true", ["sample_rate is True"]),
        ("sample_rate = 44100", "sample_rate = 4000", ["sample_rate is 4000", "8000 to 384000"]),
        ("compute_allowance_samples = 512", "compute_allowance_samples = 0", ["compute_allowance_samples is 0"]),
        ('licence = "MIT"', 'licence = " "', ["licence", "not empty"]),
        ("fft_samples = 256", "fft_samples = 257", ["fft_samples is 257", "even"]),
        ("synthesis_samples = 256", "synthesis_samples = 512", ["synthesis_samples is 512", "to 256"]),
        ("hop_samples = 64", "hop_samples = 256", ["synthesis_samples is 256", "up to 2 or 4 times hop_samples = 256"]),
        ("hop_samples = 64", "hop_samples = 32", ["synthesis_samples is 256", "up to 2 or 4 times hop_samples = 32"]),
        ("lookahead_frames = 1", "lookahead_frames = -1", ["lookahead_frames is -1", "from 0"]),
        ('path = "network.onnx"', 'path = "../network.onnx"', ["'../network.onnx'", "inside"]),
        ('sha256 = "', 'sha256 = "Z', ["sha256", "hexadecimal"]),
        ('states = [["history", "next_history"]]', 'states = [["history"]]', ["states", "pairs"]),
        ('mixture = "mixture"', "", ["[tensors]", "mixture is missing"]),
        ("[streaming]", "[steaming]", ["streaming is missing"]),
        ("[[files]]", "[files]", ["files is", "should be"]),
        ("format = 1", "format = [", ["cannot be read"]),
    ],
)
def test_refusals_name_value_and_remedy_on_one_line(tmp_path, old, new, words):
    folder = edited(tmp_path, old, new)
    with pytest.raises(ManifestError) as caught:
        load_manifest(folder)
    text = str(caught.value)
    assert str(folder / "manifest.toml") in text
    assert "\n" not in text
    for word in words:
        assert word in text


def test_missing_and_binary_manifests(tmp_path):
    with pytest.raises(ManifestError, match="no such file"):
        load_manifest(tmp_path)
    (tmp_path / "manifest.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="cannot be read"):
        load_manifest(tmp_path)


def test_index_has_one_line_per_model(tmp_path):
    build_model(tmp_path, name="b", stems=("vocals", "other"), masks=(0.5,), compute_allowance_samples=99)
    build_model(tmp_path, name="a", sample_rate=48000)
    lines = index_text(tmp_path).splitlines()
    assert lines[0].startswith("# name\ttitle\t")
    assert lines[1] == "a\tTiny a\t48000\t128\t256\t512\tvocals,drums,bass\tother\t256\t64\t1"
    assert lines[2] == "b\tTiny b\t44100\t128\t256\t99\tvocals\tother\t256\t64\t1"
    assert len(lines) == 3


def test_index_command_needs_only_the_standard_library(tmp_path):
    build_model(tmp_path)
    package_folder = str(Path(stemlane.__file__).parents[1])
    command = [sys.executable, "-S", "-m", "stemlane.manifests.model", "--index"]
    environment = {**os.environ, "PYTHONPATH": package_folder}
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == index_text(tmp_path)
    (tmp_path / "tiny" / "manifest.toml").write_text("format = 9", encoding="utf-8")
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
