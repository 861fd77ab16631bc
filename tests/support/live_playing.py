# SPDX-License-Identifier: MIT
"""What is heard when a model plays live without vocals, by the same model in Python."""

from collections.abc import Callable

import numpy as np
from stemlane.engine.streaming import StreamingSeparator

RATE = 44100
ROUNDING = 2e-6  # float32 sums in another order
RUN = RATE // 2  # separated without a gap
SLOWER = (1, 2, 4, 8, 16)


def heard(model: str, mixture: np.ndarray, latency: int, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the mixture without vocals is heard, and where the mixture: two times (samples,) of bool.

    Fails if anything but these two or a fade between them is heard.
    """
    assert not out[:, :latency].any()
    stream = StreamingSeparator(model, RATE, 2)
    vocals = np.concatenate([stream.process(mixture), stream.finish()], axis=2)[stream.stems.index("vocals")]
    num_out = out.shape[1] - latency
    vocals = vocals[:, :num_out]
    removed = mixture[:, :num_out] - out[:, latency:]
    assert (np.abs(removed - vocals / 2) <= np.abs(vocals) / 2 + ROUNDING).all()
    assert np.abs(vocals).mean() > 1000 * ROUNDING  # one can be told from the other
    return (np.abs(removed - vocals) <= ROUNDING).all(axis=0), (np.abs(removed) <= ROUNDING).all(axis=0)


def music(seconds: float) -> np.ndarray:
    return np.random.default_rng(61).uniform(-0.5, 0.5, (2, int(seconds * RATE))).astype(np.float32)


def runs(found: np.ndarray) -> list[slice]:
    """Where `found` (samples,) holds for `RUN` samples or longer."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found, [False]]).astype(int)))
    return [slice(*pair) for pair in edges.reshape(-1, 2) if pair[1] - pair[0] >= RUN]


def in_real_time_or_slower(check: Callable[[int], None]) -> None:
    """Run `check(slower)` until it holds: in real time, or in slow motion where the machine is busy with other things.

    An engine that is kept from running for longer than its backlog holds begins anew where the music is by then, and
    the segments of a model lie elsewhere from there on than those that `heard` compares with.
    """
    for slower in SLOWER:
        try:
            check(slower)
        except AssertionError:
            if slower == SLOWER[-1]:
                raise
        else:
            return
