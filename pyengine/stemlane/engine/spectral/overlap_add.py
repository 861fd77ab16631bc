# SPDX-License-Identifier: MIT
"""The one overlap-add: every front end and transform joins its overlapping pieces with it."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


class OverlapAdd:
    """A running sum of overlapping pieces, from the first sample on that has not been taken yet.

    Floating-point sums depend on their order: whoever adds in a fixed order gets the same bits every time.

    Parameters
    ----------
    lead_shape
        Leading dimensions of the pieces, such as (stems, channels).
    num_samples
        How far ahead of the next sample to take a piece may reach.
    """

    def __init__(self, lead_shape: tuple[int, ...], num_samples: int, dtype: "npt.DTypeLike" = np.float32):
        self._sum = np.zeros((*lead_shape, num_samples), dtype)

    def add(self, piece: np.ndarray, offset: int) -> None:
        """Add (*lead_shape, samples), the first sample `offset` after the next one to take."""
        self._sum[..., offset : offset + piece.shape[-1]] += piece

    def take(self, num_samples: int) -> np.ndarray:
        """The next samples, (*lead_shape, num_samples), a new array; no later piece may reach them."""
        taken: np.ndarray = self._sum[..., :num_samples].copy()
        num_kept = self._sum.shape[-1] - num_samples
        for row in self._sum.reshape(-1, self._sum.shape[-1]):  # one at a time: numpy copies what overlaps
            row[:num_kept] = row[num_samples:]
        self._sum[..., num_kept:] = 0
        return taken

    def reset(self) -> None:
        """Start again with silence."""
        self._sum.fill(0)
