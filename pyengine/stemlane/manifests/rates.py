# SPDX-License-Identifier: MIT
"""Lengths of transforms that follow the host's rate, so that spectra need no resampler. Standard library only.

A network that works on spectra asks for bins at certain frequencies and frames at certain times, not for a sample rate.
At another rate a frame of another length gives nearly the same bins. The C++ core's `core/frame_length.h` computes the
same numbers; a test compares the two.
"""

from stemlane.contract import FRAME_TOLERANCE


def frame_samples(fft_samples: int, model_rate: float, sample_rate: float) -> int:
    """Length of the transform at `sample_rate` whose bins lie where those of `fft_samples` at `model_rate` do.

    Within `FRAME_TOLERANCE` the length with the smallest largest prime factor, which makes the fastest transform; among
    those the nearest, then the shorter. Lengths are multiples of 8, or of 4 where no multiple of 8 is near enough.
    Below 1538 samples the nearest multiple of 4, which may lie 2 samples off, may miss by more. For 4096 at 44.1 kHz
    that is so below 16.6 kHz, by at most 0.27 % (at 8032 Hz). All usual rates, 8000 Hz too, are within the tolerance.

    Parameters
    ----------
    fft_samples
        Length at the model's rate, a multiple of 4.
    model_rate, sample_rate
        In Hz.

    Returns
    -------
    int
        A multiple of 4; `fft_samples` itself where the rates are equal.

    Examples
    --------
    >>> [frame_samples(4096, 44100, rate) for rate in (8000, 44100, 48000, 88200, 96000, 192000)]
    [744, 4096, 4464, 8192, 8928, 17856]
    """
    if sample_rate == model_rate:
        return fft_samples
    wanted = fft_samples * sample_rate
    for step in (8, 4):
        best, best_key = 0, (0, 0.0)
        first = int(wanted * (1 - FRAME_TOLERANCE) / model_rate) // step * step
        last = int(wanted * (1 + FRAME_TOLERANCE) / model_rate)
        for length in range(max(first, step), last + 1, step):
            miss = abs(length * model_rate - wanted)
            if miss > FRAME_TOLERANCE * wanted:
                continue
            key = (_largest_prime(length), miss)
            if not best or key < best_key:
                best, best_key = length, key
        if best:
            return best
    return max(4, 4 * int(wanted / model_rate / 4 + 0.5))


def _largest_prime(number: int) -> int:
    """The largest prime factor of a number of at least 2.

    >>> _largest_prime(4464), _largest_prime(4096), _largest_prime(743)
    (31, 2, 743)
    """
    largest, factor = 1, 2
    while factor * factor <= number:
        while number % factor == 0:
            largest, number = factor, number // factor
        factor += 1
    return max(largest, number)
