# SPDX-License-Identifier: MIT
"""Gains as people type them: the table that the plugin's test reads, too (tests/hosts/cpp/test_gain_text.cpp)."""

from pathlib import Path

import pytest
from stemlane.contract import HIGHEST_DB, SILENT_DB
from stemlane.errors import InputError
from stemlane.units import gain_from_text, linear_gain, parse_gain

TABLE = Path(__file__).resolve().parents[2] / "support" / "gain_texts.tsv"
ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\0": "\0"}


def rows():
    for line in TABLE.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            expected, text = line.split("\t")
            for escape, character in ESCAPES.items():
                text = text.replace(escape, character)
            yield text, None if expected == "none" else float(expected)


def test_texts_mean_the_gains_that_the_table_of_both_languages_says():
    found = dict(rows())
    assert len(found) > 100
    for text, expected in found.items():
        gain_db = gain_from_text(text)
        limited = None if gain_db is None else min(max(gain_db, SILENT_DB), HIGHEST_DB)
        assert limited == expected, text


def test_a_script_is_told_what_a_fader_would_limit():
    """Nonsense, and what lies above the top: a fader stops there, a script may mean something else."""
    for text, expected in rows():
        above = (gain_from_text(text) or 0.0) > HIGHEST_DB
        if expected is None or above:
            with pytest.raises(InputError, match="gain of drums is"):
                parse_gain(text, "drums")
        else:
            assert parse_gain(text, "drums") == expected
    assert linear_gain(SILENT_DB) == 0.0 and linear_gain(0.0) == 1.0
