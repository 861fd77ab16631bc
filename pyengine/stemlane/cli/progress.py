# SPDX-License-Identifier: MIT
"""Progress: a bar on the terminal and nothing where there is none, or lines for a program."""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

from stemlane.cli.output import printable, say
from stemlane.json_text import json_text

_MOST_BAR = 30
_LEAST_LABEL = 8


class Progress:
    """Shows how much of `total` is done on standard error, at most ten times a second, if that is a terminal.

    Use it as a context manager and call it with what was done since the last call, from any thread. `total` 0 is not
    known: then there is no bar.
    """

    def __init__(self, label: str, total: float, *, quiet: bool = False):
        self.label = label
        self._total, self._done = total, 0.0
        self._start = time.monotonic()
        self._next_draw = self._start + 0.2
        self._drawn = False
        self._visible = not quiet and sys.stderr.isatty()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __call__(self, amount: float) -> None:
        """Count what was done since the last call."""
        with self._lock:
            self._done += amount
            now = time.monotonic()
            if self._visible and now >= self._next_draw:
                self._next_draw = now + 0.1
                self._drawn = True
                self._draw(now - self._start)

    def _draw(self, seconds: float) -> None:
        share = min(self._done / self._total, 1.0) if self._total else 0.0
        left = seconds * (1 / share - 1) if share else 0.0
        numbers = f" {share:4.0%}, {_time(left)} left" if self._total else f" {_time(seconds)}"
        width = shutil.get_terminal_size().columns - 2  # a blank, and the cursor
        label = printable(self.label)
        bar_width = min(_MOST_BAR, width - len(numbers) - 3 - min(len(label), _LEAST_LABEL))
        bar = f" [{'#' * round(share * bar_width):<{bar_width}}]" if self._total and bar_width >= 5 else ""
        room = max(width - len(bar) - len(numbers), 0)
        if len(label) > room:
            label = label[: max(room - 1, 0)] + "…" * bool(room)
        _show(f"\r{label}{bar}{numbers} \x1b[K")

    def clear(self) -> None:
        """Take the bar away, so that lines can be printed; it comes back with the next call."""
        with self._lock:
            if self._drawn:
                self._drawn = False
                _show("\r\x1b[K")

    def __exit__(self, *_: object) -> None:
        self.clear()


def _show(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody looks any more
        print(text, end="", file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    """Seconds as people say them.

    >>> _time(9.6), _time(3700)
    ('10 s', '1:01:40')
    """
    seconds = round(seconds)
    if seconds < 100:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


class StageProgress:
    """A bar for each stage of a longer work. Call it with a stage's name, what is done of it, and its total."""

    def __init__(self) -> None:
        self._label, self._done = "", 0.0
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, label: str, done: float, total: float) -> None:
        """Show that `done` of the `total` of the stage `label` is done."""
        if self._bar is None or label != self._label or done < self._done:
            self.__exit__()
            self._label, self._bar, self._done = label, Progress(label, total), 0.0
        self._bar(done - self._done)
        self._done = done

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.__exit__()


class JsonProgress:
    """Lines of JSON for a program that shows the progress itself: `stage`, `done` and `total`.

    Called as `StageProgress` is; stages may take turns, as recordings do that are separated side by side. Each has at
    most ten lines a second beside its first and its last, which are never left out.

    Parameters
    ----------
    clock
        Gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}  # when a stage that is not done may have another line

    def __enter__(self) -> Self:
        return self

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Say that `done` of the `total` of `stage` is done; `total` 0 is not known."""
        now = self._clock()
        if done == total:
            self._next.pop(stage, None)
        elif now < self._next.get(stage, now):
            return
        else:
            self._next[stage] = now + 0.1
        say_json({"stage": stage, "done": done, "total": total})

    def __exit__(self, *_: object) -> None:
        pass


def say_json(fields: dict[str, object]) -> None:
    """Print an object as one line, now: whoever reads it waits for it."""
    say(json_text(fields))
    sys.stdout.flush()
