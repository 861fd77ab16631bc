# SPDX-License-Identifier: MIT
"""Many recordings, one after the other or side by side: a damaged one is reported, and the others are done."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from stemlane.arguments import is_count, shown
from stemlane.engine.separator import Separator
from stemlane.errors import InputError, StemlaneError, one_line
from stemlane.files.names import Recording, check_distinct
from stemlane.files.places import check_place
from stemlane.files.request import Request
from stemlane.files.separating import Outcome, separate_recording
from stemlane.files.staging import remove_leftovers

MOST_JOBS = 32  # each holds some fourteen files open, of the 1024 a process usually may
Report = Callable[[Outcome], None]
Progress = Callable[[Recording, float], None]
_LOG = logging.getLogger(__name__)


class _StoppedError(Exception):
    """The batch has been interrupted."""


@dataclass(frozen=True)
class Batch:
    """Recordings to be separated.

    Attributes
    ----------
    recordings
        What is separated.
    folder
        Below this are the results.
    jobs
        How many are separated side by side.
    """

    recordings: Sequence[Recording]
    folder: Path
    separator: Separator
    request: Request
    skip_existing: bool = False
    jobs: int = 1

    def prepare(self) -> None:
        """Find what is in the way of the results, and remove what killed runs have left there.

        Raises
        ------
        InputError
            If two recordings would go to one place, or something is in the way at one of the places.
        """
        if not is_count(self.jobs, 1, MOST_JOBS):
            raise InputError(f"{shown(self.jobs)} jobs, should be from 1 to {MOST_JOBS}")
        places = [
            (recording, list(self.request.outputs(self.folder, recording, self.separator).values()))
            for recording in self.recordings
        ]
        check_distinct([(recording.path, file) for recording, files in places for file in files])
        for recording, files in places:
            check_place(recording.path, files)
        remove_leftovers([self.folder])
        self.separator.keep_ready(self.jobs)

    def run(
        self,
        report: Report = lambda outcome: None,
        progress: Progress = lambda recording, share: None,
    ) -> list[Outcome]:
        """Separate all of them.

        Parameters
        ----------
        report
            Called with the outcome of each as soon as it is known, by this thread.
        progress
            Called with a recording and what share of it has been finished since the last call, by any thread.

        Returns
        -------
        list of Outcome
            In the order of the recordings.
        """
        stop = threading.Event()
        outcomes: dict[int, Outcome] = {}
        with ThreadPoolExecutor(self.jobs, "stemlane") as pool:
            waiting: dict[Future[Outcome], int] = {}
            try:
                for index, recording in enumerate(self.recordings):
                    waiting[pool.submit(self._separate, recording, progress, stop)] = index
                    if len(waiting) > self.jobs:  # a few at a time, however many there are
                        self._collect(waiting, outcomes, report)
                while waiting:
                    self._collect(waiting, outcomes, report)
            except BaseException:
                stop.set()  # each cleans up behind itself before the pool ends
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [outcomes[index] for index in sorted(outcomes)]

    @staticmethod
    def _collect(waiting: dict[Future[Outcome], int], outcomes: dict[int, Outcome], report: Report) -> None:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=waiting.__getitem__):
            outcome = outcomes[waiting.pop(future)] = future.result()
            report(outcome)

    def _separate(self, recording: Recording, progress: Progress, stop: threading.Event) -> Outcome:
        def advance(num_samples: int, total: int) -> None:
            if stop.is_set():
                raise _StoppedError
            progress(recording, num_samples / total if total else 0.0)

        started = time.monotonic()
        outcome = Outcome(recording.path)
        try:
            if stop.is_set():
                raise _StoppedError
            return separate_recording(
                recording, self.folder, self.separator, self.request,
                skip_existing=self.skip_existing, progress=advance,
            )  # fmt: skip
        except StemlaneError as error:
            outcome.problem = one_line(error)
        except MemoryError:
            outcome.problem = f"{recording.path}: there is not enough memory to separate it"
        except _StoppedError:
            outcome.problem = f"{recording.path}: interrupted"
        except Exception as error:  # noqa: BLE001 - whatever one recording does to a library, the others want to be done
            _LOG.debug("%s", recording.path, exc_info=True)
            outcome.problem = f"{recording.path}: unexpected: {one_line(error)}"
        outcome.elapsed_seconds = time.monotonic() - started
        return outcome
