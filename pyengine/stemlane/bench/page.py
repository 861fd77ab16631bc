# SPDX-License-Identifier: MIT
"""Writes measured tables into a page: `python -m stemlane.bench.page NUMBERS.json PAGE.md`.

The page marks where: a table stands between `<!-- measured: NAME -->` and `<!-- end -->`. What is around it is
written by hand.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stemlane.errors import InputError, StemlaneError

Numbers = Mapping[str, Any]
Table = Callable[[Numbers, str], str]  # of a model, or of none
_PLACE = re.compile(r"(<!-- measured: (?P<name>[\w:-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_page(text: str, numbers: Numbers) -> str:
    """The page with its tables made anew; one that has not been measured stays as it is.

    Raises
    ------
    InputError
        If the page names a table that there is not.
    """

    def table(match: re.Match[str]) -> str:
        name, _, model = match["name"].partition(":")
        if name not in _TABLES:
            raise InputError(f"the page has a table {match['name']!r}, there are: {', '.join(_TABLES)}")
        rows = _TABLES[name](numbers, model)
        return f"{match[1]}{rows}{match[3]}" if rows else match[0]

    return _PLACE.sub(table, text)


def _about(numbers: Numbers, _: str) -> str:
    found = numbers["about"]
    return (
        f"Measured on {found['date']}: {found['processor']}, {found['system']}, Python {found['python']}; "
        f"Stemlane {found['version']}, commit {found['commit']}.\n"
    )


def _models(numbers: Numbers, _: str) -> str:
    models = {name: found for name, found in numbers["bench"]["models"].items() if "problem" not in found}
    plugins = numbers["bench"]["plugin"]
    rows: list[tuple[str, Callable[[str, Numbers], str]]] = [
        ("one step of the network, p50 / p99 of its time", lambda name, found: (
            f"{found['hop_p50_ms']:.2f} / {found['hop_p99_ms']:.2f} of {found['deadline_ms']:.1f} ms")),
        ("of a core, one stream", lambda name, found: f"{100 * found['processor_real_time_factor']:.1f} %"),
        ("imports and loading", lambda name, found: (
            f"{found['engine_import_seconds'] + found['engine_load_seconds']:.2f} s")),
        ("`render` of a file", lambda name, found: (
            f"{found['offline_times_real_time']:.0f} × real time" if found["offline_times_real_time"] else "")),
        ("bounce in pedalboard", lambda name, found: (
            f"{plugins[name]['offline_times_real_time']:.0f} × real time" if "problem" not in plugins[name] else "")),
    ]  # fmt: skip
    return _table(
        ["", *(f"`{name}`" for name in models)],
        [[label, *(value(name, found) for name, found in models.items())] for label, value in rows],
    )


def _curve(name: str, label: str, columns: Mapping[str, tuple[str, str]], place: str = "{}") -> Table:
    """A table of one curve: a row a point, of each column its title, and how its number is written."""

    def table(numbers: Numbers, model: str) -> str:
        points = numbers["curves"].get(f"{name}:{model}" if model else name, {})
        rows = [
            [place.format(at), *(style.format(found[key]) for key, (_, style) in columns.items())]
            for at, found in points.items()
        ]
        return _table([label, *(title for title, _ in columns.values())], rows) if rows else ""

    return table


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_FILE = {
    "times_real_time": ("times real time", "{:.0f}"),
    "wall_seconds": ("time", "{:.1f} s"),
    "processor_seconds": ("processor time", "{:.1f} s"),
    "memory_mib": ("memory", "{:.0f} MiB"),
}
_TABLES: dict[str, Table] = {
    "about": _about,
    "models": _models,
    "block": _curve("block", "block", {"nanoseconds_per_sample": ("audio thread, a sample", "{:.1f} ns")}),
    "rate": _curve("rate", "rate", {"core_percent": ("of a core", "{:.1f} %")}, "{} Hz"),
    "file": _curve("file", "length", _FILE, "{} s"),
    "cores": _curve("cores", "cores", _FILE),
    "inserts": _curve("inserts", "inserts", {
        "core_percent_each": ("of a core, each", "{:.1f} %"),
        "step_p50_percent": ("a step, of its deadline: p50", "{:.0f} %"),
        "step_p99_percent": ("p99", "{:.0f} %"),
        "late": ("late", "{:.0f} times"),
    }),
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m stemlane.bench.page", description=__doc__)
    parser.add_argument("numbers", type=Path, help="JSON that stemlane.bench.curves has written")
    parser.add_argument("page", type=Path, help="Markdown to rewrite")
    options = parser.parse_args(arguments)
    page: Path = options.page
    try:
        numbers = json.loads(options.numbers.read_text(encoding="utf-8"))
        page.write_text(fill_page(page.read_text(encoding="utf-8"), numbers), encoding="utf-8")
    except (OSError, ValueError, StemlaneError) as error:
        sys.exit(f"{page}: {error}")


if __name__ == "__main__":
    main()
