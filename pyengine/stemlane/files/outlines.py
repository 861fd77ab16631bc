# SPDX-License-Identifier: MIT
"""Reads the outlines of stems that were there already; those that are written now come with their outcome."""

import contextlib
from pathlib import Path

from stemlane.errors import StemlaneError
from stemlane.files.reading import AudioInput
from stemlane.files.separating import Outcome
from stemlane.files.waveform import Waveform


def outlines(outcome: Outcome) -> dict[str, list[int]]:
    """The waveforms of an outcome; if it was skipped, of its files on this machine, which are read for that.

    A file that cannot be read has none.
    """
    if not outcome.skipped:
        return outcome.waveforms
    found = {}
    for stem, path in outcome.outputs.items():
        if isinstance(path, Path):
            with contextlib.suppress(StemlaneError), AudioInput(path) as file:
                waveform = Waveform()
                for block in file:
                    waveform.add(block)
                found[stem] = waveform.percent()
    return found
