# SPDX-License-Identifier: MIT
"""`stemlane separate` as a user meets it: files, folders, pipes, lists, formats, what it prints."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from stemlane.files import separating
from support.command_line import RATE, everything_in, fails, noise, write
from support.tiny_models import build_model


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
    for command in (["separate", "-"], ["render", "-", "-o", "out.wav"]):
        done = piped(b"no audio", *command)
        assert done.returncode == 1 and done.stderr.startswith(b"stemlane: -: cannot be read as audio")
    done = piped(b"no audio", "separate", "-", "a.wav", "--stems", "bass", "--json", "--status", "status")
    lines = [json.loads(line)["input"] for line in done.stdout.splitlines()]
    assert lines == ["-", "a.wav"] and b"stdin" not in done.stdout + done.stderr
    assert {json.loads(line)["input"] for line in (tmp_path / "status").read_text().splitlines()} == {"-", "a.wav"}
    (tmp_path / "status").unlink()
    loud = Path(write(tmp_path / "b.wav", 3 * mixture)).read_bytes()
    (tmp_path / "b.wav").unlink()
    done = piped(loud, "separate", "-", "--stems", "vocals", "--bits", "16", "-o", "-")
    assert done.stderr.startswith(b"stemlane: warning: standard output: clipped, its peak was 1.35")
    assert everything_in(tmp_path) == ["a.wav", "stems", "stems/a", "stems/a/bass.wav"]


def test_json_is_unicode_whatever_a_file_is_called(tmp_path, tiny_models, capsys):
    """Python keeps bytes that are no UTF-8 as lone surrogates, which strict parsers of JSON refuse."""
    bad = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    arguments = ["separate", os.fsdecode(bad), "-o", str(tmp_path / "o"), "--json"]
    assert main([*arguments, "--status", str(tmp_path / "s")]) == 1
    for text in (capsys.readouterr().out, (tmp_path / "s").read_text(encoding="utf-8")):
        line = json.loads(text)
        assert line["input"] == f"{tmp_path}/caf\ufffd.wav" and line["problem"].startswith(line["input"])
        json.dumps(line, ensure_ascii=False).encode("utf-8")
    os.rename(write(tmp_path / "a.wav", noise(1, RATE)), bad)
    assert main([*arguments, "--progress"]) == 0
    *progress, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert {line["stage"] for line in progress} == {done["input"]} == {f"{tmp_path}/caf\ufffd.wav"}
    assert set(done["outputs"].values()) == {f"{tmp_path}/o/caf\ufffd/{stem}.wav" for stem in done["outputs"]}


def test_one_long_name_does_not_push_all_reasons_away(tmp_path, tiny_models, capsys):
    long = "l" * 90 + ".wav"
    assert main(["separate", "a.wav", long, "longer.wav", "-o", str(tmp_path / "o")]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "stemlane: 3 of 3 recordings could not be separated:", "stemlane:   a.wav       no such file",
        f"stemlane:   {long}  no such file", "stemlane:   longer.wav  no such file",
    ]  # fmt: skip


def outline(path):
    """The largest of every 128 samples of a file, in whole per cent: no more than 400 columns hold a second."""
    samples = np.abs(soundfile.read(path, always_2d=True, dtype="float32")[0]).max(axis=1)
    return [round(100 * float(samples[start : start + 128].max())) for start in range(0, len(samples), 128)]


def test_programs_get_a_line_for_every_recording(tmp_path, tiny_models, capsys):
    good = write(tmp_path / "a.wav", noise(1, RATE))
    bad = str(tmp_path / "absent.wav")
    arguments = ["separate", good, bad, "-o", str(tmp_path / "o"), "--two-stems", "vocals", "--json", "-q"]
    assert main(arguments) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first.pop("elapsed_seconds") > 0 and second.pop("elapsed_seconds") >= 0
    folder = tmp_path / "o" / "a"
    outputs = {stem: str(folder / f"{stem}.wav") for stem in ("vocals", "instrumental")}
    waveforms = {stem: outline(path) for stem, path in outputs.items()}
    assert first == {
        "input": good, "state": "done", "problem": None, "warnings": [], "outputs": outputs, "seconds": 1.0,
        "provider": "cpu", "waveforms": waveforms,
    }  # fmt: skip
    problem = f"{bad}: no such file"
    assert second == {
        "input": bad, "state": "failed", "problem": problem, "warnings": [], "outputs": {}, "seconds": 0.0,
        "provider": None, "waveforms": {},
    }  # fmt: skip
    assert main([*arguments[:2], *arguments[3:], "--skip-existing"]) == 0
    skipped = json.loads(capsys.readouterr().out)
    assert skipped["state"] == "skipped" and skipped["waveforms"] == {}
    assert main([*arguments[:2], *arguments[3:], "--skip-existing", "--progress"]) == 0
    *_, skipped = map(json.loads, capsys.readouterr().out.splitlines())
    assert skipped["state"] == "skipped" and skipped["waveforms"] == waveforms


def test_programs_get_the_progress_if_they_want_it(tmp_path, tiny_models, capsys):
    path = write(tmp_path / "a.wav", noise(1, 10 * RATE))
    assert main(["separate", path, "-o", str(tmp_path / "o"), "--json", "--progress"]) == 0
    *steps, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert last["state"] == "done" and steps[-1] == {"stage": path, "done": 1.0, "total": 1.0}
    shares = [step["done"] for step in steps]
    assert shares == sorted(shares) and {step["stage"] for step in steps} == {path}
    with pytest.raises(SystemExit):
        main(["separate", path, "--progress"])
    assert "--progress is for programs and needs --json" in capsys.readouterr().err


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
    assert capsys.readouterr().err == "stemlane: 1 of 1 recording had stems already\n"


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


def test_a_song_whose_stems_would_be_in_the_way_is_not_separated_first(tmp_path, tiny_models, capsys, monkeypatch):
    for name, seconds in (("first", 1), ("second", 2)):
        write(tmp_path / name / "song.wav", noise(2, seconds * RATE))
    assert main(["separate", str(tmp_path / "first" / "song.wav"), "-o", str(tmp_path / "out")]) == 0
    separated = []
    monkeypatch.setattr(separating, "staged_results", lambda *arguments: separated.append(arguments))
    assert main(["separate", str(tmp_path / "second" / "song.wav"), "-o", str(tmp_path / "out")]) == 1
    assert "holds a stem of another recording" in capsys.readouterr().err
    assert separated == []
