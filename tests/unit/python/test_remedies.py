# SPDX-License-Identifier: MIT
"""Messages that name the remedy: each is what a newcomer met, with what helped."""

import sys

import numpy as np
import pytest
import soundfile
import stemlane
from stemlane import doctor
from stemlane.catalog.available import available_models, from_files
from stemlane.cli.main import main
from stemlane.cli.parser import seconds
from stemlane.errors import InputError, ModelError, StemlaneError
from stemlane.files.addresses import place
from stemlane.files.names import check_template
from stemlane.manifests.addable import FROM_FILES, SOURCES, plain
from support.command_line import RATE, fails, noise, write
from support.tiny_models import build_model


@pytest.fixture
def song(tmp_path, tiny_models, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "song.wav", 4 * noise(2, RATE))
    return "song.wav"


def refused(capsys, arguments, words):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    said = capsys.readouterr().err
    command = f"stemlane {arguments[0]}"
    assert stop.value.code == 2 and said.endswith(f"\nTry '{command} --help'.\n")
    assert said.startswith(f"{command}: ") and said.count("\n") == 2 and words in said


def test_clipped_stems_and_mixes_say_what_helps(song, tmp_path, capsys):
    for options, remedies in (
        (["--bits", "16"], "--clip rescale turns all stems of the recording down, --bits 32f keeps the peaks"),
        (["--format", "flac"], "--clip rescale turns all stems of the recording down, --format wav keeps the peaks"),
    ):
        command = ["separate", song, "--stems", "vocals", *options]
        assert main(command) == 0
        assert capsys.readouterr().err.endswith(f", its peak was 1.80; {remedies}\n")
        assert main([*command, "--clip", "rescale"]) == 0
        assert "clipped" not in capsys.readouterr().err
    assert main(["render", song, "-o", "mix.flac"]) == 0
    assert capsys.readouterr().err.endswith(
        "its peak was 3.60; turn it down by 11.2 dB with --gain output, or write a .wav\n"
    )
    assert main(["render", song, "-o", "mix.flac", "--gain", "output=-11.2"]) == 0
    assert "clipped" not in capsys.readouterr().err
    assert np.abs(soundfile.read("mix.flac")[0]).max() > 0.98


def test_the_library_says_how_a_model_is_added(tiny_models):
    for name, words in (
        ("htdemucs", "model 'htdemucs' is not here yet but can be added: run 'stemlane models add htdemucs'"),
        ("umxhq", "run 'stemlane models add open-unmix:umxhq'"),
        ("spleeter", "one of these can be added: spleeter:2stems, "),
        ("scnet", "is added from a file of yours: run 'stemlane models add scnet --from FILE'"),
        ("nope", "no model called 'nope'; there are: live, mix"),
    ):
        with pytest.raises(ModelError) as caught:
            stemlane.Separator(name)
        assert words in str(caught.value)


def test_names_that_can_be_added_are_those_of_the_catalogue():
    assert [entry.source for entry in available_models()] == list(SOURCES) and from_files() == sorted(FROM_FILES)
    assert all(plain(entry.source) == plain(entry.model_name) for entry in available_models())


@pytest.mark.parametrize("ending", ["flac", "wav", "mp3", "mp4", "ogg", "aac", "tta", "ac3"])
def test_a_text_with_the_ending_of_audio_is_no_audio(tmp_path, tiny_models, ending):
    (tmp_path / f"text.{ending}").write_text("no audio here\n" * 99, encoding="utf-8")
    with pytest.raises(
        InputError, match=rf"text.{ending}: cannot be read as audio \(no format that is known, or damaged"
    ):
        stemlane.separate_file(tmp_path / f"text.{ending}", tmp_path / "out")


@pytest.mark.parametrize("scheme, packages, missing", [
    ("https", "requests aiohttp", "aiohttp"), ("s3", "s3fs", "s3fs"), ("gs", "gcsfs", "gcsfs"),
    ("az", "adlfs", "adlfs"),
])  # fmt: skip
def test_an_address_says_which_package_reaches_it(scheme, packages, missing, monkeypatch, tmp_path, tiny_models):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=rf"{scheme}:// needs a package; run 'pip install {packages}'$"):
        stemlane.separate_file(place(f"{scheme}://bucket/a.wav"), tmp_path / "out")


def test_doctor_blames_the_variable_not_the_installation(tmp_path, monkeypatch):
    engine = tmp_path / "engine"
    monkeypatch.setattr(doctor.places, "engine_path", lambda bundle: engine)
    for said, remedy in (
        ("STEMLANE_MODELS names 'x', which is no folder", ""),
        ("cannot load x", "; install it again"),
    ):
        engine.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 1\n', encoding="utf-8")
        engine.chmod(0o755)
        with pytest.raises(StemlaneError) as caught:
            doctor.engine_text(tmp_path, remedy="install it again")
        assert str(caught.value) == f"{engine} does not run: {said}{remedy}"


def test_wrong_arguments_are_one_line_and_where_help_is(song, capsys):
    for arguments, words in (
        (["separate", song, "--stems", "vocals", "drums"], "arguments: drums; separate stems with commas, like"),
        (["render", song, "-o", "o.wav", "--gain", "vocals", "-inf"], "arguments: -inf; write STEM=GAIN, like"),
        (["separate", song, "--no-such"], "separate: unrecognized arguments: --no-such\n"),
        (["separate", song, "-o", "out", "b.wav"], "put all inputs together, before or after the options"),
        (["separate", song, "--start", "1:3x"], "argument --start: is '1:3x', should be seconds, or like 1:30"),
        (["render", song], "the following arguments are required: -o/--output"),
    ):
        refused(capsys, arguments, words)


def test_what_is_nearly_right_says_what_is(song, tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    for arguments, words in (
        (["render", song, "-o", "o.wav", "--gain", "vocal=-6"], "no stem 'vocal', did you mean 'vocals'? It has: "),
        (["render", song, "-o", "folder"], "folder: is a folder; name the file to write, like folder/mix.wav"),
        (["render", song, "-o", "mix"], "mix: has no ending that says the format; name it like mix.wav"),
        (["separate", song, "--stems", "instrumental"], "no stem 'instrumental'; --two-stems vocals writes it"),
        (["separate", song, "--stems", "no_drums"], "no stem 'no_drums'; --two-stems drums writes it"),
        (["separate", song, "--start", "1:30"], "has nothing from 90 s on; it is 1.00 s long"),
        (
            ["separate", song, "--name", "{track}-{stem}"],
            "has no ending, or another than the format's; it needs .{ext}",
        ),
        (["separate", song, "--name", "{track}-{stem}.wav", "--format", "flac"], "another than the format's"),
    ):
        fails(capsys, arguments, words)
    assert check_template("{track}-{stem}.WAV", 4, "wav") == "{track}-{stem}.WAV"


def test_times_with_colons():
    for text, expected in (("0:59.25", 59.25), ("90:00", 5400), ("2:03:04", 7384), ("-1", -1), ("1e1", 10)):
        assert seconds(text) == expected
    for text in ("1:60", "1:2:3:4", "1:60:00", ":5", "1:-5"):
        with pytest.raises(Exception, match="should be seconds, or like 1:30"):
            seconds(text)


def test_a_model_that_is_here_in_another_spelling_is_not_to_be_added(tmp_path, tiny_models, monkeypatch):
    build_model(tmp_path / "here", name="htdemucs_ft")
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path / "here"))
    with pytest.raises(ModelError, match="no model called 'htdemucs-ft', did you mean 'htdemucs_ft'"):
        stemlane.Separator("htdemucs-ft")
