# SPDX-License-Identifier: MIT
"""What each stem says in its comment: what it answers, and which recording it comes from, so that none is lost."""

import hashlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stemlane.errors import InputError
from stemlane.files import stores
from stemlane.files.addresses import Address, Place
from stemlane.files.names import Recording, lacks
from stemlane.files.reading import tags_of
from stemlane.files.request import Request

_NUMBER = r"(\d+(?:\.\d+)?(?:e[+-]\d+)?)"
_TEXT = re.compile(
    rf"stemlane ([0-9a-f]{{24}}) of ([0-9a-f]{{16}}) ([0-9a-f]{{16}}) from {_NUMBER} to (?:{_NUMBER}|end)", re.ASCII
)


class StemsKeptError(InputError):
    """What lies where stems would go is kept. Another attempt would find it there, too."""


@dataclass(frozen=True)
class Mark:
    """What a stem was made of.

    Attributes
    ----------
    request
        `Request.fingerprint`: equal only if recording, model and all that was asked for are the same.
    content, path
        Hashes of the recording's content and of where it lies. Where one of them is equal, it is the same recording:
        it was moved, or edited.
    start_seconds, end_seconds
        The part of the recording; to its end if the latter is None, as it is for a request that reaches as far.
    """

    request: str
    content: str
    path: str
    start_seconds: float
    end_seconds: float | None

    @classmethod
    def of(cls, recording: Recording, content: str, request: Request, fingerprint: str) -> Self:
        """The mark of a recording's stems; `content` tells what it holds from anything else."""
        place = str(recording.path) if isinstance(recording.path, Address) else os.path.realpath(recording.path)
        start, duration = float(request.start_seconds), request.duration_seconds
        end = None if duration is None else start + float(duration)
        return cls(fingerprint, _short_hash(content), _short_hash(place), start, end)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The mark that is written in a comment, or None."""
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        request, content, path, start, end = found.groups()
        return cls(request, content, path, float(start), None if end is None else float(end))

    def __str__(self) -> str:
        end = "end" if self.end_seconds is None else repr(self.end_seconds)
        return f"stemlane {self.request} of {self.content} {self.path} from {self.start_seconds!r} to {end}"

    def may_replace(self, there: "Mark") -> bool:
        """Whether a stem with this mark may take the place of one with the other: same recording, same part."""
        return self.is_same_recording(there) and self.part == there.part

    def difference(self, there: "Mark") -> str:
        """What the stems `there` are of, in words."""
        if not self.is_same_recording(there):
            return "holds a stem of another recording"
        if there.part == (0.0, None):
            return "holds a stem of the whole recording"
        end = "its end" if there.end_seconds is None else f"{there.end_seconds:g} s"
        return f"holds a stem of another part of it, {there.start_seconds:g} s to {end}"

    def is_same_recording(self, other: "Mark") -> bool:
        """Whether both are of one recording."""
        return self.content == other.content or self.path == other.path

    @property
    def part(self) -> tuple[float, float | None]:
        """Where it begins and ends, in seconds."""
        return self.start_seconds, self.end_seconds


def _short_hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def mark_in(path: Place) -> Mark | None:
    """The mark in an audio file of this machine; None where there is none, or it cannot be read."""
    try:
        return Mark.read(tags_of(Path(path)).get("comment", ""))
    except Exception:  # noqa: BLE001 - whatever is wrong with it, nothing says that it is a stem
        return None


def without_mark(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a recording for what is made of it and is no stem: a mark would say that it is one."""
    return {name: text for name, text in tags.items() if Mark.read(text) is None}


def are_there(finals: Sequence[Place], mark: Mark) -> bool:
    """Whether all of the files are there, from the same request: on a disk each says so, in a store a receipt does."""
    if isinstance(finals[0], Address):
        objects = [Address(final) for final in finals]
        receipt = stores.receipt_of_all(objects)
        return receipt is not None and _answers(Mark.read(receipt.request), mark) and receipt.is_whole(objects)
    return all(_answers(mark_in(final), mark) for final in finals)


def _answers(there: Mark | None, mark: Mark) -> bool:
    return there is not None and there.request == mark.request


def check_nothing_is_lost(recording: Recording, finals: Sequence[Place], mark: Mark, request: Request) -> None:
    """Raise `StemsKeptError` if one of `finals` holds anything but a stem of the same part of the same recording.

    What cannot be read is kept, too: it may be somebody's. Only an empty file is not. In a store, where a look into a
    file is a download, its receipt says what it is.
    """
    for final in finals:
        if isinstance(final, Address):
            if stores.holds_something(final):
                _check(recording, final, Mark.read(stores.request_of(final)), mark, request)
        elif os.path.isfile(final) and os.path.getsize(final):
            _check(recording, final, mark_in(final), mark, request)


def _check(recording: Recording, final: Place, there: Mark | None, mark: Mark, request: Request) -> None:
    if there is not None and mark.may_replace(there):
        return
    found = "already exists and is not a stem of it" if there is None else mark.difference(there)
    is_another = there is None or not mark.is_same_recording(there)
    field = next((field for field in ("track", "parent") if is_another and lacks(request.name, field)), "")
    name = " " + shlex.quote(f"{{{field}}}/{request.name}") if field else ""
    raise StemsKeptError(
        f"{recording.shown}: {final} {found}; use another -o or --name{name} to keep both, or --overwrite"
    )
