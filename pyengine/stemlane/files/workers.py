# SPDX-License-Identifier: MIT
"""Hands recordings to those who separate, threads or a cluster, and again what failed."""

import heapq
import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from stemlane.errors import StemlaneError
from stemlane.files.names import Recording
from stemlane.files.separating import Outcome

BACK_OFF_SECONDS = 1.0  # before the second attempt, twice as long before each further one
_LONGEST_BACK_OFF_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 1.0  # until the workers are asked whether they are still there
Attempt = Callable[[Outcome, int, bool], None]


class WorkerLostError(StemlaneError):
    """Whoever separated the recording has gone, killed or crashed, maybe by it, maybe beside it."""


class Workers(Protocol):
    """Those who separate."""

    num_at_once: int

    def submit(self, recording: Recording) -> Future[Outcome]:
        """Begin with a recording. Its future has the outcome, whatever that is, or raises `WorkerLostError`."""

    def check(self) -> None:
        """Raise `StemlaneError` if nothing will come of what was submitted."""


class Rounds:
    """The recordings of a batch on their way through the workers.

    A recording whose worker was lost is a suspect. It goes again when all others have ended, alone, so that whatever
    loses the worker then is no other.

    Parameters
    ----------
    retries
        How many times a recording that failed is tried again, if another attempt may end otherwise. Lost workers do not
        count.
    report
        Called with each outcome, the number of the attempt and whether another follows, by the thread that runs this.
    """

    def __init__(self, recordings: Sequence[Recording], workers: Workers, retries: int, report: Attempt):
        self._recordings, self._workers, self._retries, self._report = recordings, workers, retries, report
        self._next = 0
        self._later: list[tuple[float, int]] = []  # a heap: when a recording is tried again, and its index
        self._suspects: deque[int] = deque()
        self._tried_alone: set[int] = set()
        self._attempts: Counter[int] = Counter()
        self._failures: Counter[int] = Counter()  # attempts that ended by themselves; a lost worker says nothing
        self._running: dict[Future[Outcome], int] = {}
        self._ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()  # waiting for thousands at once is slow
        self._is_alone = False  # whether the one that runs is a suspect
        self._outcomes: dict[int, Outcome] = {}

    def run(self) -> list[Outcome]:
        """Work until every recording has its outcome; they are in the order of the recordings."""
        while True:
            while len(self._running) < self._workers.num_at_once and (index := self._due()) is not None:
                self._submit(index)
            if not self._running and self._suspects and not self._later:
                index = self._suspects.popleft()
                self._tried_alone.add(index)
                self._is_alone = True
                self._submit(index)
            if self._running:
                self._collect()
            elif self._later:
                time.sleep(max(self._later[0][0] - time.monotonic(), 0))
            else:
                return [self._outcomes[index] for index in sorted(self._outcomes)]

    def _due(self) -> int | None:
        """A recording whose turn it is, if there is one; a suspect goes alone."""
        if self._is_alone:
            return None
        while self._later and self._later[0][0] <= time.monotonic():
            _, index = heapq.heappop(self._later)
            if index not in self._tried_alone:
                return index
            self._suspects.append(index)
        if self._next < len(self._recordings):
            self._next += 1
            return self._next - 1
        return None

    def _submit(self, index: int) -> None:
        self._attempts[index] += 1
        future = self._workers.submit(self._recordings[index])
        self._running[future] = index
        future.add_done_callback(self._ended.put)

    def _collect(self) -> None:
        longest = _LONGEST_WAIT_SECONDS
        if self._later:
            longest = min(max(self._later[0][0] - time.monotonic(), 0), longest)
        try:
            future = self._ended.get(timeout=longest)
        except queue.Empty:
            self._workers.check()
            return
        index = self._running.pop(future)
        self._is_alone = False
        try:
            self._settle(index, future.result())
        except WorkerLostError as error:
            shown = self._recordings[index].shown
            outcome = Outcome(shown, problem=f"{shown}: {error}")
            if index in self._tried_alone:
                self._end(index, outcome)
            else:
                self._suspects.append(index)
                self._report(outcome, self._attempts[index], True)

    def _settle(self, index: int, outcome: Outcome) -> None:
        self._failures[index] += bool(outcome.problem)
        num_failures = self._failures[index]
        if not outcome.problem or outcome.is_final or num_failures > self._retries:
            self._end(index, outcome)
            return
        self._report(outcome, self._attempts[index], True)
        pause = min(BACK_OFF_SECONDS * 2 ** (num_failures - 1), _LONGEST_BACK_OFF_SECONDS)
        heapq.heappush(self._later, (time.monotonic() + pause, index))

    def _end(self, index: int, outcome: Outcome) -> None:
        self._outcomes[index] = outcome
        self._report(outcome, self._attempts[index], False)
