# SPDX-License-Identifier: MIT
"""Measures Stemlane against an original that is installed elsewhere: the same random weights, the same file, in turns.

Both run as a user runs them, on the command line, start-up included, and what they wrote is compared. It prints numbers
and judges nothing.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from stemlane.bench.originals import ORIGINALS, ROUNDS, WEIGHTS
from stemlane.bench.speed import Report, test_signal
from stemlane.contract import USER_DATA
from stemlane.errors import InputError, one_line

_SAMPLE_RATE = 44100
_NUM_THREADS = "2"

_PYTHON = sys.executable
_STEMLANE = (sys.executable, "-m", "stemlane")
_ADD = """
import json, sys
from stemlane.catalog.install import add_model
add_model(sys.argv[1], location=sys.argv[2], name="bench", **json.loads(sys.argv[3]))
"""
# The system counts what a process was before it became the command as that command's memory: so a small one starts it.
_LAUNCHER = """
import json, os, sys, time
begin = time.perf_counter()
_, status, usage = os.wait4(os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:]), 0)
numbers = {"wall_seconds": time.perf_counter() - begin, "processor_seconds": usage.ru_utime + usage.ru_stime,
           "memory_mib": usage.ru_maxrss / 1024, "status": os.waitstatus_to_exitcode(status)}
with open(sys.argv[1], "w") as file:
    json.dump(numbers, file)
"""

Comparison = dict[str, Any]  # by side, then by name of the number


def run(
    against: list[str], report: Report = lambda stage, done, total: None, *, rounds: int = ROUNDS
) -> dict[str, Comparison]:
    """Measure against originals, each named as "name:path of its Python"; `rounds` is how often both sides run.

    Returns
    -------
    dict
        For each name `original` and `stemlane`, each with `wall_seconds`, `processor_seconds` and `memory_mib` (of the
        largest process) of the fastest of the runs in turns, and `ratios`, original to Stemlane; and under
        `largest_difference` by stem how far the two sides' samples are apart, 1 being full scale. The stem that is left
        over is not among them: the originals give it as their networks do, here it is what the others leave. An
        original that does not run, or does not write what is compared, has the reason under `problem` and nothing else.

    Raises
    ------
    InputError
        If an original is not known, or its Python is none.
    """
    chosen = [_parse(text) for text in against]
    if rounds < 1:
        raise InputError(f"--rounds is {rounds}, should be 1 or more")
    num_runs, num_done = len(chosen) * 2 * rounds, 0

    def progress() -> None:
        nonlocal num_done
        num_done += 1
        report("bench", num_done, num_runs)

    found: dict[str, Comparison] = {}
    for name, python in chosen:
        try:
            found[name] = _measure(name, python, rounds, progress)
        except (InputError, OSError, soundfile.SoundFileError) as error:  # the others have taken minutes each
            found[name] = {"problem": one_line(error)}
    return found


def _parse(text: str) -> tuple[str, str]:
    name, colon, python = text.partition(":")
    if name not in ORIGINALS or not colon:
        raise InputError(
            f"--against is {text!r}, should be one of {', '.join(ORIGINALS)}, a colon and its Python's path"
        )
    if shutil.which(python) is None:
        raise InputError(f"--against is {text!r}: {python!r} is not a Python that can be run")
    return name, python


def _measure(name: str, python: str, rounds: int, progress: Callable[[], None]) -> Comparison:
    original = ORIGINALS[name]
    with tempfile.TemporaryDirectory(prefix="stemlane-bench-") as name_of_scratch:
        scratch = Path(name_of_scratch)
        song, weights = scratch / "songs" / "song.wav", scratch / "weights"
        stems = {side: scratch / side for side in ("original", "stemlane")}
        weights.mkdir()
        song.parent.mkdir()
        signal = test_signal(original.seconds, _SAMPLE_RATE)
        gain = original.peak / np.abs(signal).max() if original.peak else 1
        soundfile.write(song, gain * signal.T, _SAMPLE_RATE, subtype="PCM_16")
        environment = {
            **os.environ, "MODEL_PATH": str(weights), USER_DATA["linux"][0]: str(scratch / "data"),
            "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "PYMSS_USER_MODELS": str(scratch / "pymss.json"),
            "OMP_NUM_THREADS": _NUM_THREADS, "MKL_NUM_THREADS": _NUM_THREADS,
        }  # fmt: skip
        environment.pop("STEMLANE_MODELS", None)
        run_command([python, "-c", original.weights_script, str(weights)], environment)
        options = json.dumps(original.options).replace(WEIGHTS, str(weights))
        add = [_STEMLANE[0], "-c", _ADD, original.source, str(weights / original.location), options]
        run_command(add, environment)
        commands = {
            "original": [python, *original.command(weights, song, stems["original"])],
            "stemlane": [*_STEMLANE, "separate", str(song), "-o", str(stems["stemlane"]), "--model", "bench"],
        }
        best: Comparison = {}
        for _ in range(rounds):
            for side, command in commands.items():
                shutil.rmtree(stems[side], ignore_errors=True)
                found = run_command(command, environment)
                if side not in best or found["wall_seconds"] < best[side]["wall_seconds"]:
                    best[side] = found
                progress()
        differences = {
            stem: _largest_difference(*(_stem(folder, stem) for folder in stems.values())) for stem in original.stems
        }
    ratios = {key: best["original"][key] / max(value, 1e-3) for key, value in best["stemlane"].items()}
    for numbers in best.values():
        numbers["processor_seconds_per_second"] = numbers["processor_seconds"] / original.seconds
    return {**best, "ratios": ratios, "largest_difference": differences}


def _stem(folder: Path, stem: str) -> np.ndarray:
    """The stem (samples, channels) in the one file below `folder` in whose path it is named."""
    found = [path for path in folder.rglob("*.wav") if stem in path.relative_to(folder).as_posix().lower()]
    if len(found) != 1:
        raise InputError(f"{len(found)} files are called {stem!r} among what the {folder.name} side wrote, should be 1")
    samples: np.ndarray = soundfile.read(found[0], dtype="float32", always_2d=True)[0]
    return samples


def _largest_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Between two stems (samples, channels), 1 being full scale."""
    if one.shape != other.shape:
        raise InputError(f"the stems have {one.shape} and {other.shape} samples and channels, should be as many")
    return float(np.abs(one - other).max(initial=0))


def run_command(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Run a command to its end; time, processor time of it and its children, memory of the largest of them."""
    with tempfile.TemporaryDirectory(prefix="stemlane-bench-") as scratch:
        numbers, output = Path(scratch) / "numbers", Path(scratch) / "output"
        with output.open("wb") as file:
            launcher = [_PYTHON, "-I", "-S", "-c", _LAUNCHER, str(numbers), *command]
            subprocess.run(launcher, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=True)
        found: dict[str, float] = json.loads(numbers.read_text(encoding="utf-8"))
        status = found.pop("status")
        if status:
            lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            reason = lines[-1] if lines else f"exit status {status}"
            shown = " ".join(part if "\n" not in part else "…" for part in command[:4])
            raise InputError(f"{shown} … failed: {reason}")
    return found
