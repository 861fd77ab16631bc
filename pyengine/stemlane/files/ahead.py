# SPDX-License-Identifier: MIT
"""Works ahead: goes through an iterable on a thread of its own, so that reading, separating and writing overlap."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

_MOST_AHEAD = 2  # pieces that wait, of a second or so each: memory stays bounded

T = TypeVar("T")


class Ahead(Generic[T]):
    """The items of an iterable, in order, each made while those before it are used. A context manager.

    Parameters
    ----------
    items
        Used by one thread at a time, another one in each loop: a loop begins when its first item is taken, and ends
        the one before. What it raises is raised where its items are taken.

    Examples
    --------
    >>> with Ahead(range(3)) as numbers:
    ...     list(numbers), list(numbers)
    ([0, 1, 2], [0, 1, 2])
    """

    def __init__(self, items: Iterable[T]):
        self._items = items
        self._loop: _Loop[T] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the loop; no thread goes on with the items."""
        self._close()

    def __iter__(self) -> Iterator[T]:
        self._close()
        loop = self._loop = _Loop(self._items)
        yield from loop.take()

    def _close(self) -> None:
        if self._loop is not None:
            self._loop.close()
            self._loop = None


@dataclass(frozen=True)
class _Problem:
    error: BaseException


_END = object()


@dataclass
class _Loop(Generic[T]):
    """One way through the items."""

    items: Iterable[T]
    found: SimpleQueue[object] = field(default_factory=SimpleQueue)
    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_AHEAD))
    stopped: bool = False

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._fill, name="stemlane-ahead", daemon=True)
        self.thread.start()

    def take(self) -> Iterator[T]:
        while (item := self.found.get()) is not _END:
            if isinstance(item, _Problem):
                raise item.error
            self.places.release()
            yield item  # type: ignore[misc]  # all others are items

    def close(self) -> None:
        self.stopped = True
        self.places.release()
        self.thread.join()

    def _fill(self) -> None:
        try:
            items = iter(self.items)
            try:
                while self._may_go_on():
                    try:
                        item = next(items)
                    except StopIteration:
                        self.found.put(_END)
                        return
                    self.found.put(item)
            finally:
                if close := getattr(items, "close", None):  # a generator cleans up on the thread that has used it
                    close()
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            self.found.put(_Problem(error))

    def _may_go_on(self) -> bool:
        self.places.acquire()
        return not self.stopped
