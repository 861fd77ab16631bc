# SPDX-License-Identifier: MIT
"""`stemlane render` as a user meets it: gains, automation, files that are kept, one-line problems."""

import json
import os

import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.files.rendering import render_file
from support.command_line import everything_in, fails, noise, write


def test_render(tmp_path, tiny_models, capsys):
    mixture = noise(2, 20000)
    source, out = write(tmp_path / "ein lied.wav", mixture), tmp_path / "ö.wav"
    assert main(["render", source, "-o", str(out)]) == 0
    np.testing.assert_array_equal(soundfile.read(out, dtype="float32")[0].T, mixture)
    automation = tmp_path / "a.json"
    automation.write_text(json.dumps([{"time": 0, "stem": "drums", "gain_db": "-inf"}]), encoding="utf-8")
    arguments = [
        "render",
        source,
        "-o",
        str(out),
        "--gain",
        "vocals=-inf",
        "--automation",
        str(automation),
        "--model",
        "live",
    ]
    assert main(arguments) == 0
    # Without half and a quarter, a quarter is left.
    np.testing.assert_allclose(soundfile.read(out, dtype="float32")[0].T, mixture / 4, atol=1e-6)


def test_render_refuses_and_leaves_nothing(tmp_path, tiny_models, capsys):
    source = write(tmp_path / "a.wav", noise(2, 5000))
    (tmp_path / "bad.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.wav")
    out = ["-o", str(tmp_path / "out.wav")]
    before = everything_in(tmp_path)
    for arguments, words in [
        ([source, *out, "--gain", "vocals"], "should be like vocals=-inf"),
        ([source, *out, "--gain", "drums=1", "--gain", "drums=2"], "'drums=2': drums has a gain already"),
        ([source, *out, "--gain", "vocals=20"], "gain of vocals is '20'"),
        ([source, *out, "--gain", "piano=0"], "no stem 'piano'"),
        ([source, *out, "--automation", str(tmp_path / "bad.json")], "automation holds 1"),
        ([source, *out, "--automation", str(tmp_path / "none.json")], "none.json: cannot be read"),
        ([source, "-o", str(tmp_path / "out.aiff")], "out.aiff: format 'aiff'"),
        ([source, "-o", str(tmp_path / "no" / "out.wav")], "no such folder"),
        ([source, "-o", source], "a.wav: is the recording itself and would be lost"),
        ([source, "-o", str(tmp_path / "pipe.wav")], "pipe.wav: is no plain file"),
        ([source, *out, "--automation", str(tmp_path / "deep.json")], "deep.json: holds lists in lists"),
        ([str(tmp_path / "absent.wav"), *out], "no such file"),
    ]:
        fails(capsys, ["render", *arguments], words)
        assert everything_in(tmp_path) == before


def test_what_is_there_is_not_lost(tmp_path, tiny_models, capsys):
    source = write(tmp_path / "vocals" / "vocals.wav", noise(1, 5000))
    before = (tmp_path / "vocals" / "vocals.wav").read_bytes()
    fails(capsys, ["separate", source, "-o", str(tmp_path)], "vocals.wav: is the recording itself")
    with pytest.raises(InputError, match=r"none.wav: no such file"):
        render_file(tmp_path / "none.wav", source)
    assert (tmp_path / "vocals" / "vocals.wav").read_bytes() == before
    (tmp_path / "link.wav").symlink_to("vocals/mix.wav")
    assert main(["render", source, "-o", str(tmp_path / "link.wav")]) == 0
    assert (tmp_path / "link.wav").is_symlink() and everything_in(tmp_path / "vocals") == ["mix.wav", "vocals.wav"]
