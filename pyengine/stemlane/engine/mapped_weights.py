# SPDX-License-Identifier: MIT
"""Weights of large networks: read from their file while the network computes, never in memory as a whole.

Such a weight is an input of the network whose name says where in the file it begins: `weights@OFFSET`. The file is
mapped, so pages come when they are used; while a step is computed they are let go of again and again. They stay in the
system's file cache, which gives way to whatever needs memory. Where the system lets go of nothing, they stay.
"""

import contextlib
import math
import mmap
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from stemlane.errors import ModelError

_START = "weights@"
_INTERVAL_SECONDS = 0.05  # a core reads some 10 MB of weights in that time, with which it multiplies hundreds of rows


def is_mapped(name: str) -> bool:
    """Whether the input of this name is a weight that is read from its file."""
    return name.startswith(_START)


class MappedWeights:
    """The mapped weights of one network.

    Parameters
    ----------
    network
        The network's file; that of the weights lies beside it and ends in `.weights`.
    tensors
        Type and shape by name of the inputs that are such weights.

    Attributes
    ----------
    arrays
        By name, read only.

    Raises
    ------
    ModelError
        If a weight does not lie in the file.
    """

    def __init__(self, network: Path, tensors: Mapping[str, tuple[type[np.generic], tuple[int, ...]]]):
        self.arrays: dict[str, np.ndarray] = {}
        self._file: mmap.mmap | None = None
        path = network.with_suffix(".weights")
        if not tensors:
            return
        try:
            with path.open("rb") as file:
                self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            for name, (dtype, shape) in tensors.items():
                start, count = int(name.removeprefix(_START)), math.prod(shape)
                values = np.frombuffer(self._file, dtype, count, start)
                self.arrays[name] = values.reshape(shape)
        except (OSError, ValueError, OverflowError) as error:
            raise ModelError(f"{path}: does not hold the weights of {network.name}: {error}") from None

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """While the network computes: holds little of the weights at any time, and nothing afterwards."""
        let_go = self._let_go()
        if let_go is None:
            yield
            return
        done = threading.Event()

        def repeat() -> None:
            while not done.wait(_INTERVAL_SECONDS):
                let_go()

        thread = threading.Thread(target=repeat, name="mapped weights", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            let_go()

    def _let_go(self) -> Callable[[], None] | None:
        """What takes the pages out of this process's memory; None where there are none or the system cannot."""
        file, advice = self._file, getattr(mmap, "MADV_DONTNEED", None)
        if file is None or advice is None:
            return None
        return lambda: file.madvise(advice)
