# SPDX-License-Identifier: MIT
"""Measures what `stemlane separate` takes for recordings of any length: memory of its process, and speed."""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from stemlane.bench.against import run_command
from stemlane.bench.speed import Report, test_signal
from stemlane.errors import InputError
from stemlane.files.encoding import Encoding
from stemlane.files.writing import AudioOutput
from stemlane.manifests.registry import find_model

_SAMPLE_RATE = 44100
_PIECE_SECONDS = 10.0  # of the signal, which is repeated
_SHORTEST_SECONDS, _LONGEST_SECONDS = 1.0, 24 * 3600.0
_PYTHON = sys.executable

Lengths = dict[str, dict[str, float]]  # by length, then by name of the number


def run(
    models: Sequence[str], lengths_seconds: Sequence[float], report: Report = lambda stage, done, total: None
) -> dict[str, Lengths]:
    """Separate stereo recordings of some lengths, as MP3, into vocals and the rest, as MP3 too.

    Returns
    -------
    dict
        For each model and length `memory_mib` (the most its process held), `times_real_time` and
        `processor_times_real_time`, which does not count what else the machine does.

    Raises
    ------
    InputError
        If a length cannot be, or the command fails.
    """
    for seconds in lengths_seconds:
        if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
            raise InputError(
                f"--memory is {seconds:g}, should be {_SHORTEST_SECONDS:g} to {_LONGEST_SECONDS:g} seconds"
            )
    for model in models:
        find_model(model)
    found: dict[str, Lengths] = {model: {} for model in models}
    num_done, num_runs = 0, len(models) * len(lengths_seconds)
    with tempfile.TemporaryDirectory(prefix="stemlane-bench-") as name_of_scratch:
        scratch = Path(name_of_scratch)
        for seconds in lengths_seconds:
            song = _song(scratch / "song.mp3", seconds)
            for model in models:
                command = [
                    _PYTHON, "-m", "stemlane", "separate", str(song), "-o", str(scratch / "stems"), "--model", model,
                    "--two-stems", "vocals", "--format", "mp3", "--bitrate", "64",
                ]  # fmt: skip
                numbers = run_command(command, dict(os.environ))
                shutil.rmtree(scratch / "stems")
                found[model][f"{seconds:g} s"] = {
                    "memory_mib": numbers["memory_mib"],
                    "times_real_time": seconds / numbers["wall_seconds"],
                    "processor_times_real_time": seconds / max(numbers["processor_seconds"], 1e-3),
                }
                num_done += 1
                report("bench", num_done, num_runs)
    return found


def _song(path: Path, seconds: float) -> Path:
    piece = test_signal(_PIECE_SECONDS, _SAMPLE_RATE)
    left = round(seconds * _SAMPLE_RATE)
    with AudioOutput(path, _SAMPLE_RATE, 2, left, encoding=Encoding("mp3", bitrate=128)) as file:
        while left > 0:
            file.write(piece[:, :left])
            left -= piece.shape[1]
    return path
