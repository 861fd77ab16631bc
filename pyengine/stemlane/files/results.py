# SPDX-License-Identifier: MIT
"""Recordings and results wherever they are: the one place that knows what differs between a disk and a store."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from stemlane.files import stores
from stemlane.files.addresses import Address, Place
from stemlane.files.reading import AudioInput, content_of
from stemlane.files.staging import staged_files


def content_at(path: Place) -> str:
    """What tells the content of a recording from any other: a hash, or what its store says of it."""
    return stores.version_of(path) if isinstance(path, Address) else content_of(path)


def on_disk(path: Place) -> contextlib.AbstractContextManager[Path]:
    """The recording as a file of this machine: itself, or a copy for the time being."""
    return stores.fetched(path) if isinstance(path, Address) else contextlib.nullcontext(path)


def staged_results(
    finals: Sequence[Place], folder: Place, request: str
) -> contextlib.AbstractContextManager[list[Path]]:
    """Give a temporary place for each of the files `finals` below `folder`; they go there when the block ends well."""
    if isinstance(folder, Address):
        return stores.staged_objects([Address(final) for final in finals], request)
    return staged_files([Path(final) for final in finals], folder)


def written_at(final: Place) -> contextlib.AbstractContextManager[Path]:
    """Where to write a file of this machine: the place itself, or a temporary file that is sent to an address."""
    return stores.sent(final) if isinstance(final, Address) else contextlib.nullcontext(final)


def are_there(finals: Sequence[Place], request: str) -> bool:
    """Whether all of the files are there, from the same request: on a disk each says so, in a store a receipt does."""
    if isinstance(finals[0], Address):
        return stores.are_there([Address(final) for final in finals], request)
    return all(Path(final).is_file() and _comment(Path(final)) == request for final in finals)


def _comment(path: Path) -> str:
    """The comment in a file, or nothing where none can be read."""
    try:
        with AudioInput(path) as file:
            return file.tags.get("comment", "")
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no finished stem of ours
        return ""
