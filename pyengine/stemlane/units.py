# SPDX-License-Identifier: MIT
"""Gains and focus: what a user writes in dB or per cent, and what the mixer multiplies with."""

import math
import re

from stemlane.arguments import is_number, shown
from stemlane.contract import HIGHEST_DB, HIGHEST_FOCUS, SILENCE_WORDS, SILENT_DB
from stemlane.errors import InputError

_SPACES = " \t\r\n"
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?", re.ASCII)


def gain_from_text(text: str) -> float | None:
    """DB of a text in any locale, minus infinity for silence, None if it is no gain.

    The plugin's gain_text.h reads the same; the tests compare the two.

    >>> gain_from_text("+3,5 dB"), gain_from_text("\u22126"), gain_from_text("-\u221e"), gain_from_text("mute")
    (3.5, -6.0, -inf, -inf)
    """
    plain = text.replace("\u2212", "-").replace("\u221e", "inf").replace("\u00a0", " ").replace("\u202f", " ")
    plain = plain.lower().strip(_SPACES).removesuffix("db").strip(_SPACES)
    if plain in SILENCE_WORDS:
        return float("-inf")
    return float(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else None


def parse_gain(value: object, fader: str) -> float:
    """A gain in dB; -60 and below, also written "-inf", "mute" or "off", is silence and comes back as -60.

    >>> parse_gain("+3", "drums"), parse_gain("-inf", "vocals")
    (3.0, -60.0)
    """
    gain_db = gain_from_text(value) if isinstance(value, str) else value
    if not is_number(gain_db, highest=HIGHEST_DB):
        accepted = f"dB from {SILENT_DB:g} (silence, or -inf) to {HIGHEST_DB:+g}"
        raise InputError(f"gain of {fader} is {shown(value)}, should be {accepted}")
    return float(max(gain_db, SILENT_DB))


def parse_focus(value: object, stem: str) -> float:
    """A focus in per cent.

    >>> parse_focus("70 %", "vocals"), parse_focus(50, "drums")
    (70.0, 50.0)
    """
    text = value.strip(_SPACES).removesuffix("%").strip(_SPACES) if isinstance(value, str) else ""
    percent = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else value
    if not is_number(percent, highest=HIGHEST_FOCUS) or percent < 0:
        raise InputError(
            f"focus of {stem} is {shown(value)}, should be a number from 0 to {HIGHEST_FOCUS:g}; 50 changes nothing"
        )
    return float(percent)


def linear_gain(gain_db: float) -> float:
    """Factor of a gain in dB, 0 at -60 and below."""
    return 0.0 if gain_db <= SILENT_DB else math.pow(10, gain_db / 20)
