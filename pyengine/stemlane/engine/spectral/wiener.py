# SPDX-License-Identifier: MIT
"""Multichannel Wiener filter: refines estimates of all stems by how each is spread over the two channels.

Expectation and maximisation for local Gaussian models as in Nugraha, Liutkus, Vincent, "Multichannel audio source
separation with deep neural networks", IEEE/ACM TASLP 24(9), 2016, in the form norbert and Open-Unmix give it: a stem's
covariance is its power in each bin of a frame times one matrix for each bin. Arrays are (stems, 2, frames, bins).
"""

from dataclasses import dataclass

import numpy as np

_FRAMES_AT_ONCE = 16  # bounds the memory, does not change the result
_LARGEST_MAGNITUDE = 10.0  # louder mixtures are scaled down to it, so that the constants below mean the same


@dataclass(frozen=True)
class SpatialModel:
    """Covariances (stems, bins) of each stem between the channels, of mean power one: Hermitian, 2 by 2."""

    first: np.ndarray
    second: np.ndarray
    cross: np.ndarray


class SpatialSums:
    """What a recording's frames add up to: everything the covariances depend on."""

    def __init__(self, num_stems: int, num_bins: int):
        self._first = np.zeros((num_stems, num_bins))
        self._second = np.zeros((num_stems, num_bins))
        self._cross = np.zeros((num_stems, num_bins), complex)
        self._largest = 0.0

    def add(self, estimates: np.ndarray, mixture: np.ndarray) -> None:
        """Take the estimates (stems, 2, frames, bins) and the mixture (2, frames, bins) of some frames."""
        for start in range(0, mixture.shape[1], _FRAMES_AT_ONCE):
            left, right = np.moveaxis(estimates[:, :, start : start + _FRAMES_AT_ONCE].astype(complex), 1, 0)
            self._first += _power(left).sum(axis=1)
            self._second += _power(right).sum(axis=1)
            self._cross += (left * right.conj()).sum(axis=1)
        if mixture.size:
            self._largest = max(self._largest, float(np.abs(mixture).max()))

    @property
    def scale(self) -> float:
        """What magnitudes are divided by."""
        return max(1.0, self._largest / _LARGEST_MAGNITUDE)

    def model(self, epsilon: float) -> SpatialModel:
        """The covariances; `epsilon` is added to each stem's power."""
        power = epsilon * self.scale**2 + (self._first + self._second) / 2
        return SpatialModel(self._first / power, self._second / power, self._cross / power)


def filtered(
    mixture: np.ndarray, estimates: np.ndarray, model: SpatialModel, *, scale: float, epsilon: float
) -> np.ndarray:
    """The Wiener filter of powers taken from `estimates`: new estimates of all stems, complex64."""
    found = np.empty(estimates.shape, np.complex64)
    # First axis: stem, then frame, then bin.
    first, second, cross = (values[:, np.newaxis] for values in (model.first, model.second, model.cross))
    for start in range(0, mixture.shape[1], _FRAMES_AT_ONCE):
        part = slice(start, start + _FRAMES_AT_ONCE)
        power = _power(estimates[:, :, part].astype(complex)).mean(axis=1) / scale**2
        left, right = mixture[:, part].astype(complex)
        floor = np.sqrt(epsilon)
        total_first = floor + (power * first).sum(axis=0)
        total_second = floor + (power * second).sum(axis=0)
        total_cross = (power * cross).sum(axis=0)
        determinant = total_first * total_second - _power(total_cross)
        whitened_left = (total_second * left - total_cross * right) / determinant
        whitened_right = (total_first * right - total_cross.conj() * left) / determinant
        found[:, 0, part] = power * (first * whitened_left + cross * whitened_right)
        found[:, 1, part] = power * (cross.conj() * whitened_left + second * whitened_right)
    return found


def refined(mixture: np.ndarray, estimates: np.ndarray, *, iterations: int, epsilon: float) -> np.ndarray:
    """Both steps, `iterations` times, for frames that share their covariances."""
    for _ in range(iterations):
        sums = SpatialSums(len(estimates), mixture.shape[-1])
        sums.add(estimates, mixture)
        estimates = filtered(mixture, estimates, sums.model(epsilon), scale=sums.scale, epsilon=epsilon)
    return estimates


def _power(values: np.ndarray) -> np.ndarray:
    power: np.ndarray = np.square(values.real) + np.square(values.imag)
    return power
