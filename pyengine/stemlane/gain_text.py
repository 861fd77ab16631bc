# SPDX-License-Identifier: MIT
"""Gains as people write them, in any locale; the plugin's gain_text.h reads the same."""

import re

_SILENT = ("mute", "off", "-inf", "-infinity")
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?", re.ASCII)


def gain_from_text(text: str) -> float | None:
    """DB of a text, minus infinity for silence, None if it is no gain.

    >>> gain_from_text("+3,5 dB"), gain_from_text("\u22126"), gain_from_text("-\u221e"), gain_from_text("mute")
    (3.5, -6.0, -inf, -inf)
    """
    plain = text.replace("\u2212", "-").replace("\u221e", "inf").strip().lower()
    plain = plain.removesuffix("db").strip()
    if plain in _SILENT:
        return float("-inf")
    return float(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else None
