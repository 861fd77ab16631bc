# SPDX-License-Identifier: MIT
"""Commands in odd surroundings: closed and full streams, names of any bytes, empty arguments, early interrupts."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from stemlane.cli import main as cli

STEMS = ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]


@pytest.fixture
def recording(tmp_path, tiny_models):
    """The path of a second of noise."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.random.default_rng(3).uniform(-0.5, 0.5, (44100, 2)), 44100, subtype="FLOAT")
    return path


def shell(redirections, *arguments, **surroundings):
    """Run a command with redirections of the shell."""
    line = f'exec "$0" -m stemlane "$@" {redirections}'
    surroundings = {**os.environ, "PYTHONUNBUFFERED": "", **surroundings}
    return subprocess.run(
        ["sh", "-c", line, sys.executable, *arguments],
        env=surroundings, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(recording, tmp_path, closed):
    done = shell(closed, "separate", str(recording), "-o", str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(os.listdir(tmp_path / "out" / "a")) == STEMS


def test_a_closed_stream_is_not_reported_elsewhere():
    done = shell("2>&-", "separate", "none.wav", "-o", "out")
    assert (done.returncode, done.stdout) == (1, b"")


def test_no_room_for_what_is_printed(tiny_models):
    done = shell(">/dev/full", "models", "list")
    assert done.returncode == 1
    assert done.stderr == b"stemlane: standard output: cannot be written (No space left on device)\n"


@pytest.mark.parametrize("name, encoding, printed", [
    (b"\xff\xfe.\xe4.wav", "utf-8", b"\xff\xfe.\xe4"),
    ("音ö.wav".encode(), "utf-8", "音ö".encode()),
    ("音ö.wav".encode(), "latin-1", b"\\u97f3\xf6"),
], ids=["no text", "text", "not in the locale"])  # fmt: skip
def test_names_of_any_bytes(recording, tmp_path, name, encoding, printed):
    folder = os.fsencode(tmp_path)
    os.rename(recording, os.path.join(folder, name))
    done = shell("", "separate", os.path.join(folder, name), "-o", folder, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert os.path.basename(done.stdout) == printed + b"\n"
    assert sorted(os.listdir(os.path.join(folder, name.removesuffix(b".wav")))) == [stem.encode() for stem in STEMS]


def test_names_of_the_greatest_length(recording, tmp_path, capsys):
    longest = "n" * 251 + ".wav"
    os.rename(recording, tmp_path / longest)
    assert cli.main(["separate", str(tmp_path / longest), "-o", str(tmp_path)]) == 0
    assert cli.main(["render", str(tmp_path / longest), "-o", str(tmp_path / longest.replace("n", "m"))]) == 0
    capsys.readouterr()
    for arguments in (["separate", "o" * 300, "-o", "x"], ["models", "show", "o" * 300]):
        assert cli.main(arguments) == 1
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "File name too long" in err and "unexpected" not in err


@pytest.mark.parametrize("arguments", [
    ["separate", "", "-o", "x"],
    ["separate", "a.wav", "-o", ""],
    ["separate", "a.wav", "-o", "x", "--stems", " , "],
    ["render", "a.wav", "-o", " "],
    ["render", "a.wav", "-o", "x.wav", "--automation", ""],
    ["evaluate", ""],
    ["models", "add", "spleeter:2stems", "--from", ""],
])  # fmt: skip
def test_empty_arguments(capsys, arguments):
    """What a shell makes of a variable that is not set must not mean the current folder."""
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith("is empty\n")


def test_interrupted_before_it_begins(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_parser", lambda: os.kill(os.getpid(), signal.SIGINT))
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err == "stemlane: interrupted\n"
