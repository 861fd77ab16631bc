# SPDX-License-Identifier: MIT
"""Turns volume envelopes of a REAPER project into gains: those of the tracks that are called like stems."""

import math
import re
from typing import Any

from stemlane.contract import ACCOMPANIMENT, HIGHEST_DB, SILENT_DB, STEM_ORDER
from stemlane.errors import InputError
from stemlane.mix.faders import OUTPUT

_FADERS = (*STEM_ORDER, ACCOMPANIMENT)
_ENVELOPE = re.compile(r"<(MASTER)?VOLENV[23]?$")
# The shapes of REAPER's points that are drawn here. The others are curves whose formulas its maker does not state.
_LINEAR, _SQUARE = 0, 1
_SHAPE_NAMES = {2: "slow start/end", 3: "fast start", 4: "fast end", 5: "Bezier"}
_DEEPEST = 100  # blocks in blocks; REAPER writes some ten


def reaper_points(text: str) -> list[dict[str, Any]]:
    """Breakpoints of a project (.rpp) or track template, as text.

    The track called vocals moves the vocals and so on, the master track the output. An envelope that is bypassed counts
    for nothing. Between two points REAPER draws a straight line, on the scale of its faders or of amplitude; what is on
    its faders' scale is straight in dB here.

    Raises
    ------
    InputError
        If the text is no project, no track is called like a stem, or an envelope cannot be followed: points with other
        shapes, automation items, two envelopes on one track.
    """
    lines = [line.strip() for line in text.splitlines()]
    if not lines or not lines[0].startswith(("<REAPER_PROJECT", "<TRACK")):
        raise InputError("is no REAPER project, which begins with <REAPER_PROJECT, and no track template")
    project = _Project()
    for number, line in enumerate(lines, 1):
        project.take(line, number)
    if project.blocks:
        raise InputError(f"is cut off inside {project.blocks[-1].split()[0]}")
    if not project.points:
        raise InputError(f"no track called {', '.join(_FADERS[:-1])} has a volume envelope that is on")
    return project.points


class _Project:
    """What has been read so far: blocks that a line lies in, from the outside, and the points of finished envelopes."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.points: list[dict[str, Any]] = []
        self._moved: set[str] = set()
        self._track = ""
        self._envelope: _Envelope | None = None

    def take(self, line: str, number: int) -> None:
        """Read a line."""
        if line.startswith("<"):
            self._open(line, number)
        elif line == ">" and self.blocks:
            if _ENVELOPE.match(self.blocks.pop()):
                self._finish()
        elif self.blocks and self.blocks[-1].startswith("<TRACK") and line.startswith("NAME "):
            self._track = line[5:].strip().strip("\"'`").strip().lower()
        elif self._envelope is not None and _ENVELOPE.match(self.blocks[-1]):
            self._envelope.take(line, number)

    def _open(self, line: str, number: int) -> None:
        self.blocks.append(line)
        if len(self.blocks) > _DEEPEST:
            raise InputError(f"line {number}: more than {_DEEPEST} blocks lie in each other")
        if line.startswith("<TRACK"):
            self._track = ""
        elif match := _ENVELOPE.match(line):
            self._envelope = _Envelope(OUTPUT if match[1] else self._track)

    def _finish(self) -> None:
        """Keep the points of an envelope that counts."""
        envelope, self._envelope = self._envelope, None
        if envelope is None or envelope.fader not in (*_FADERS, OUTPUT) or not envelope.is_on or not envelope.lines:
            return
        if envelope.fader in self._moved:
            raise InputError(f"two volume envelopes move {envelope.fader}; bypass one of them")
        self._moved.add(envelope.fader)
        self.points += envelope.points()


class _Envelope:
    """A volume envelope of a track."""

    def __init__(self, fader: str):
        self.fader = fader
        self.is_on, self.on_fader_scale, self.has_items = True, False, False
        self.lines: list[tuple[int, list[str]]] = []

    def take(self, line: str, number: int) -> None:
        """Read a line of it."""
        words = line.split()
        if not words:
            return
        if words[0] == "ACT":
            self.is_on = words[1:2] != ["0"]
        elif words[0] == "VOLTYPE":
            self.on_fader_scale = words[1:2] == ["1"]
        elif words[0] == "POOLEDENVINST":
            self.has_items = True
        elif words[0] == "PT":
            self.lines.append((number, words))

    def points(self) -> list[dict[str, Any]]:
        if self.has_items:
            raise InputError(f"the volume of {self.fader} has automation items; turn them into points in REAPER first")
        return [self._point(number, words) for number, words in self.lines]

    def _point(self, number: int, words: list[str]) -> dict[str, Any]:
        try:
            time, factor = (float(word) for word in words[1:3])
            shape = int(words[3]) if len(words) > 3 else _LINEAR
        except ValueError:
            raise InputError(f"line {number}: {' '.join(words)!r} is no point of an envelope") from None
        if not (0 <= time < math.inf and 0 <= factor < math.inf):
            raise InputError(f"line {number}: a point at {time} s of factor {factor}, both should be 0 or more")
        if shape not in (_LINEAR, _SQUARE):
            name = _SHAPE_NAMES.get(shape, "unknown")
            raise InputError(
                f"line {number}: the point at {time:g} s has shape {shape} ({name}); choose linear or square"
            )
        gain_db = max(20 * math.log10(factor), SILENT_DB) if factor > 0 else SILENT_DB
        if gain_db > HIGHEST_DB:
            raise InputError(
                f"line {number}: the point at {time:g} s is {gain_db:+.1f} dB, at most {HIGHEST_DB:+g} can be"
            )
        drawn = "linear" if self.on_fader_scale else "amplitude"
        return {"time": time, "stem": self.fader, "gain_db": gain_db, "shape": "stepped" if shape else drawn}
