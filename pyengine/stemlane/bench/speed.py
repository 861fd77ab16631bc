# SPDX-License-Identifier: MIT
"""Measures speed, start-up and memory on this machine. It prints numbers and judges nothing.

What needs the plugin in a host is measured in a process of its own, by `bench.plugin`.
"""

import functools
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from stemlane.engine import provider_choice, providers
from stemlane.engine.frontends import create_stream
from stemlane.errors import StemlaneError, one_line
from stemlane.manifests.integrity import verify_model
from stemlane.manifests.model import Manifest, load_manifest, model_folders
from stemlane.manifests.registry import embedded_folder

Report = Callable[[str, float, float], None]
Numbers = dict[str, Any]  # names to numbers, texts, or the same again, as JSON

_MODEL_SECONDS = 20.0
_RENDER_SECONDS = 30.0
_BLOCK_SIZES = (64, 512)
_START_UP_RUNS = 3
_SEED = 1

_START_UP_SCRIPT = """
import json, sys, time
start = time.perf_counter()
from stemlane.engine.worker import Worker
imported = time.perf_counter()
worker = Worker(sys.argv[1], 44100, 2)
ready = time.perf_counter()
import numpy
worker.process(numpy.zeros((2, 44100), numpy.float32))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({"import_seconds": imported - start, "load_seconds": ready - imported,
                  "memory_mib": int(status["VmRSS"].split()[0]) / 1024}))
"""


def run(report: Report = lambda stage, done, total: None) -> Numbers:
    """Measure everything that is installed; `report` is called with a name, the parts done, and how many there are.

    Returns
    -------
    dict
        `machine`, `models` (one entry per embedded model), `core`, and `plugin`. A part that cannot be measured holds
        the reason under `problem`.
    """
    models = [load_manifest(folder) for folder in model_folders(embedded_folder())]
    num_parts, num_done = 2 * len(models) + 1, 0

    def guarded(measure: Callable[[], Numbers]) -> Numbers:
        nonlocal num_done
        try:
            return measure()
        except (StemlaneError, OSError, subprocess.SubprocessError) as error:
            return {"problem": one_line(error)}
        finally:
            num_done += 1
            report("bench", num_done, num_parts)

    return {
        "machine": {"processor": processor(), "system": platform.platform(), "python": platform.python_version()},
        "models": {manifest.name: guarded(functools.partial(measure_model, manifest)) for manifest in models},
        "core": guarded(_measure_core),
        "plugin": {manifest.name: guarded(functools.partial(_measure_plugin, manifest.name)) for manifest in models},
    }


def measure_model(manifest: Manifest) -> Numbers:
    """Time per stride against the time there is for it, on one thread, plus start-up and offline speed of one model."""
    verify_model(manifest)
    provider = provider_choice.choose(manifest)
    with providers.use(provider):
        front_end = create_stream(manifest)
    stride = manifest.stride_samples
    mixture = test_signal(_MODEL_SECONDS, manifest.sample_rate)
    seconds = []
    begin_processor = time.thread_time()
    for start in range(0, mixture.shape[1] - stride + 1, stride):
        begin = time.perf_counter()
        front_end.process(mixture[:, start : start + stride])
        seconds.append(time.perf_counter() - begin)
    processor_seconds = time.thread_time() - begin_processor  # what others do on this machine does not count
    deadline = stride / manifest.sample_rate
    p50, p99 = np.percentile(seconds, [50, 99])
    return {
        "provider": provider,
        "hop_p50_ms": 1000 * p50,
        "hop_p99_ms": 1000 * p99,
        "hop_max_ms": 1000 * max(seconds),
        "deadline_ms": 1000 * deadline,
        "real_time_factor": float(np.mean(seconds)) / deadline,
        "processor_real_time_factor": processor_seconds / len(seconds) / deadline,
        **_measure_start_up(manifest),
        "offline_times_real_time": _measure_render(manifest),
    }


def test_signal(seconds: float, sample_rate: float) -> np.ndarray:
    """Stereo noise with a beat, (2, samples) float32: loud and quiet parts, always the same."""
    num_samples = int(seconds * sample_rate)
    noise = np.random.default_rng(_SEED).standard_normal((2, num_samples)) * 0.1
    beat = np.exp(-8 * (np.arange(num_samples) / sample_rate % 0.5))
    return (noise * beat).astype(np.float32)


def _measure_start_up(manifest: Manifest) -> Numbers:
    """The engine's Python from the start of the process until the model is ready, best of a few, and its memory."""
    runs = []
    for _ in range(_START_UP_RUNS):
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _START_UP_SCRIPT, str(manifest.folder)],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        runs.append({"process_seconds": time.perf_counter() - begin, **json.loads(done.stdout)})
    best = min(runs, key=lambda numbers: numbers["import_seconds"] + numbers["load_seconds"])
    return {
        "engine_import_seconds": best["import_seconds"],
        "engine_load_seconds": best["load_seconds"],
        "engine_python_memory_mib": best["memory_mib"],
    }


def _measure_render(manifest: Manifest) -> float | None:
    """How many seconds of music one second of `stemlane.render` makes; None without the core library."""
    from stemlane.mix.rendering import render

    mixture = test_signal(_RENDER_SECONDS, manifest.sample_rate)
    begin = time.perf_counter()
    try:
        render(mixture, manifest.sample_rate, {"vocals": "-inf"}, model=manifest.folder)
    except StemlaneError:
        return None
    return _RENDER_SECONDS / (time.perf_counter() - begin)


def _measure_core() -> Numbers:
    from stemlane.mix import _core

    return {
        f"audio_thread_ns_per_sample_block_{size}": _core.measure_process(44100, 2, size, 200_000 // size)
        for size in _BLOCK_SIZES
    }


def _measure_plugin(model: str) -> Numbers:
    from stemlane.plugin.places import plugin_path

    plugin_path()  # says what is missing before a process is started
    command = [sys.executable, "-m", "stemlane.bench.in_host", model]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return {"problem": reason[0]}
    numbers: Numbers = json.loads(lines[-1])
    return numbers


def processor() -> str:
    """The processor's name and how many there are."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return f"{names[0]}, {len(names)} processors" if names else platform.machine()


def as_text(numbers: Numbers) -> str:
    """The numbers as text for people: one line each, nested names joined by dots."""
    lines = []

    def add(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{prefix}.{key}" if prefix else key, inner)
        else:
            lines.append(f"{prefix:<55} {value:.4g}" if isinstance(value, float) else f"{prefix:<55} {value}")

    add("", numbers)
    return "\n".join(lines)
