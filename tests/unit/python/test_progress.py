# SPDX-License-Identifier: MIT
"""Bars on a terminal: drawn per stage, cleared at the end, silent elsewhere."""

import io
import json
import os
import sys

import pytest
from stemlane.cli import progress
from stemlane.cli.progress import JsonProgress, Progress, StageProgress, say_json


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self):
        return True


def watch(monkeypatch) -> Terminal:
    """A terminal, and a clock that goes on by a second at every look."""
    times = iter(range(1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


def test_a_bar_is_drawn_and_cleared(monkeypatch):
    terminal = watch(monkeypatch)
    with Progress("song", 200) as bar:
        bar(50)
        bar(50)
    drawn = terminal.getvalue().split("\r")
    assert drawn[1].startswith("song [########                      ]  25%, 3 s left")
    assert drawn[2].startswith("song [###############               ]  50%, 2 s left")
    assert drawn[3] == "\x1b[K"


def test_stages_have_bars_of_their_own(monkeypatch):
    terminal = watch(monkeypatch)
    with StageProgress() as report:
        report("downloading", 50, 100)
        report("downloading", 100, 100)
        report("unpacking", 10, 20)
        report("unpacking", 5, 10)  # the next file
    drawn = terminal.getvalue().split("\r")
    shares = [(line.split()[0], line.partition("%")[0].split()[-1]) for line in drawn if "%" in line]
    assert shares == [("downloading", "50"), ("downloading", "100"), ("unpacking", "50"), ("unpacking", "50")]
    assert drawn[-1] == "\x1b[K" and drawn.count("\x1b[K") == 3


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("label", ["a", "a song with a very long name that no terminal has room for.flac" * 3])
@pytest.mark.parametrize("total", [0, 200])
def test_lines_fit_the_terminal(monkeypatch, columns, label, total):
    terminal = watch(monkeypatch)
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
    with Progress(label, total) as bar:
        bar(50)
        bar.clear()
        bar(50)
    lines = [line.replace("\x1b[K", "") for line in terminal.getvalue().split("\r")]
    assert max(map(len, lines)) < columns
    shown = [line for line in lines if line.strip()]
    assert len(shown) == 2 and all(("%" in line) == bool(total) for line in shown)
    assert all(line.startswith(label[:2]) for line in shown)


def test_names_do_not_steer_the_terminal(monkeypatch):
    terminal = watch(monkeypatch)
    with Progress("a\x1b[2Jb\n", 2) as bar:
        bar(1)
    assert "\x1b[2J" not in terminal.getvalue() and "\n" not in terminal.getvalue()


def test_quiet(monkeypatch):
    terminal = watch(monkeypatch)
    with Progress("a", 2, quiet=True) as bar:
        bar(1)
    assert terminal.getvalue() == ""


def test_nothing_where_nobody_looks(monkeypatch, capsys):
    with Progress("song", 0) as bar, StageProgress() as report:
        bar(1)
        report("stage", 1, 0)
    assert capsys.readouterr().err == ""


def test_programs_get_ten_lines_a_second_and_the_ends_of_each_stage(capsys):
    now = iter(number / 128 for number in range(1000))
    with JsonProgress(clock=lambda: next(now)) as report:
        for done in range(101):
            report("downloading", done, 100)
        report("measuring", 0, 2)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["done"] for line in lines] == [*range(0, 100, 13), 100, 0]
    assert lines[-2] == {"stage": "downloading", "done": 100, "total": 100}
    assert lines[-1] == {"stage": "measuring", "done": 0, "total": 2}


def test_stages_that_take_turns_have_ten_lines_a_second_each(capsys):
    """As recordings that are separated side by side."""
    now = iter(number / 256 for number in range(1000))
    with JsonProgress(clock=lambda: next(now)) as report:
        for done in range(101):
            for song in ("a", "b"):
                report(song, done, 100)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for song in ("a", "b"):
        assert [line["done"] for line in lines if line["stage"] == song] == [*range(0, 100, 13), 100]


def test_lines_for_programs_are_unicode_at_any_depth(capsys):
    """Bytes of a file's name that are not UTF-8 have no place in JSON; a note of music, a pair of surrogates, has."""
    say_json({"question": "caf\udce9?", "added": [{"caf\udce9": "\U0001d160"}], "seconds": 0.1})
    line = capsys.readouterr().out
    assert json.loads(line) == {"question": "caf\ufffd?", "added": [{"caf\ufffd": "\U0001d160"}], "seconds": 0.1}
    assert line.isascii() and "\\udce9" not in line
