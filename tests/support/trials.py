# SPDX-License-Identifier: MIT
"""Trials of models in this process, for tests of what is tried: a process of its own takes half a second to start.

That process, its bounds and its end are shown in test_hostile_networks.py and test_hostile_models.py.
"""

import contextlib
import json
import queue
from collections.abc import Iterator

import pytest
from stemlane.catalog import trial, trial_process
from stemlane.errors import one_line


@contextlib.contextmanager
def _started(request: dict[str, object]) -> Iterator[tuple[None, trial.Answers]]:
    """What a trial's process says to a request, as `trial._started` gives it; through JSON, as from a process."""
    lines: trial.Answers = queue.Queue()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_process, "_say", lambda **values: lines.put(json.loads(json.dumps(values))))
        try:
            trial_process._say(result=trial_process._try(request["folders"], request["recording"]))
        except Exception as error:  # noqa: BLE001 - as in the process
            trial_process._say(problem=one_line(error)[:1000])
    yield None, lines


def try_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have models tried in this process."""
    monkeypatch.setattr(trial, "_started", _started)
