# SPDX-License-Identifier: MIT
"""Memory that is given back to the system: of arrays that stay where they are, and what malloc keeps of freed ones."""

import ctypes
import functools
import math
import mmap
import sys

import numpy as np

_FLAGS = ("MAP_PRIVATE", "MAP_ANONYMOUS")
_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
_LARGE_BYTES = 1 << 20


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


def keep_large_arrays_apart() -> None:
    """Let each array of numpy of a MiB or more have pages of its own, which go when it goes (glibc alone).

    Left to itself, malloc takes ever larger ones from its heap, up to 32 MB, and what outlives them keeps their place.
    """
    libc = _libc()
    if libc is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def forget_freed() -> None:
    """Give back the memory of arrays of numpy that are gone, which malloc keeps for the next ones (glibc alone)."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


@functools.cache
def _libc() -> ctypes.CDLL | None:
    """The C library, if it is one with what is used here."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
