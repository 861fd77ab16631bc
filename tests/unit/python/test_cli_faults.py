# SPDX-License-Identifier: MIT
"""What can go wrong with the command line's files: refused before the work, or nothing half-written is left."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from support.command_line import RATE, command, everything_in, fails, noise, write


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
        ([good, "--model", "nope"], "no model called 'nope'; there are: live, mix"),
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
    for row, source, words in zip(
        rows, sources[1:4], ("sample 30000 of channel 1 is nan", "no format", "no such file"), strict=True
    ):
        assert row.startswith(f"stemlane:   {source}  ") and words in row


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
