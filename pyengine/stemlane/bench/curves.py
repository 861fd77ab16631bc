# SPDX-License-Identifier: MIT
"""Measures how costs grow: with inserts, block size, rate, length of a file and cores.

Run as `python -m stemlane.bench.curves FILE.json`; `stemlane.bench.page` makes tables of it. What needs many inserts in
real time is played by the program `soak` (tests/benchmark), which is named with `--soak`.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

import stemlane
from stemlane.bench import against, speed
from stemlane.engine.frontends import create_stream
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import find_model
from stemlane.mix import _core

Points = dict[str, dict[str, float]]  # by what grows, then by what is measured
_MODELS = ("live", "mix")
_SOAK_LINES = {
    "step_p50_percent": r"steps: .* p50 ([\d.]+) %",
    "step_p99_percent": r"steps: .* p99 ([\d.]+) %",
    "core_percent_each": r"engines: ([\d.]+) % of a core each",
    "late": r"late: (\d+) times",
}


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    seconds
        Of music for each point in real time or at one rate.
    lengths_seconds
        Of the files.
    """

    inserts: Sequence[int] = (1, 2, 4, 8, 16)
    blocks: Sequence[int] = (16, 64, 256, 1024, 4096)
    rates: Sequence[int] = (22050, 44100, 48000, 96000, 192000)
    lengths_seconds: Sequence[float] = (60, 120, 240, 480)
    seconds: float = 30.0


QUICK = Extent(inserts=(1, 2), blocks=(64, 512), rates=(44100, 48000), lengths_seconds=(5, 10), seconds=3.0)


@dataclass(frozen=True)
class Soak:
    """The program that plays inserts in real time, the engine they start, and the list of models."""

    program: str
    engine: str
    index: str

    def play(self, model: str, num_inserts: int, seconds: float) -> dict[str, float]:
        """What it says of so many inserts in blocks of 512."""
        command = [self.program, self.engine, self.index, model, str(max(1, round(seconds))), "512", str(num_inserts)]
        return read_soak(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def read_soak(text: str) -> dict[str, float]:
    """The numbers in what `soak` prints."""
    found = {}
    for name, pattern in _SOAK_LINES.items():
        match = re.search(pattern, text)
        if match is None:
            raise ValueError(f"soak has not said {name}: {text!r}")
        found[name] = float(match[1])
    return found


def measure(extent: Extent, soak: Soak | None = None, models: Sequence[str] = _MODELS) -> dict[str, Points]:
    """All curves by name, with the model's name behind a colon where there is one."""
    curves: dict[str, Points] = {"block": by_block(extent.blocks)}
    for model in models:
        curves[f"rate:{model}"] = by_rate(find_model(model), extent.rates, extent.seconds)
        curves[f"file:{model}"] = by_length(model, extent.lengths_seconds)
        curves[f"cores:{model}"] = by_cores(model, max(extent.lengths_seconds) / 2)
        if soak:
            curves[f"inserts:{model}"] = {
                str(number): soak.play(model, number, extent.seconds) for number in extent.inserts
            }
    return curves


def by_block(sizes: Sequence[int]) -> Points:
    """Nanoseconds of the audio thread for a sample."""
    return _points(
        sizes, lambda size: {"nanoseconds_per_sample": _core.measure_process(44100, 2, int(size), 400_000 // int(size))}
    )


def by_rate(manifest: Manifest, rates: Sequence[int], seconds: float) -> Points:
    """Percent of a core that the steps of one stream take, live, and its latency without the core's reserve."""

    def at(rate: float) -> dict[str, float]:
        model = manifest.at_rate(rate)
        front_end, stride = create_stream(model), model.stride_samples
        mixture = speed.test_signal(seconds, rate)
        begin = time.thread_time()  # what others do on this machine does not count
        for start in range(0, mixture.shape[1] - stride + 1, stride):
            front_end.process(mixture[:, start : start + stride])
        return {"core_percent": 100 * (time.thread_time() - begin) / seconds}

    return _points(rates, at)


def by_length(model: str, lengths_seconds: Sequence[float], cores: int | None = None) -> Points:
    """What `stemlane separate` takes for files of some lengths, start-up included."""
    with tempfile.TemporaryDirectory(prefix="stemlane-bench-") as name:
        song, stems = Path(name) / "song.wav", Path(name) / "stems"

        def of(seconds: float) -> dict[str, float]:
            soundfile.write(song, speed.test_signal(seconds, 44100).T, 44100, subtype="PCM_16")
            command = [sys.executable, "-m", "stemlane", "separate", str(song), "-o", str(stems), "--model", model,
                       "-q", "--overwrite"]  # fmt: skip
            if cores is not None:
                command = ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores])), *command]
            found = against.run_command(command, dict(os.environ))
            return {**found, "times_real_time": seconds / found["wall_seconds"]}

        return _points(lengths_seconds, of)


def by_cores(model: str, seconds: float) -> Points:
    """The same for one file on one, two, four, … cores."""
    available = len(os.sched_getaffinity(0))
    counts = [count for count in (1, 2, 4, 8, 16) if count <= available]
    return _points(counts, lambda count: next(iter(by_length(model, [seconds], int(count)).values())))


def about(commit: str) -> dict[str, str]:
    """On what was measured, and what."""
    return {
        "processor": speed.processor(), "system": platform.platform(), "python": platform.python_version(),
        "version": stemlane.__version__, "commit": commit, "date": time.strftime("%Y-%m-%d"),
    }  # fmt: skip


def _points(places: Sequence[float], measured: Callable[[float], dict[str, float]]) -> Points:
    return {f"{place:g}": measured(place) for place in places}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m stemlane.bench.curves", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON to write")
    parser.add_argument("--soak", nargs=3, metavar=("PROGRAM", "ENGINE", "INDEX"), help="plays many inserts")
    parser.add_argument("--commit", default="unknown", help="what is measured")
    parser.add_argument("--quick", action="store_true", help="little of everything: shows that it works")
    parser.add_argument("--seconds", type=float, help="of music for each point in real time")
    options = parser.parse_args(arguments)
    extent = QUICK if options.quick else Extent()
    if options.seconds:
        extent = replace(extent, seconds=options.seconds)
    soak = Soak(*options.soak) if options.soak else None
    numbers = {"about": about(options.commit), "bench": speed.run(), "curves": measure(extent, soak)}
    options.file.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
