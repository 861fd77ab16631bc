# SPDX-License-Identifier: MIT
"""What a batch says of each recording to programs: fields of JSON, and the file that holds a line for each."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from stemlane.errors import InputError
from stemlane.files.separating import Outcome
from stemlane.json_text import json_text


def fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON holds it; `state` is done, skipped or failed."""
    return {
        "input": str(outcome.path),
        "state": "failed" if outcome.problem else "skipped" if outcome.skipped else "done",
        "problem": outcome.problem or None,
        "warnings": list(outcome.warnings),
        "outputs": {stem: str(path) for stem, path in outcome.outputs.items()},
        "seconds": round(outcome.seconds, 6),
        "elapsed_seconds": round(outcome.elapsed_seconds, 3),
        "provider": outcome.provider or None,
    }


class StatusFile:
    """A file of JSON lines, one for each attempt, that a batch appends to while it works; a `with` block closes it.

    Beside what `fields` says, a line holds `time`, `attempt`, and how many of all recordings have come to an end:
    `num_done` of `num_recordings`. The state of an attempt that will be repeated is `retry`.

    Parameters
    ----------
    path
        What is there already stays.

    Raises
    ------
    InputError
        If it cannot be written.
    """

    def __init__(self, path: str | Path, num_recordings: int):
        self._path, self._num_recordings, self._num_done = path, num_recordings, 0
        try:
            self._file: BinaryIO = open(path, "a+b", buffering=0)  # noqa: SIM115 - as long as the batch
            if self._file.seek(0, os.SEEK_END) and self._last_byte() != b"\n":
                self._file.write(b"\n")  # a batch that was killed has left half a line
        except OSError as error:
            raise self._problem(error) from None

    def _last_byte(self) -> bytes:
        self._file.seek(-1, os.SEEK_END)
        return self._file.read(1)

    def write(self, outcome: Outcome, attempt: int, *, again: bool) -> None:
        """Add the line of one attempt; `again` says that another follows."""
        self._num_done += not again
        line = fields(outcome) | ({"state": "retry"} if again else {}) | {
            "attempt": attempt, "num_done": self._num_done, "num_recordings": self._num_recordings,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip
        try:
            self._file.write(json_text(line).encode() + b"\n")  # in one piece
        except OSError as error:
            raise self._problem(error) from None

    def _problem(self, error: OSError) -> InputError:
        return InputError(f"{self._path}: the status cannot be written ({error.strerror})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
