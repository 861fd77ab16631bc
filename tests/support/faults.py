# SPDX-License-Identifier: MIT
"""Breaks the work of a cluster's workers at chosen recordings, so often and no oftener, whichever worker it hits."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from distributed import WorkerPlugin

STAGES = ("begun", "written", "answered")  # nothing is there, all but the move, all but the answer


class Faults(WorkerPlugin):
    """Installs the faults in a worker, also in one that takes a killed one's place.

    Parameters
    ----------
    folder
        Where the faults keep count: workers that are killed remember nothing.
    plan
        By the name of a recording without its ending: what happens ("kill", or "fail", an error of the disk), at which
        stage, and how many times.
    """

    name = "faults"

    def __init__(self, folder: Path, plan: Mapping[str, tuple[str, str, int]]):
        self._folder, self._plan = folder, plan

    def setup(self, worker):
        from stemlane.files import separating

        original = getattr(separating.staged_results, "original", separating.staged_results)

        @contextlib.contextmanager
        def staged_results(finals, folder, request, check):
            track = finals[0].parent.name
            self._meet(track, "begun")
            with original(finals, folder, request, check) as staged:
                yield staged
                self._meet(track, "written")
            self._meet(track, "answered")

        staged_results.original = original
        separating.staged_results = staged_results

    def _meet(self, track: str, stage: str) -> None:
        what, where, most = self._plan.get(track, ("", "", 0))
        if stage != where or (self._folder / "mended").exists():
            return
        for number in range(most):
            with contextlib.suppress(FileExistsError):
                (self._folder / f"{track}.{number}").touch(exist_ok=False)
                if what == "fail":
                    raise OSError(5, "Input/output error")
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)  # the signal comes first

    def mend(self) -> None:
        """From now on nothing is broken, in any worker."""
        (self._folder / "mended").touch()

    def num_met(self) -> dict[str, int]:
        """How often each recording has met its fault."""
        return {track: len(list(self._folder.glob(f"{track}.*"))) for track in self._plan}
