# SPDX-License-Identifier: MIT
"""Commands in odd surroundings: closed and full streams, names of any bytes, empty arguments, early interrupts."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from stemlane.cli import main as cli
from support.tiny_models import build_model, change_manifest

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


HOSTILE = "a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp\nb"


def on_a_terminal(*arguments, folder):
    """Everything that a command writes to a terminal that is its standard output and error."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "stemlane", *arguments], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder
    )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more
        while piece := os.read(ours, 4096):
            seen += piece
    os.close(ours)
    return process.wait(60), seen.replace(b"\r\n", b"\n").decode()


def test_control_characters_do_not_reach_a_terminal(recording, tmp_path):
    os.rename(recording, tmp_path / f"{HOSTILE}.wav")
    (tmp_path / f"{HOSTILE}.mp3").write_text("<html>", encoding="utf-8")
    shown = r"a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp\nb"
    status, seen = on_a_terminal("separate", f"{HOSTILE}.wav", "-o", "out", folder=tmp_path)
    assert status == 0 and seen.replace("\r\x1b[K", "\n").splitlines()[-1] == f"out/{shown}"
    assert not set("\x07\x9b\u202e") & set(seen) and "\x1b]" not in seen and "\x1b[2J" not in seen
    for arguments in (
        ["separate", f"{HOSTILE}.mp3", "-o", "out"],
        ["separate", f"{HOSTILE}.mp3", "absent.wav", "-o", "out"],
        ["render", f"{HOSTILE}.mp3", "-o", "out.wav"],
        ["models", "show", HOSTILE],
        ["evaluate", HOSTILE],
        ["separate", "a.wav", "-o", "out", f"--{HOSTILE}"],
        [HOSTILE],
    ):
        status, seen = on_a_terminal(*arguments, folder=tmp_path)
        seen = re.sub(r"\r([^\r]*)\x1b\[K", r"\n\1\n", seen)  # a bar, which comes where there is a wait
        assert status in (1, 2) and (shown in seen or shown.replace(r"\n", " ") in seen)  # errors are one line
        assert not [character for character in seen if not character.isprintable() and character != "\n"]
    # A program that reads the names gets them as they are.
    done = shell("", "separate", str(tmp_path / f"{HOSTILE}.wav"), "-o", str(tmp_path))
    assert done.stdout.decode() == f"{tmp_path}/{HOSTILE}\n"


def test_what_models_say_of_themselves_does_not_steer_a_terminal(tmp_path, monkeypatch, capsys):
    folder = build_model(tmp_path)
    change_manifest(folder, "title", r'"x\u001b[2Jy"')
    change_manifest(folder, "licence", r'"x\u001b]0;y"')
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    # A manifest that says such things is refused: the list says why, to show it is an error.
    for arguments, expected in ((["models", "list"], 0), (["models", "show", "tiny"], 1)):
        status, seen = on_a_terminal(*arguments, folder=tmp_path)
        assert status == expected and "\x1b" not in seen and "x\\x1b" in seen


IGNORING = """
import os, signal, sys
from stemlane.cli import main as cli, separate
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
run = separate.run

def run_and_signal(options):
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(os.getpid(), number)
    return run(options)

separate.run = run_and_signal
sys.exit(cli.main(sys.argv[1:]))
"""


def test_signals_that_are_ignored_stay_ignored(recording, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", IGNORING, "separate", str(recording), "-o", str(tmp_path / "out")], check=False
    )
    assert done.returncode == 0 and sorted(os.listdir(tmp_path / "out" / "a")) == STEMS


def test_a_command_in_another_thread(recording, tmp_path):
    with ThreadPoolExecutor() as pool:
        assert pool.submit(cli.main, ["separate", str(recording), "-o", str(tmp_path / "out")]).result(60) == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["--help"], ["models", "list"], ["separate", "a.wav", "-o", "out"]])
def test_no_room_for_what_any_command_prints(recording, tmp_path, arguments, unbuffered, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = shell(">/dev/full", *arguments, PYTHONUNBUFFERED=unbuffered)
    words = b"stemlane: standard output: cannot be written (No space left on device)\n"
    assert (done.returncode, done.stderr) == (1, words)


def test_names_of_the_greatest_length(recording, tmp_path, capsys):
    longest = "n" * 251 + ".wav"
    os.rename(recording, tmp_path / longest)
    assert cli.main(["separate", str(tmp_path / longest), "-o", str(tmp_path)]) == 0
    assert cli.main(["render", str(tmp_path / longest), "-o", str(tmp_path / longest.replace("n", "m"))]) == 0
    capsys.readouterr()
    for arguments, words in (
        (["separate", "o" * 300, "-o", "x"], "File name too long"),
        (["models", "show", "o" * 300], "no model called 'ooo"),
    ):
        assert cli.main(arguments) == 1
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and words in err and "unexpected" not in err


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
    assert capsys.readouterr().err.splitlines()[0].endswith("is empty")


def test_interrupted_before_it_begins(monkeypatch, capsys):
    monkeypatch.setattr(cli, "build_parser", lambda: signal.raise_signal(signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs the tests may ignore interrupts
    try:
        assert cli.main(["doctor"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "stemlane: interrupted\n"


def test_without_memory(monkeypatch, capsys):
    """No "unexpected", which would sound like a fault of the program."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cli, "build_parser", fail)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == (
        "stemlane: there is not enough memory: close other programs, or choose a smaller model\n"
    )
