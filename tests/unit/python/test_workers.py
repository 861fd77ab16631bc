# SPDX-License-Identifier: MIT
"""Who is tried again, when, and with whom: recordings on their way through made-up workers."""

import queue
from collections import defaultdict, deque
from concurrent.futures import Future
from pathlib import Path

import pytest
from stemlane.errors import EngineError
from stemlane.files import workers as workers_module
from stemlane.files.names import Recording
from stemlane.files.separating import Outcome
from stemlane.files.workers import Rounds, WorkerLostError


class MadeUpWorkers:
    """End the oldest recording whenever they are asked for more than they take, as its script says."""

    def __init__(self, scripts, num_at_once=3):
        self.num_at_once = num_at_once
        self._scripts = {name: iter(script) for name, script in scripts.items()}
        self._running = []
        self.together = defaultdict(list)  # by recording: how many were under way at each of its attempts

    def submit(self, recording):
        future = Future()
        self._running.append((recording, future))
        for other, _ in self._running:
            self.together[other.track].append(len(self._running))
        return future

    def end_one(self):
        recording, future = self._running.pop(0)
        what = next(self._scripts.get(recording.track, iter(())), "done")
        if what == "lost":
            future.set_exception(WorkerLostError("lost"))
        else:
            future.set_result(
                Outcome(recording.path, {}, problem="" if what == "done" else what, is_final=what == "kept")
            )

    def check(self):
        pass


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when somebody sleeps; waiting ends one recording and takes a hundredth of a second."""
    state = {"now": 0.0, "slept": [], "workers": None, "queue": None}

    def sleep(seconds):
        state["slept"].append(seconds)
        state["now"] += seconds

    class Ended(deque):
        put = deque.append

        def get(self, timeout):
            state["workers"].end_one()
            state["now"] += 0.01
            return self.popleft()

    monkeypatch.setattr(workers_module.time, "monotonic", lambda: state["now"])
    monkeypatch.setattr(workers_module.time, "sleep", sleep)
    state["queue"] = Ended
    monkeypatch.setattr(workers_module.queue, "SimpleQueue", Ended)
    return state


def run(clock, names, scripts, retries, **options):
    workers = clock["workers"] = MadeUpWorkers(scripts, **options)
    seen = []
    rounds = Rounds(
        [Recording(Path(name), name) for name in names], workers, retries,
        lambda outcome, attempt, again: seen.append((outcome.path.name, attempt, again)),
    )  # fmt: skip
    return rounds.run(), seen, workers


def test_outcomes_come_in_the_order_of_the_recordings(clock):
    outcomes, seen, workers = run(clock, "abcdef", {}, 0)
    assert [outcome.path.name for outcome in outcomes] == list("abcdef")
    assert seen == [(name, 1, False) for name in "abcdef"]
    assert max(map(max, workers.together.values())) == 3 and clock["slept"] == []


def test_what_fails_is_tried_again_after_longer_and_longer_pauses(clock):
    outcomes, seen, _ = run(clock, "a", {"a": ["x"] * 9}, 7)
    assert [outcome.problem for outcome in outcomes] == ["x"]
    assert seen == [("a", attempt, attempt < 8) for attempt in range(1, 9)]
    assert clock["slept"] == pytest.approx([1, 2, 4, 8, 16, 32, 60])


def test_what_would_fail_again_is_not_tried_again(clock):
    outcomes, seen, _ = run(clock, "ab", {"a": ["kept"], "b": ["x", "kept"]}, 7)
    assert [outcome.problem for outcome in outcomes] == ["kept", "kept"]
    assert seen == [("a", 1, False), ("b", 1, True), ("b", 2, False)] and clock["slept"] == pytest.approx([1])


def test_others_go_on_during_a_pause(clock):
    outcomes, seen, _ = run(clock, "abc", {"a": ["x", "x"]}, 2, num_at_once=1)
    assert [outcome.problem for outcome in outcomes] == ["", "", ""]
    assert seen == [("a", 1, True), ("b", 1, False), ("c", 1, False), ("a", 2, True), ("a", 3, False)]


def test_whoever_loses_a_worker_goes_again_alone_in_the_end(clock):
    scripts = {"a": ["lost"], "b": ["lost", "lost"], "c": ["x", "x", "x"], "d": ["x"]}
    outcomes, seen, workers = run(clock, "abcdefgh", scripts, 2)
    assert [outcome.problem for outcome in outcomes] == ["", "b: lost", "x", "", "", "", "", ""]
    assert seen[-2:] == [("a", 2, False), ("b", 2, False)]
    assert workers.together["a"][-1] == workers.together["b"][-1] == 1
    assert sum(not again for _, _, again in seen) == 8


def test_lost_workers_do_not_use_up_retries_and_suspects_stay_alone(clock):
    scripts = {"a": ["x", "lost", "x", "done"], "b": ["lost", "x"]}
    outcomes, seen, workers = run(clock, "abc", scripts, 2)
    assert [outcome.problem for outcome in outcomes] == ["", "", ""]
    assert [attempt for name, attempt, _ in seen if name == "a"] == [1, 2, 3, 4]
    assert workers.together["a"][-2:] == [1, 1] and workers.together["b"][-2:] == [1, 1]


def test_workers_that_have_gone_end_the_batch(clock, monkeypatch):
    def gone(self):
        raise EngineError("gone")

    def nothing(self, timeout):
        raise queue.Empty

    monkeypatch.setattr(MadeUpWorkers, "check", gone)
    monkeypatch.setattr(MadeUpWorkers, "end_one", lambda self: None)  # nothing ends any more
    monkeypatch.setattr(clock["queue"], "get", nothing)
    with pytest.raises(EngineError, match="gone"):
        run(clock, "ab", {}, 0)
