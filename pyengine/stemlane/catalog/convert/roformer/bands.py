# SPDX-License-Identifier: MIT
"""The bands a RoFormer divides the spectrum into: side by side, or overlapping as mel filters do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# M. Slaney: Auditory Toolbox, 1998: linear below 1 kHz, logarithmic above. It is what librosa.filters.mel takes.
_LINEAR_HZ = 200 / 3
_LOGARITHMIC_FROM_HZ = 1000.0
_LOGARITHMIC_STEP = np.log(6.4) / 27


@dataclass(frozen=True)
class Range:
    """Bins of a band, from `start` to before `end`."""

    start: int
    end: int


def side_by_side(sizes: Sequence[int]) -> list[Range]:
    """Bands of these numbers of bins, one after the other."""
    ends = np.cumsum(sizes).tolist()
    return [Range(end - size, end) for size, end in zip(sizes, ends, strict=True)]


def mel(num_bands: int, fft_samples: int, sample_rate: float) -> list[Range]:
    """The bins that each of `num_bands` triangular mel filters weighs by more than 0, from 0 Hz to half the rate.

    As in the original (mel_band_roformer.py) bin 0 belongs to the first band and the highest to the last.
    """
    hz = np.arange(fft_samples // 2 + 1) * sample_rate / fft_samples
    highest = _mel(sample_rate / 2)
    corners = _hz(np.linspace(0, highest, num_bands + 2))
    found = []
    for band in range(num_bands):
        low, _, high = corners[band : band + 3]
        inside = np.flatnonzero((hz > low) & (hz < high))
        start = 0 if band == 0 else int(inside[0]) if len(inside) else 0
        end = len(hz) if band == num_bands - 1 else int(inside[-1]) + 1 if len(inside) else 0
        found.append(Range(start, end))
    return found


def _mel(hz: float) -> float:
    knee = _LOGARITHMIC_FROM_HZ / _LINEAR_HZ
    return float(knee + np.log(hz / _LOGARITHMIC_FROM_HZ) / _LOGARITHMIC_STEP)


def _hz(mels: np.ndarray) -> np.ndarray:
    knee = _LOGARITHMIC_FROM_HZ / _LINEAR_HZ
    above = _LOGARITHMIC_FROM_HZ * np.exp(_LOGARITHMIC_STEP * (mels - knee))
    return np.where(mels < knee, _LINEAR_HZ * mels, above)
