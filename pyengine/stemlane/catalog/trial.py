# SPDX-License-Identifier: MIT
"""Runs untrusted models for the first time, in a process of its own with bounded time and memory.

A network that never ends, fills the memory or crashes onnxruntime ends that process, and whoever stops this one stops
that one too. It is no jail: it has the rights of the user, see docs/security.md.
"""

import contextlib
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from stemlane.catalog.trial_process import LONGEST_LINE
from stemlane.errors import ModelError
from stemlane.manifests.model import MEASURED, Manifest

# Far above what the heaviest model so far needs: three networks of HTDemucs, each 0.75 s of a core for a second of
# music (docs/performance.md), compute some 8 s for the known output, and four times 8 s where windows are measured.
# A RoFormer of 160 million weights takes 130 s for each of three segments of 8 s.
PROCESSOR_SECONDS = 1800
WALL_SECONDS = 3600
MEMORY_BYTES = 16 << 30  # of addresses, not of memory: HTDemucs resides in 0.6 GB
LEAST_MEMORY_BYTES = 4 << 30  # threads and libraries ask for addresses that they never use
# -P: what lies in the current folder is not imported.
_COMMAND = [sys.executable, "-P", "-m", "stemlane.catalog.trial_process"]
Known = dict[str, tuple[float, ...]] | None  # numbers by stem, None where the manifest has them
Found = tuple[list[Known], list[dict[str, float]] | None]
Answers = queue.Queue[dict[str, Any] | None]  # what the process says; None at its end
_MOST_LINES = 10_000
_DEATH_SECONDS = 10  # a process whose output has ended is about to end


def try_models(
    manifests: Sequence[Manifest],
    recording: Path | None = None,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Found:
    """Run models of one network.

    Parameters
    ----------
    manifests
        Models whose files have been verified.
    recording
        A .npy file of (2, samples) float32 to measure the models with, see `stemlane.catalog.measured`; None to leave
        that out.
    report
        Called with a stage's name, what is done of it and its total.

    Returns
    -------
    list of dict or None
        For each model its known output, or None where its manifest has one, which it gave.
    list of dict or None
        What `stemlane.catalog.measured.measure` found.

    Raises
    ------
    ModelError
        If a model does not run, gives something else than its manifest states, or takes too much time or memory.
    """
    request: dict[str, object] = {
        "folders": [str(manifest.folder) for manifest in manifests],
        "recording": None if recording is None else str(recording),
        "processor_seconds": PROCESSOR_SECONDS,
        "parent": os.getpid(),
        "memory_bytes": min(MEMORY_BYTES, max(_machine_bytes(), LEAST_MEMORY_BYTES)),
    }  # fmt: skip
    deadline = time.monotonic() + WALL_SECONDS
    with _started(request) as (process, lines):
        while True:
            try:
                answer = lines.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                raise ModelError(f"the network has run for {WALL_SECONDS} s without an end") from None
            if answer is None:
                raise ModelError(_death(process))
            if "problem" in answer:
                raise ModelError(" ".join(ascii(answer["problem"])[1:-1].split()))
            if "stage" in answer:
                stage, done, total = answer["stage"]
                report(str(stage), int(done), int(total))
            else:
                return _checked(answer["result"], manifests)


@contextlib.contextmanager
def _started(request: dict[str, object]) -> Iterator[tuple[subprocess.Popen[str], Answers]]:
    """The process and what it says, None at the end. It is dead when the block is left, for whatever reason."""
    process = subprocess.Popen(
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        errors="replace", start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None  # noqa: S101 - a pipe
    assert process.stdout is not None  # noqa: S101
    lines: Answers = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    try:
        reader.start()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()  # it stays open: that process ends when it is closed
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _read(output: IO[str], lines: Answers) -> None:
    for _ in range(_MOST_LINES):
        line = output.readline(LONGEST_LINE)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            break  # the end, or nonsense
        if not isinstance(answer, dict) or len(answer) != 1 or not set(answer) <= {"stage", "problem", "result"}:
            break
        lines.put(answer)
    lines.put(None)


def _death(process: subprocess.Popen[str]) -> str:
    try:
        status = process.wait(_DEATH_SECONDS)
    except subprocess.TimeoutExpired:  # it has said nonsense and goes on
        return "the network ended without a result"
    if status == -getattr(signal, "SIGXCPU", signal.SIGTERM):
        return f"the network has computed for {PROCESSOR_SECONDS} s without an end"
    if status == -signal.SIGTERM or status == -getattr(signal, "SIGKILL", signal.SIGTERM):
        return "the network was stopped, perhaps because memory ran out"
    if status < 0:
        return f"the network crashed ({signal.Signals(-status).name})"
    return "the network ended without a result"


def _checked(result: Any, manifests: Sequence[Manifest]) -> Found:
    """The result, whose process may say anything, in the form it should have."""
    try:
        known = [
            None if manifest.self_test else {stem: _numbers(values[stem], 4) for stem in manifest.separated_stems}
            for manifest, values in zip(manifests, result["self_test"], strict=True)
        ]
        measured = result["measured"]
        if measured is not None:
            measured = [
                {key: _numbers([values[key]], 1)[0] for key in MEASURED if key in values}
                for _, values in zip(manifests, measured, strict=True)
            ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError("the network ended without a result") from None
    return known, measured


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError
    return numbers


def _machine_bytes() -> int:
    """All memory of the machine, where the system says it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return MEMORY_BYTES
