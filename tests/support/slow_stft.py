# SPDX-License-Identifier: MIT
"""Slow reference of the STFT: windows sample by sample from the paper, Fourier sums by definition."""

import cmath
import math

import numpy as np


def hann_at(n: int, length: int) -> float:
    """Periodic Hann window of `length` at sample n."""
    return math.sin(math.pi * n / length) ** 2


def fade(synthesis_samples: int, hop_samples: int) -> int:
    """M: half the synthesis window, or the overlap of two frames where that is less."""
    return min(synthesis_samples // 2, synthesis_samples - hop_samples)


def analysis_window(fft_samples: int, synthesis_samples: int, hop_samples: int) -> np.ndarray:
    """Mauler and Martin (2007), analysis window h, K = fft_samples."""
    k, m = fft_samples, fade(synthesis_samples, hop_samples)
    window = []
    for n in range(k):
        if n < k - m:
            window.append(math.sqrt(hann_at(n, 2 * (k - m))))
        else:
            window.append(math.sqrt(hann_at(n - (k - 2 * m), 2 * m)))
    return np.array(window)


def synthesis_window(fft_samples: int, synthesis_samples: int, hop_samples: int) -> np.ndarray:
    """The same paper's synthesis window f with a level middle, divided by the sum of the overlapping products."""
    k, m, start = fft_samples, fade(synthesis_samples, hop_samples), fft_samples - synthesis_samples
    window = []
    for n in range(k):
        if n < start:
            window.append(0.0)
        elif n < k - m:
            rise = math.sqrt(hann_at(n, 2 * (k - m)))
            product = hann_at(n - start, 2 * m) if n < start + m else 1.0
            window.append(product / rise if rise > 0 else 0.0)
        else:
            window.append(math.sqrt(hann_at(n - (k - 2 * m), 2 * m)))
    return np.array(window) * hop_samples / (synthesis_samples - m)


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
