# SPDX-License-Identifier: MIT
"""Slow reference of the STFT: windows sample by sample from the paper, Fourier sums by definition."""

import cmath
import math

import numpy as np


def hann_at(n: int, length: int) -> float:
    """Periodic Hann window of `length` at sample n."""
    return math.sin(math.pi * n / length) ** 2


def analysis_window(fft_samples: int, synthesis_samples: int) -> np.ndarray:
    """Mauler and Martin (2007), analysis window h, K = fft_samples, M = synthesis_samples / 2."""
    k, m = fft_samples, synthesis_samples // 2
    window = []
    for n in range(k):
        if n < k - m:
            window.append(math.sqrt(hann_at(n, 2 * (k - m))))
        else:
            window.append(math.sqrt(hann_at(n - (k - 2 * m), 2 * m)))
    return np.array(window)


def synthesis_window(fft_samples: int, synthesis_samples: int, hop_samples: int) -> np.ndarray:
    """The same paper's synthesis window f, divided by the sum of the overlapping products."""
    k, m = fft_samples, synthesis_samples // 2
    window = []
    for n in range(k):
        if n < k - 2 * m:
            window.append(0.0)
        elif n < k - m:
            rise = math.sqrt(hann_at(n, 2 * (k - m)))
            window.append(hann_at(n - (k - 2 * m), 2 * m) / rise if rise > 0 else 0.0)
        else:
            window.append(math.sqrt(hann_at(n - (k - 2 * m), 2 * m)))
    return np.array(window) * 2 * hop_samples / synthesis_samples


def spectrum(samples: np.ndarray, last: int, window: np.ndarray) -> np.ndarray:
    """Bins 0 to N/2 of the windowed frame that ends with sample `last`; samples before the first are zero."""
    length = len(window)
    frame = [samples[i] * window[i - last + length - 1] if i >= 0 else 0.0 for i in range(last - length + 1, last + 1)]
    return np.array(
        [
            sum(x * cmath.exp(-2j * math.pi * b * n / length) for n, x in enumerate(frame))
            for b in range(length // 2 + 1)
        ]
    )
