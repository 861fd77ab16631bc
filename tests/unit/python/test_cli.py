# SPDX-License-Identifier: MIT
"""The command line as a user meets it: files, exit status, one-line problems, nothing half-written."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.files.rendering import render_file
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter

RATE = 44100


def noise(num_channels, num_samples):
    return np.random.default_rng(43).uniform(-0.9, 0.9, (num_channels, num_samples)).astype(np.float32)


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.T, rate, subtype="FLOAT")
    return str(path)


def fails(capsys, arguments, words):
    """The command fails with one line on standard error that holds `words`."""
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("stemlane: ") and captured.err.count("\n") == 1
    assert words in captured.err


def everything_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("file_format", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("num_channels, rate", [(1, 44100), (2, 48000)])
def test_separate(tmp_path, tiny_models, capsys, file_format, num_channels, rate):
    mixture = noise(num_channels, 30001)
    source = write(tmp_path / "Größe & Ähre" / "mein lied.v1.wav", mixture, rate)
    out = tmp_path / "a b" / "ö"
    assert main(["separate", source, "-o", str(out), "--format", file_format]) == 0
    folder = out / "mein lied.v1"
    assert capsys.readouterr().out.strip() == str(folder)
    assert everything_in(folder) == sorted(f"{stem}.{file_format}" for stem in ("vocals", "drums", "bass", "other"))
    total = np.zeros((num_channels, 30001))
    for path in folder.iterdir():
        samples, found_rate = soundfile.read(path, always_2d=True)
        assert (found_rate, samples.T.shape) == (rate, mixture.shape)
        total += samples.T
    if file_format != "ogg":
        np.testing.assert_allclose(total, mixture, atol=1e-6)  # four roundings to 24 bits


def test_separate_many_and_chosen_stems(tmp_path, tiny_models):
    sources = [write(tmp_path / f"{name}.wav", noise(1, 5000)) for name in ("a", "b")]
    out = tmp_path / "out"
    assert main(["separate", *sources, "-o", str(out), "--stems", "drums, vocals", "--model", "live"]) == 0
    assert everything_in(out) == ["a", "a/drums.wav", "a/vocals.wav", "b", "b/drums.wav", "b/vocals.wav"]


def test_separate_refuses_and_leaves_nothing(tmp_path, tiny_models, capsys):
    good = write(tmp_path / "in" / "good.wav", noise(2, 5000))
    same = write(tmp_path / "in" / "other" / "good.flac.wav", noise(2, 5000))
    os.rename(same, tmp_path / "in" / "other" / "good.flac")
    broken = noise(2, 40000)
    broken[0, 30000] = np.nan
    nan = write(tmp_path / "in" / "nan.wav", broken)
    eight = write(tmp_path / "in" / "eight.wav", noise(8, 100))
    none = write(tmp_path / "in" / "none.wav", noise(2, 0))
    text = tmp_path / "in" / "text.wav"
    text.write_text("hello", encoding="utf-8")
    out = ["-o", str(tmp_path / "out" / "deep")]
    before = everything_in(tmp_path)
    for arguments, words in [
        ([nan], "nan.wav: sample 30000 of channel 0 is nan"),
        ([eight], "8 channels: only mono or stereo"),
        ([none], "holds 0 samples"),
        ([str(text)], "cannot be read as audio"),
        ([str(tmp_path / "absent.wav")], "no such file"),
        ([good, str(tmp_path / "in" / "other" / "good.flac")], "would both go to"),
        ([good, "--model", "nope"], "no model called 'nope'; there is: live, mix"),
        ([good, "--stems", "piano"], "has no stem 'piano', it has: vocals, drums"),
        ([good, "--format", "aiff"], "format 'aiff' cannot be written"),
    ]:
        fails(capsys, ["separate", *arguments, *out], words)
        assert everything_in(tmp_path) == before


def test_one_damaged_file_does_not_end_a_batch(tmp_path, tiny_models, capsys):
    sources = [write(tmp_path / f"{name}.wav", noise(2, 5000)) for name in ("a", "nan", "z")]
    broken = noise(2, 40000)
    broken[1, 30000] = np.nan
    write(tmp_path / "nan.wav", broken)
    (tmp_path / "page.mp3").write_text("<html>", encoding="utf-8")
    sources[2:2] = [str(tmp_path / "page.mp3"), str(tmp_path / "absent.wav")]
    out = tmp_path / "out"
    assert main(["separate", *sources, "-o", str(out), "--stems", "vocals"]) == 1
    captured = capsys.readouterr()
    assert captured.out.split() == [str(out / "a"), str(out / "z")]
    assert everything_in(out) == ["a", "a/vocals.wav", "z", "z/vocals.wav"]
    head, *rows = captured.err.splitlines()
    assert head == "stemlane: 3 of 5 recordings could not be separated:"
    width = max(map(len, sources[1:4]))
    for row, source, words in zip(
        rows, sources[1:4], ("sample 30000 of channel 1 is nan", "no format", "no such file"), strict=True
    ):
        assert row.startswith(f"stemlane:   {source:<{width}}  ") and words in row[width:]


def test_obstacles_are_found_before_the_work(tmp_path, tiny_models, capsys, monkeypatch):
    sources = [write(tmp_path / f"{name}.wav", noise(2, 5000)) for name in ("a", "b")]
    out = tmp_path / "out"
    (out / "b" / "vocals.wav").mkdir(parents=True)
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "b").write_text("mine", encoding="utf-8")
    before = everything_in(tmp_path)
    for place, words in [
        (out, "b/vocals.wav: is a folder, should be the name of a file to write"),
        (tmp_path / "file" / "deep", "file: is not a folder"),
        (tmp_path / "c", "c/b: is not a folder, so "),
    ]:
        fails(capsys, ["separate", *sources, "-o", str(place)], words)
        assert everything_in(tmp_path) == before


@pytest.mark.parametrize("name, folder", [("...wav", "___wav"), ("..wav", "__wav"), ("....", "____"), (".wav", ".wav")])
def test_stems_never_leave_the_folder_whatever_the_name(tmp_path, tiny_models, name, folder):
    source = write(tmp_path / "in" / "a.wav", noise(1, 5000))
    os.rename(source, tmp_path / "in" / name)
    (tmp_path / "vocals.wav").write_text("mine", encoding="utf-8")
    assert main(["separate", str(tmp_path / "in" / name), "-o", str(tmp_path / "out"), "--stems", "vocals"]) == 0
    assert everything_in(tmp_path) == sorted(
        ["in", f"in/{name}", "out", f"out/{folder}", f"out/{folder}/vocals.wav", "vocals.wav"]
    )
    assert (tmp_path / "vocals.wav").read_text(encoding="utf-8") == "mine"


def test_a_later_run_removes_what_a_killed_one_left(tmp_path, tiny_models):
    source = write(tmp_path / "long.wav", np.tile(noise(2, RATE), (1, 600)))
    short = write(tmp_path / "short.wav", noise(2, 5000))
    for name, place, output in (("separate", tmp_path / "out", "out"), ("render", tmp_path, "r.wav")):
        process = command(name, source, "-o", str(tmp_path / output))
        deadline = time.monotonic() + 60
        while not list(place.glob(".stemlane-*.partial")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.communicate(timeout=60)
        assert list(place.glob(".stemlane-*.partial"))
    assert main(["separate", short, "-o", str(tmp_path / "out"), "--stems", "vocals"]) == 0
    assert main(["render", short, "-o", str(tmp_path / "r.wav")]) == 0
    assert everything_in(tmp_path) == ["long.wav", "out", "out/short", "out/short/vocals.wav", "r.wav", "short.wav"]


def test_folders_lists_and_patterns(tmp_path, tiny_models, capsys, monkeypatch):
    for name in ("music/a.wav", "music/sub/b.wav", "c.wav", "d e.wav"):
        write(tmp_path / name, noise(1, 5000))
    (tmp_path / "music" / "note.txt").write_text("no music", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").write_text("c.wav\nd e.wav\n\n", encoding="utf-8")
    only = ["--stems", "vocals", "--name", "{track}-{stem}.{ext}"]
    assert main(["separate", "music", "--from-list", "list", *only]) == 0  # into the usual folder
    files = ["a-vocals.wav", "c-vocals.wav", "d e-vocals.wav", "sub", "sub/b-vocals.wav"]
    assert everything_in(tmp_path / "stems") == files
    assert capsys.readouterr().out.split("\n") == [
        "stems/a-vocals.wav", "stems/sub/b-vocals.wav", "stems/c-vocals.wav", "stems/d e-vocals.wav", "",
    ]  # fmt: skip
    assert main(["separate", "*.wav", "-o", "music/out", *only]) == 0
    assert everything_in(tmp_path / "music" / "out") == ["c-vocals.wav", "d e-vocals.wav"]
    assert main(["separate", "music", "-o", "music/out", *only]) == 0  # not its own results
    assert everything_in(tmp_path / "music" / "out") == files
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    for arguments, words in [
        (["--from-list", "empty"], "empty: the list holds no names"),
        (["--from-list", "none"], "none: the list cannot be read (No such file or directory)"),
        (["*.ogg"], "*.ogg: no audio file is there"),
    ]:
        fails(capsys, ["separate", *arguments], words)


def test_pipes(tmp_path):
    mixture = noise(2, 30_000)
    model = str(build_model(tmp_path.parent / "pipes"))
    wav = Path(write(tmp_path / "a.wav", mixture)).read_bytes()

    def piped(data, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "stemlane", *arguments, "--model", model],
            input=data, capture_output=True, check=False, cwd=tmp_path,
        )  # fmt: skip

    done = piped(wav, "separate", "-", "--stems", "vocals", "-o", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    np.testing.assert_allclose(soundfile.read(io.BytesIO(done.stdout))[0].T, mixture / 2, atol=1e-6)
    done = piped(wav, "render", "-", "-o", "-", "--gain", "vocals=-inf")
    assert (done.returncode, done.stderr) == (0, b"")
    np.testing.assert_allclose(soundfile.read(io.BytesIO(done.stdout))[0].T, mixture / 2, atol=1e-6)
    done = piped(b"a.wav\0", "separate", "--from-list", "-", "--stems", "bass")
    assert done.returncode == 0 and everything_in(tmp_path / "stems") == ["a", "a/bass.wav"]
    for arguments, words in [
        (["-", "-o", "-"], b"-o - takes one recording and one stem"),
        (["-", "-o", "-", "--stems", "bass", "--format", "mp3"], b"-o - takes one recording and one stem, as WAV"),
    ]:
        done = piped(wav, "separate", *arguments)
        assert done.returncode == 1 and words in done.stderr and done.stdout == b""
    done = piped(b"no audio", "separate", "-")
    assert done.returncode == 1 and b"cannot be read as audio" in done.stderr
    assert everything_in(tmp_path) == ["a.wav", "stems", "stems/a", "stems/a/bass.wav"]


def test_programs_get_a_line_for_every_recording(tmp_path, tiny_models, capsys):
    good = write(tmp_path / "a.wav", noise(1, RATE))
    bad = str(tmp_path / "absent.wav")
    arguments = ["separate", good, bad, "-o", str(tmp_path / "o"), "--two-stems", "vocals", "--json", "-q"]
    assert main(arguments) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first.pop("elapsed_seconds") > 0 and second.pop("elapsed_seconds") >= 0
    folder = tmp_path / "o" / "a"
    outputs = {stem: str(folder / f"{stem}.wav") for stem in ("vocals", "instrumental")}
    assert first == {
        "input": good, "state": "done", "problem": None, "warnings": [], "outputs": outputs, "seconds": 1.0,
    }  # fmt: skip
    problem = f"{bad}: no such file"
    assert second == {
        "input": bad, "state": "failed", "problem": problem, "warnings": [], "outputs": {}, "seconds": 0.0,
    }  # fmt: skip
    assert main([*arguments[:2], *arguments[3:], "--skip-existing"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "skipped"


def test_quiet_and_verbose(tmp_path, tiny_models, capsys):
    source = write(tmp_path / "a.wav", noise(1, RATE))
    arguments = ["separate", source, "-o", str(tmp_path / "o")]
    assert main([*arguments, "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main([*arguments, "-v"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path}/o/a\n"
    assert "Separator('mix') of vocals, drums, bass, other at 44100 Hz" in err
    assert f"{source}: 1.0 s in " in err and "× real time" in err
    assert main([*arguments, "--skip-existing"]) == 0
    assert capsys.readouterr().err == "stemlane: 1 of 1 recordings had their stems already\n"


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


@pytest.mark.parametrize("name", ["separate", "render", "evaluate", "bench", "doctor", "models add", "plugin install"])
def test_every_help_has_examples(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*name.split(), "--help"])
    assert stop.value.code == 0
    examples = capsys.readouterr().out.partition("\nexamples:\n")[2]
    assert f"  stemlane {name}" in examples
    assert all(len(line) <= 100 for line in examples.splitlines())


def test_the_page_on_files_names_no_missing_option(capsys):
    page = (Path(__file__).resolve().parents[3] / "docs" / "FILES.md").read_text(encoding="utf-8")
    before, _, table = page.partition("## For those who come from")
    ours = before + "".join(
        row.split("|")[2] for row in table.splitlines() if row.startswith("| ") and " | no: " not in row
    )
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(re.findall(r"`([^`]+)`", ours))))
    helps = ""
    for name in ("separate", "models add"):
        with pytest.raises(SystemExit):
            main([*name.split(), "--help"])
        helps += capsys.readouterr().out
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", helps))
    assert {"--name", "--skip-existing", "-j", "--wiener", "--bits"} <= named <= known


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
    write(tmp_path / "song" / "vocals.wav", mixture)
    write(tmp_path / "song" / "accompaniment.wav", mixture / 2)
    assert main(["evaluate", str(tmp_path / "song"), "--model", "two", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["stems"] == ["vocals", "accompaniment"]


def test_clipped_stems_are_reported(tmp_path, tiny_models, capsys):
    source = write(tmp_path / "loud.wav", 4 * noise(1, 5000))
    assert main(["render", source, "-o", str(tmp_path / "LOUD.WAV")]) == 0
    assert capsys.readouterr().err == ""  # float keeps what is above full scale, in upper case too
    assert main(["separate", source, "-o", str(tmp_path / "out"), "--format", "flac"]) == 0
    assert "vocals.flac: clipped, its peak was 1." in capsys.readouterr().err


def test_recordings_that_are_cut_off_are_reported(tmp_path, tiny_models, capsys):
    for name in ("a.wav", "b.aiff", "c.flac"):
        soundfile.write(tmp_path / name, noise(2, 20_000).T, RATE)
        arguments = ["separate", str(tmp_path / name), "-o", str(tmp_path / "out")]
        assert main(arguments) == 0 and capsys.readouterr().err == ""
        if name != "c.flac":
            whole = (tmp_path / name).read_bytes()
            (tmp_path / name).write_bytes(whole[:-10_001])
            assert main(arguments) == 0
            words = f"{name}: is cut off, 10001 of {len(whole)} bytes are missing; what is there is used\n"
            assert capsys.readouterr().err.endswith(words)
            assert main(["render", arguments[1], "-o", str(tmp_path / "out.wav")]) == 0
            assert words in capsys.readouterr().err
    unknown = bytearray((tmp_path / "a.wav").read_bytes())
    for position in (4, unknown.index(b"data") + 4):
        unknown[position : position + 4] = b"\xff\xff\xff\xff"  # what is written where the size is not known yet
    (tmp_path / "a.wav").write_bytes(unknown)
    assert main(["separate", str(tmp_path / "a.wav"), "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == ""


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


def test_messages_name_the_file_that_was_asked_for(tmp_path, tiny_models):
    source = write(tmp_path / "long.wav", noise(2, 40_000))
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from stemlane.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "separate", source, "-o", "out"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.startswith("stemlane: out/long/vocals.wav: cannot be written (")
    assert everything_in(tmp_path) == ["long.wav"]


def test_models(tiny_models, capsys):
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "mix, default" in out and "Tiny live: vocals, drums, bass, other at 44100 Hz" in out
    assert main(["models", "show", "default"]) == 0
    out = capsys.readouterr().out
    assert "3584 samples" in out and "221 ms at 44100 Hz" in out and "built by the tests" in out
    assert main(["models", "verify", "live"]) == 0
    fails(capsys, ["models", "show", "nope"], "no model called 'nope'")


def test_models_that_can_be_added_are_listed(tiny_models, capsys):
    assert main(["models", "list", "--available"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 13 and rows[0] == "spleeter:2stems        vocals, accompaniment; MIT (Deezer SA)"
    assert any("umxl" in row and "not for commercial use" in row for row in rows)
    assert any(row.startswith("htdemucs_6s ") and "vocals, drums, bass, guitar, piano, other;" in row for row in rows)


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


def test_evaluate(tmp_path, tiny_models, capsys):
    for name in ("vocals", "drums"):
        write(tmp_path / "song" / f"{name}.wav", noise(2, RATE))
    assert main(["evaluate", str(tmp_path), "--model", "live", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)[0]
    assert table["song"] == "song" and table["rows"]["live"]["results"][0]["sdr_db"] is not None
    assert main(["evaluate", str(tmp_path), "--model", "live"]) == 0
    assert "ideal mask" in capsys.readouterr().out
    fails(capsys, ["evaluate", str(tmp_path / "none")], "no such folder")


def test_unexpected_errors_have_no_traceback(monkeypatch, capsys):
    from stemlane.manifests import registry

    monkeypatch.delenv("STEMLANE_DEBUG", raising=False)
    monkeypatch.setattr(registry, "list_models", lambda: 1 / 0)
    fails(capsys, ["models", "list"], "unexpected: ZeroDivisionError: division by zero")


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "stemlane", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_usage_errors_and_version():
    process = command("separate")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "usage:" in err and "Traceback" not in err
    process = command("--version")
    assert process.communicate(timeout=60)[0].startswith("stemlane 0.")


@pytest.mark.parametrize("signal_number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_interrupted_work_leaves_nothing(tmp_path, tiny_models, signal_number, status):
    source = tmp_path / "long.wav"
    write(source, np.tile(noise(2, RATE), (1, 600)))
    # Whoever runs the tests may ignore the signal, as nohup does, and children inherit that.
    process = command(
        "separate",
        str(source),
        "-o",
        str(tmp_path / "out"),
        preexec_fn=lambda: signal.signal(signal_number, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "out").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal_number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("Traceback")) == (status, 0), err
    assert everything_in(tmp_path) == ["long.wav"]


def test_memory_does_not_grow_with_the_length(tmp_path, tiny_models):
    """Two minutes more of stereo are 42 MB for every copy in memory; not even a quarter of that may be added."""
    script = (
        "import sys; from stemlane.cli.main import main; print(main(sys.argv[1:])); "
        "print(open('/proc/self/status').read())"
    )

    def highest_mib(seconds):
        source = tmp_path / f"{seconds}.flac"
        soundfile.write(source, np.zeros((seconds * RATE, 2), np.float32), RATE)
        arguments = ["separate", str(source), "-o", str(tmp_path / "out"), "--format", "flac", "--stems", "vocals"]
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
        line = next(line for line in done.stdout.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    assert highest_mib(130) - highest_mib(10) < 10
