# SPDX-License-Identifier: MIT
"""Measures Stemlane against an original that is installed elsewhere: the same random weights, the same file, in turns.

Both run as a user runs them, on the command line, start-up included. It prints numbers and judges nothing.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import soundfile

from stemlane.bench.originals import ORIGINALS, WEIGHTS
from stemlane.bench.speed import Report, test_signal
from stemlane.contract import USER_DATA
from stemlane.errors import InputError

_SAMPLE_RATE = 44100
_ROUNDS = 2
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

Comparison = dict[str, dict[str, float]]  # by side, then by name of the number


def run(against: list[str], report: Report = lambda stage, done, total: None) -> dict[str, Comparison]:
    """Measure against originals, each named as "name:path of its Python".

    Returns
    -------
    dict
        For each name `original` and `stemlane`, each with `wall_seconds`, `processor_seconds` and `memory_mib` (of the
        largest process) of the faster of two runs in turns, and `ratios`, original to Stemlane.

    Raises
    ------
    InputError
        If an original is not known or does not run.
    """
    chosen = [_parse(text) for text in against]
    num_runs, num_done = len(chosen) * 2 * _ROUNDS, 0

    def progress() -> None:
        nonlocal num_done
        num_done += 1
        report("bench", num_done, num_runs)

    return {name: _measure(name, python, progress) for name, python in chosen}


def _parse(text: str) -> tuple[str, str]:
    name, colon, python = text.partition(":")
    if name not in ORIGINALS or not colon:
        raise InputError(
            f"--against is {text!r}, should be one of {', '.join(ORIGINALS)}, a colon and its Python's path"
        )
    if shutil.which(python) is None:
        raise InputError(f"--against is {text!r}: {python!r} is not a Python that can be run")
    return name, python


def _measure(name: str, python: str, progress: Callable[[], None]) -> Comparison:
    original = ORIGINALS[name]
    with tempfile.TemporaryDirectory(prefix="stemlane-bench-") as name_of_scratch:
        scratch = Path(name_of_scratch)
        song, weights, stems = scratch / "songs" / "song.wav", scratch / "weights", scratch / "stems"
        weights.mkdir()
        song.parent.mkdir()
        soundfile.write(song, test_signal(original.seconds, _SAMPLE_RATE).T, _SAMPLE_RATE, subtype="PCM_16")
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
            "original": [python, *original.command(weights, song, stems)],
            "stemlane": [*_STEMLANE, "separate", str(song), "-o", str(stems), "--model", "bench"],
        }
        best: Comparison = {}
        for _ in range(_ROUNDS):
            for side, command in commands.items():
                found = run_command(command, environment)
                shutil.rmtree(stems)
                if side not in best or found["wall_seconds"] < best[side]["wall_seconds"]:
                    best[side] = found
                progress()
    ratios = {key: best["original"][key] / max(value, 1e-3) for key, value in best["stemlane"].items()}
    for numbers in best.values():
        numbers["processor_seconds_per_second"] = numbers["processor_seconds"] / original.seconds
    return {**best, "ratios": ratios}


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
