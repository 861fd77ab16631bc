# SPDX-License-Identifier: MIT
"""A progress bar on the terminal, and nothing where there is none."""

import sys
import time
from typing import Self

from stemlane.cli.output import printable


class Progress:
    """Shows how much of `total` is done on standard error, at most ten times a second, if that is a terminal.

    Use it as a context manager and call it with what was done since the last call.
    """

    _WIDTH = 30

    def __init__(self, label: str, total: float):
        self._label, self._total, self._done = printable(label), max(total, 1), 0.0
        self._start = time.monotonic()
        self._next_draw = self._start + 0.2
        self._drawn = False
        self._visible = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __call__(self, amount: float) -> None:
        """Count what was done since the last call."""
        self._done += amount
        now = time.monotonic()
        if self._visible and now >= self._next_draw:
            self._next_draw = now + 0.1
            self._drawn = True
            share = min(self._done / self._total, 1.0)
            left = (now - self._start) * (1 / share - 1) if share else 0
            bar = "#" * round(share * self._WIDTH)
            print(
                f"\r{self._label} [{bar:<{self._WIDTH}}] {share:4.0%}, {left:.0f} s left \x1b[K",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


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
