# SPDX-License-Identifier: MIT
"""The outline of a recording as it goes by: the largest sample of each part, in bounded memory for any length."""

import numpy as np

MOST_COLUMNS = 400  # even: twice the pixels of a stem in the plugin's list, so that there are enough on fine screens


class Waveform:
    """Keeps the largest absolute sample of equal parts; when all columns are in use, two become one.

    Attributes
    ----------
    width_samples
        Length of a part; the last one may be shorter.
    """

    def __init__(self) -> None:
        self.width_samples = 1
        self._num_samples = 0
        self._columns = np.zeros(MOST_COLUMNS, np.float32)

    def add(self, block: np.ndarray) -> None:
        """Take the next block, (channels, samples); what is no number counts as silence."""
        num_samples = block.shape[1]
        if not num_samples:
            return
        start, end = self._num_samples, self._num_samples + num_samples
        while end > MOST_COLUMNS * self.width_samples:
            self._columns[: MOST_COLUMNS // 2] = self._columns.reshape(-1, 2).max(axis=1)
            self._columns[MOST_COLUMNS // 2 :] = 0
            self.width_samples *= 2
        first, last = start // self.width_samples, (end - 1) // self.width_samples
        edges = np.maximum(np.arange(first, last + 1) * self.width_samples - start, 0)
        largest = np.fmax.reduceat(np.fmax.reduce(np.abs(block), axis=0), edges)
        np.fmax(self._columns[first : last + 1], largest, out=self._columns[first : last + 1])
        self._num_samples = end

    @property
    def peak(self) -> float:
        """Largest absolute sample so far."""
        return float(self._columns.max())

    def percent(self) -> list[int]:
        """The columns in use, 200 to 400 or one a sample, in whole per cents of full scale, at most 100."""
        num_columns = -(-self._num_samples // self.width_samples)
        return [int(value) for value in np.rint(100 * np.minimum(self._columns[:num_columns], 1))]
