# SPDX-License-Identifier: MIT
"""Many recordings, one after the other, side by side or on a cluster: those that fail keep no others waiting."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stemlane.arguments import is_count, shown
from stemlane.engine.separator import Separator
from stemlane.errors import InputError
from stemlane.files.addresses import Place
from stemlane.files.names import Recording, check_distinct
from stemlane.files.places import check_place
from stemlane.files.request import Request
from stemlane.files.separating import Outcome, StoppedError, try_recording
from stemlane.files.staging import remove_leftovers
from stemlane.files.status import StatusFile
from stemlane.files.workers import Rounds, Workers

MOST_JOBS = 32  # each holds some fourteen files open, of the 1024 a process usually may
Report = Callable[[Outcome], None]
Progress = Callable[[Recording, float], None]


@dataclass(frozen=True)
class Batch:
    """Recordings to be separated.

    Attributes
    ----------
    recordings
        What is separated.
    folder
        Below this are the results: a path, or an address in a store.
    jobs
        How many are separated side by side, by threads of this process.
    dask
        Address of the scheduler of a Dask cluster, whose workers separate instead.
    retries
        How many times a recording that failed is tried again.
    status
        A file of JSON lines that grows while the batch works, see `StatusFile`.
    """

    recordings: Sequence[Recording]
    folder: Place
    separator: Separator
    request: Request
    skip_existing: bool = False
    overwrite: bool = False
    jobs: int = 1
    dask: str | None = None
    retries: int = 0
    status: str | Path | None = None

    def prepare(self) -> None:
        """Find what is in the way of the results, and remove what killed runs have left there.

        Raises
        ------
        InputError
            If two recordings would go to one place, or something is in the way at one of the places.
        """
        if not is_count(self.jobs, 1, MOST_JOBS):
            raise InputError(f"{shown(self.jobs)} jobs, should be from 1 to {MOST_JOBS}")
        if not is_count(self.retries, 0, sys.maxsize):
            raise InputError(f"{shown(self.retries)} retries, should be 0 or more")
        readable = [recording for recording in self.recordings if not recording.problem]
        places = [(recording, list(self._outputs(recording).values())) for recording in readable]
        check_distinct([(recording, file) for recording, files in places for file in files], self.request.name)
        for recording, files in places:
            check_place(recording.path, files)
        self._clean()
        self.separator.keep_ready(self.jobs)

    def _outputs(self, recording: Recording) -> dict[str, Place]:
        return self.request.outputs(self.folder, recording, self.separator)

    def _clean(self) -> None:
        if isinstance(self.folder, Path):
            remove_leftovers([self.folder])

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
            Called with a recording and what share of it has been finished since the last call, by any thread. A
            cluster's workers do not call it.

        Returns
        -------
        list of Outcome
            In the order of the recordings.
        """
        with contextlib.ExitStack() as stack:
            workers = stack.enter_context(self._workers(progress))
            status = stack.enter_context(StatusFile(self.status, len(self.recordings))) if self.status else None

            def attempted(outcome: Outcome, attempt: int, again: bool) -> None:
                if status is not None:
                    status.write(outcome, attempt, again=again)
                if not again:
                    report(outcome)

            return Rounds(self.recordings, workers, self.retries, attempted).run()

    @contextlib.contextmanager
    def _workers(self, progress: Progress) -> Iterator[Workers]:
        if self.dask is None:
            with _Threads(self, progress) as threads:
                yield threads
            return
        from stemlane.files.cluster import DaskWorkers, Job

        job = Job.of(
            self.separator, self.folder, self.request, skip_existing=self.skip_existing, overwrite=self.overwrite
        )
        with DaskWorkers(self.dask, job, self._outputs) as cluster:
            yield cluster
        self._clean()  # what workers left that were killed


class _Threads:
    """Threads of this process. A `with` block that ends with an error stops them; each cleans up behind itself."""

    def __init__(self, batch: Batch, progress: Progress):
        self._batch, self._progress = batch, progress
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(batch.jobs, "stemlane")
        self.num_at_once = batch.jobs + 1  # one waits, so that no thread does

    def submit(self, recording: Recording) -> Future[Outcome]:
        """See `Workers`."""
        return self._pool.submit(self._separate, recording)

    def check(self) -> None:
        """See `Workers`."""

    def _separate(self, recording: Recording) -> Outcome:
        batch = self._batch

        def advance(num_samples: int, total: int) -> None:
            if self._stop.is_set():
                raise StoppedError
            self._progress(recording, num_samples / total if total else 0.0)

        return try_recording(
            recording, batch.folder, batch.separator, batch.request,
            skip_existing=batch.skip_existing, overwrite=batch.overwrite, progress=advance,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is not None:
            self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
