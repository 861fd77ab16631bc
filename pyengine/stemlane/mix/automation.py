# SPDX-License-Identifier: MIT
"""Reads automation from files: JSON, CSV, MIDI controllers, volume envelopes of a REAPER project.

Whatever the file, what comes out is a list of breakpoints; `stemlane.mix.rendering.GainPlan` checks and plays them.
"""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stemlane.arguments import as_path
from stemlane.errors import InputError, one_line
from stemlane.mix.faders import CONTROLLERS
from stemlane.mix.midi_automation import midi_points
from stemlane.mix.reaper_automation import reaper_points
from stemlane.regular_files import read_regular

Automation = Sequence[Mapping[str, Any]]  # breakpoints, see `GainPlan`; not checked yet
SHAPES = ("linear", "stepped", "amplitude")
_COLUMNS = ("time", "stem", "gain_db")
_COLUMNS_AND_SHAPE = (*_COLUMNS, "shape")
_MOST_BYTES = {".rpp": 1 << 26, ".mid": 1 << 20}  # of MIDI, a fader moved a hundred times a second for 40 minutes
_MOST_TEXT_BYTES = 1 << 26


def read_automation(path: str | Path, *, controllers: Mapping[str, int] | None = None) -> Automation:
    """Read breakpoints from a file. Its extension says what it is.

    Parameters
    ----------
    path
        `.json`: a list of {"time": seconds, "stem": name or "output", "gain_db": number, "shape": word}.
        `.csv`: columns time, stem, gain_db and optionally shape, named in the first line.
        `.mid`, `.midi`: controllers of a standard MIDI file, see `midi_points`.
        `.rpp`, `.RTrackTemplate`: a REAPER project, see `reaper_points`.
        Any other is read as JSON.
    controllers
        For MIDI: controller numbers by fader, from 0 to 119; None for `CONTROLLERS`.

    Raises
    ------
    InputError
        If the file cannot be read, or is not what its extension says.
    """
    path = as_path(path, "automation")
    ending = path.suffix.lower()
    ending = {".midi": ".mid", ".rtracktemplate": ".rpp"}.get(ending, ending)
    if controllers is not None and ending != ".mid":
        raise InputError(f"{path}: controllers are chosen for MIDI files (.mid)")
    try:
        data = read_regular(path, _MOST_BYTES.get(ending, _MOST_TEXT_BYTES))
        if ending == ".mid":
            return midi_points(data, _checked(CONTROLLERS if controllers is None else controllers))
        reader = _TEXT_READERS.get(ending, _from_json)
        return reader(data.decode("utf-8-sig", errors="strict" if reader is not reaper_points else "replace"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: cannot be read (not UTF-8 text)") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _checked(controllers: Mapping[str, int]) -> dict[int, str]:
    """Faders by the numbers of their controllers."""
    faders: dict[int, str] = {}
    for fader, number in controllers.items():
        if not 0 <= number <= 119:  # above are messages that mean something else
            raise InputError(f"the controller of {fader} is {number}, should be from 0 to 119")
        if number in faders:
            raise InputError(f"controller {number} would move {faders[number]} and {fader}; give each one of its own")
        faders[number] = fader
    return faders


def _from_json(text: str) -> Automation:
    try:
        breakpoints: Automation = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}") from None
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"not JSON that can be read: {one_line(error)}") from None
    except RecursionError:
        raise InputError("holds lists in lists without end, should be one list of breakpoints") from None
    return breakpoints


def _from_csv(text: str) -> Automation:
    """Where semicolons part the columns, numbers may have decimal commas, as spreadsheets write them."""
    semicolons = ";" in text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter=";" if semicolons else ",", skipinitialspace=True, strict=True)
    points: list[dict[str, Any]] = []
    try:
        names = [name.strip().lower() for name in rows.fieldnames or ()]
        rows.fieldnames = names
        if set(_COLUMNS) - set(names) or set(names) - set(_COLUMNS_AND_SHAPE):
            found = f"has the columns {', '.join(names)}" if names else "is empty"
            raise InputError(f"{found}, should have {', '.join(_COLUMNS)} and, where wanted, shape")
        if twice := [name for name in _COLUMNS_AND_SHAPE if names.count(name) > 1]:
            raise InputError(f"has the column {twice[0]} twice; leave one out")
        for row in rows:
            if None in row or None in row.values():
                raise InputError(f"line {rows.line_num}: should have {len(names)} columns: {', '.join(names)}")
            entry: dict[str, Any] = {name: cell.strip() for name, cell in row.items() if cell.strip()}
            entry["time"] = _number(entry.get("time", ""), rows.line_num, comma=semicolons)
            points.append(entry)
    except csv.Error as error:
        raise InputError(f"line {rows.line_num}: is not CSV ({one_line(error)})") from None
    if not points:
        raise InputError("holds no breakpoints, only the names of the columns")
    return points


def _number(text: str, line: int, *, comma: bool) -> float:
    try:
        return float(text.replace(",", ".") if comma else text)
    except ValueError:
        raise InputError(f"line {line}: time is {text!r}, should be seconds") from None


_TEXT_READERS: dict[str, Callable[[str], Automation]] = {".csv": _from_csv, ".rpp": reaper_points}
