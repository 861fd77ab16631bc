# SPDX-License-Identifier: MIT
"""The tables of `evaluate` as text for people."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np

from stemlane.evaluation.scores import LEAST_SPAN_DB, StemResult

_NAME_WIDTH, _CELL_WIDTH = 12, 20  # characters; tables of several songs line up, unless something is longer


class Row(TypedDict):
    """What was found for one model, or for one of the bounds, which have results alone.

    `scores` has one number per stem, None where the true stem is silent or `scores.score` knows none;
    `processor_seconds` are per second of music; `provider` is what computed the networks. A short window of another
    model has that model's name in `against`, and in `window_results` what comes out if that model's stems are taken for
    the truth.
    """

    results: list[StemResult]
    scores: NotRequired[list[float | None]]
    mean_score: NotRequired[float | None]
    processor_seconds: NotRequired[float]
    provider: NotRequired[str]
    against: NotRequired[str]
    window_results: NotRequired[list[StemResult]]


class SongTable(TypedDict):
    """The rows of one song, for models that share their stems: first "mixture" and "ideal mask", then the models."""

    song: str
    seconds: float
    stems: list[str]
    rows: dict[str, Row]


def as_text(tables: Sequence[SongTable]) -> str:
    """The tables as text for people."""
    lines = []
    for table in tables:
        lines.append(f"{table['song']}, {table['seconds']:.1f} s: SDR in dB (median over 1-second frames), score")
        rows = [["", *table["stems"], "mean"]]
        for name, row in table["rows"].items():
            scores = row.get("scores") or [None] * len(row["results"])
            cells = [_cell(result, value) for result, value in zip(row["results"], scores, strict=True)]
            rows.append([name, *cells, _mean_cell(row["results"], row.get("mean_score"))])
        lines += _aligned(rows)
        for name, row in table["rows"].items():
            if "processor_seconds" in row:
                lines.append(f"{name}: {row['processor_seconds']:.3f} s of one core for a second of music")
            if "against" in row:
                cells = [
                    f"{stem} {_sdr_cell(result)}"
                    for stem, result in zip(table["stems"], row["window_results"], strict=True)
                ]
                lines.append(f"{name}: against the stems of {row['against']} {', '.join(cells)}")
        lines.append("")
    lines.append(
        "score: 0 = no better than the mixture or silence, 1 = the ideal mask; none where that is less than "
        f"{LEAST_SPAN_DB:g} dB better."
    )
    lines.append("leak: the true stem is silent; energy of the estimate relative to the mixture.")
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: the first column to the left, the others to the right, at least two spaces apart."""
    first = max(_NAME_WIDTH, *(len(row[0]) for row in rows))
    width = max(_CELL_WIDTH, *(2 + len(cell) for row in rows for cell in row[1:]))
    return [f"{row[0]:<{first}}" + "".join(f"{cell:>{width}}" for cell in row[1:]) for row in rows]


def _cell(result: StemResult, value: float | None) -> str:
    if result.sdr_db is None:
        return f"leak {result.leak_db:.1f} dB"
    median = "-" if result.median_sdr_db is None else f"{result.median_sdr_db:.1f}"
    return f"{result.sdr_db:.2f} ({median})" + ("" if value is None else f" {value:.2f}")


def _sdr_cell(result: StemResult) -> str:
    return "silent" if result.sdr_db is None else f"{result.sdr_db:.2f} dB"


def _mean_cell(results: list[StemResult], mean_score: float | None) -> str:
    sdrs = [result.sdr_db for result in results if result.sdr_db is not None]
    if not sdrs:
        return "-"
    return f"{np.mean(sdrs):.2f}" + ("" if mean_score is None else f" {mean_score:.2f}")
