# SPDX-License-Identifier: MIT
"""Memory that is given back to the system: of arrays that stay where they are, and what malloc keeps of freed ones."""

import ctypes
import functools
import math
import mmap
import sys
from collections.abc import Callable

import numpy as np

_FLAGS = ("MAP_PRIVATE", "MAP_ANONYMOUS")


def paged_zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Zeros float32 of `shape`, in pages of their own, which take memory once they are written."""
    count = math.prod(shape)
    flags = sum(getattr(mmap, name, 0) for name in _FLAGS)  # Windows has none
    pages = mmap.mmap(-1, max(4 * count, 1), **({"flags": flags} if flags else {}))
    return np.frombuffer(pages, np.float32, count).reshape(shape)


def forget(array: np.ndarray) -> None:
    """Give back the memory of an array of `paged_zeros`: its values are zeros on Linux then, or stay."""
    pages: object = array
    while isinstance(pages, np.ndarray):
        pages = pages.base
    pages = pages.obj if isinstance(pages, memoryview) else pages
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if advice is not None and isinstance(pages, mmap.mmap):
        pages.madvise(advice)


def forget_freed() -> None:
    """Give back the memory of arrays of numpy that are gone, which malloc keeps for the next ones (glibc alone)."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
