# SPDX-License-Identifier: MIT
"""Gains: what a user writes in dB and what the mixer multiplies with."""

import math

from stemlane.contract import HIGHEST_DB, SILENT_DB
from stemlane.errors import InputError


def parse_gain(value: float | str, fader: str) -> float:
    """A gain in dB; -60 and below, also written "-inf", is silence and comes back as -60.

    >>> parse_gain("+3", "drums"), parse_gain("-inf", "vocals")
    (3.0, -60.0)
    """
    try:
        gain_db = float(value)
    except (TypeError, ValueError):
        gain_db = math.nan
    if math.isnan(gain_db) or gain_db > HIGHEST_DB:
        accepted = f"dB from {SILENT_DB:g} (silence, or -inf) to {HIGHEST_DB:+g}"
        raise InputError(f"gain of {fader} is {value!r}, should be {accepted}")
    return max(gain_db, SILENT_DB)


def linear_gain(gain_db: float) -> float:
    """Factor of a gain in dB, 0 at -60 and below."""
    return 0.0 if gain_db <= SILENT_DB else math.pow(10, gain_db / 20)
