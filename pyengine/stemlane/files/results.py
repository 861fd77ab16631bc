# SPDX-License-Identifier: MIT
"""Recordings and results wherever they are: the one place that knows what differs between a disk and a store."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from stemlane.files import stores
from stemlane.files.addresses import Address, Place
from stemlane.files.reading import content_of
from stemlane.files.staging import staged_files


def content_at(path: Place) -> str:
    """What tells the content of a recording from any other: a hash, or what its store says of it."""
    return stores.content_of(path) if isinstance(path, Address) else content_of(path)


def on_disk(path: Place) -> contextlib.AbstractContextManager[Path]:
    """The recording as a file of this machine: itself, or a copy for the time being."""
    return stores.fetched(path) if isinstance(path, Address) else contextlib.nullcontext(path)


def staged_results(
    finals: Sequence[Place], folder: Place, request: str, check: Callable[[], None]
) -> contextlib.AbstractContextManager[list[Path]]:
    """Give a temporary place for each of the files `finals` below `folder`; they go there when the block ends well.

    Before they go, `check` raises if what is there by then may not be replaced. A store has no locks: two that send at
    once may still replace each other's there.
    """
    if isinstance(folder, Address):
        return stores.staged_objects([Address(final) for final in finals], request, check)
    return staged_files([Path(final) for final in finals], folder, check)


def written_at(final: Place) -> contextlib.AbstractContextManager[Path]:
    """Where to write a file of this machine: the place itself, or a temporary file that is sent to an address."""
    return stores.sent(final) if isinstance(final, Address) else contextlib.nullcontext(final)
