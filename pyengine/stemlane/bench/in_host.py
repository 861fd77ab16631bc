# SPDX-License-Identifier: MIT
"""Measures the plugin in a host: `python -m stemlane.bench.in_host MODEL` prints one line of JSON."""

import json
import sys
import time
from pathlib import Path

from stemlane.bench.speed import test_signal
from stemlane.errors import PluginError, StemlaneError, one_line
from stemlane.plugin.hosting import load_plugin
from stemlane.plugin.places import plugin_path
from stemlane.plugin.status import plugin_status

_SAMPLE_RATE = 44100
_SECONDS = 30.0
_SCANS = 5


def measure(model: str) -> dict[str, float]:
    """Scan time, time to the first output, offline speed, and memory of host and engine."""
    try:
        import pedalboard
    except ImportError:
        raise PluginError("pedalboard is not installed; run 'pip install pedalboard'") from None
    scans = []
    for _ in range(_SCANS):
        begin = time.perf_counter()
        scanned = pedalboard.VST3Plugin(plugin_path())
        del scanned
        scans.append(time.perf_counter() - begin)
    plugin = load_plugin(model, vocals_gain_db="-inf")
    mixture = test_signal(_SECONDS, _SAMPLE_RATE)
    begin = time.perf_counter()
    plugin.process(mixture[:, :4096], _SAMPLE_RATE)  # waits until the engine runs
    first_output = time.perf_counter() - begin
    begin = time.perf_counter()
    plugin.process(mixture, _SAMPLE_RATE)
    spent = time.perf_counter() - begin
    status = plugin_status(plugin)
    return {
        "scan_seconds": sorted(scans)[len(scans) // 2],
        "first_output_seconds": first_output,
        "offline_times_real_time": _SECONDS / spent,
        "latency_samples": status.latency_samples,
        "latency_ms": 1000 * status.latency_samples / _SAMPLE_RATE,
        "host_memory_mib": _memory_mib(Path("/proc/self")),
        "engine_memory_mib": max((_memory_mib(process) for process in _engines()), default=0.0),
    }


def _engines() -> list[Path]:
    """The engine processes below this one."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text(encoding="ascii").split():
            process = Path("/proc") / pid
            if (process / "comm").read_text(encoding="utf-8").startswith("stemlane-engin"):  # cut by the system
                found.append(process)
    return found


def _memory_mib(process: Path) -> float:
    """Resident memory; what is shared with others counts in full."""
    for line in (process / "status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    try:
        print(json.dumps(measure(sys.argv[1])))
    except StemlaneError as problem:
        print(one_line(problem), file=sys.stderr)
        sys.exit(1)
