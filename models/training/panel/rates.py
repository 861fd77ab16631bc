# SPDX-License-Identifier: MIT
"""What host rates cost in quality: the panel resampled, separated by the models that ship, and measured at its rate.

Run as `python -m models.training.panel.rates --half B live mix`. The engine's frames follow the rate, so this is what a
DAW at 48 or 96 kHz gets; `measure` runs the network alone, at 44.1 kHz.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import soxr
from stemlane.engine.separator import Separator

from models.training.data.pool import STEMS
from models.training.network.spectral import SAMPLE_RATE

from . import build
from .build import Item
from .evaluate import sdr_db
from .measure import AUDIBLE_DB, level_db

RATES = (44100, 48000, 96000)


def resampled(stems: np.ndarray, rate: int) -> np.ndarray:
    """Stems (stems, 2, samples) of `SAMPLE_RATE` at another rate, float32."""
    if rate == SAMPLE_RATE:
        return stems
    flat = stems.reshape(-1, stems.shape[-1]).T
    return np.ascontiguousarray(soxr.resample(flat, SAMPLE_RATE, rate, quality="VHQ").T).reshape(*stems.shape[:2], -1)


def sdr_at(separator: Separator, item: Item, rate: int) -> np.ndarray:
    """SDR in dB of each stem of one excerpt at `rate`; nan where it is not known or not audible."""
    stems = resampled(item.stems, rate)
    mixture = stems.sum(0)
    found = separator.separate(mixture, rate)
    return np.array([
        sdr_db(stem, found[name]) if known and level_db(stem, mixture) >= AUDIBLE_DB else np.nan
        for name, stem, known in zip(STEMS, stems, item.known, strict=True)
    ])  # fmt: skip


def rows(model: str, items: Sequence[Item], rates: Sequence[int] = RATES) -> list[str]:
    """A line of a table per rate: medians over the excerpts, and what changes from the first rate on."""
    separator = Separator(model)
    by_rate = [np.array([sdr_at(separator, item, rate) for item in items]) for rate in rates]
    lines = []
    for rate, sdr in zip(rates, by_rate, strict=True):
        medians = " / ".join(f"{value:.2f}" for value in np.nanmedian(sdr, axis=0))
        change = sdr - by_rate[0]
        changes = " / ".join(f"{value:+.3f}" for value in np.nanmedian(change, axis=0))
        lines.append(
            f"| {model} | {rate} | {medians} | {changes} | {np.nanmean(change):+.3f} | {np.nanmin(change):+.2f} |"
        )
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="names or folders")
    parser.add_argument("--half", choices=("A", "B"), required=True)
    options = parser.parse_args(arguments)
    items = build.load(options.half)
    print(
        f"| model | Hz | SDR V/D/B/O, median | change from {RATES[0]} Hz, median | mean | worst |\n" + "|---" * 6 + "|",
        flush=True,
    )
    for model in options.models:
        print("\n".join(rows(model, items)), flush=True)


if __name__ == "__main__":
    main()
