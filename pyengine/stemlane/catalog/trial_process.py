# SPDX-License-Identifier: MIT
"""The process in which untrusted models are tried: bounds itself, runs them, prints what came out as lines of JSON.

`stemlane.catalog.trial` starts it, watches it and does not trust what it says: a network may have taken it over.
"""

import json
import os
import sys
import threading

LONGEST_LINE = 1 << 16


def _bound(processor_seconds: int, memory_bytes: int) -> None:
    """What this process may take. Where a system has no such limits, the one who started it watches the clock."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def follow(parent: int) -> None:
    """End when the process does that has started this one.

    It holds the other end of standard input. On Windows nobody may wait for that: a library that is loaded asks what
    standard input is, and Windows answers when it has been read. In a virtual environment there, a launcher starts this
    process and waits for it, so the parent says itself who it is.
    """

    def wait() -> None:
        if sys.platform == "win32":
            import _winapi

            handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, parent)
            _winapi.WaitForSingleObject(handle, _winapi.INFINITE)
        else:
            sys.stdin.read()

    def wait_and_end() -> None:
        try:
            wait()
        finally:  # also if it is gone already
            os._exit(1)

    threading.Thread(target=wait_and_end, daemon=True).start()


def _say(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _try(folders: list[str], recording: str | None) -> dict[str, object]:
    import numpy as np

    from stemlane.catalog import measured, selftest
    from stemlane.manifests.model import load_manifest

    manifests = [load_manifest(folder) for folder in folders]
    known = [None if selftest.check(manifest) else selftest.measure(manifest) for manifest in manifests]
    numbers = None
    if recording is not None:
        mixture = np.load(recording, allow_pickle=False)
        numbers = measured.measure(manifests, mixture, lambda stage, done, total: _say(stage=[stage, done, total]))
    return {"self_test": known, "measured": numbers}


def main() -> None:
    """Do what one line of standard input asks for."""
    request = json.loads(sys.stdin.readline())
    _bound(request["processor_seconds"], request["memory_bytes"])
    follow(request["parent"])
    from stemlane.errors import one_line

    try:
        _say(result=_try(request["folders"], request["recording"]))
    except MemoryError:
        _say(problem="the network needs more memory than one may take")
    except Exception as error:  # noqa: BLE001 - whatever a network does to this process
        _say(problem=one_line(error)[:1000])
    os._exit(0)  # at once: a thread waits


if __name__ == "__main__":
    main()
