# SPDX-License-Identifier: MIT
"""The STFT of the streaming models and the grouping of its bins, in numpy.

The window pair is the contract between this folder and the `streaming` front end;
this module leaves resampling, states and files to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

SAMPLE_RATE = 44100

# Bands of the network as (number of bands, mask groups per band, bins per group), from 0 Hz up.
# One bin (10.8 Hz at 4096) per mask value to 4.1 kHz, two to 8.3 kHz, four above: there the ear and
# the ideal masks are smooth, and the training cost is proportional to the number of groups.
SECTIONS = ((8, 4, 1), (8, 8, 1), (6, 16, 1), (6, 32, 1), (4, 48, 2), (4, 80, 4))
NUM_BANDS = sum(count for count, _, _ in SECTIONS)
NUM_GROUPS = sum(count * width for count, width, _ in SECTIONS)


@dataclass(frozen=True)
class StftConfig:
    """Sizes of the analysis-synthesis system, in samples.

    Attributes
    ----------
    fft_samples : int
        Analysis window and FFT length N.
    synthesis_samples : int
        Ns <= N: the synthesis window covers the last Ns samples of a frame.
    hop_samples : int
        Step between frames: Ns / 2, Ns / 4, or more than Ns / 2, with frames that overlap by Ns - hop only.
    """

    fft_samples: int
    synthesis_samples: int
    hop_samples: int

    @property
    def num_bins(self) -> int:
        """Of a real transform."""
        return self.fft_samples // 2 + 1

    @property
    def fade_samples(self) -> int:
        """Length of either slope of the windows' product."""
        return min(self.synthesis_samples // 2, self.synthesis_samples - self.hop_samples)


def _hann(position: np.ndarray, length: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * position / length)


@lru_cache(maxsize=8)
def window_pair(config: StftConfig) -> tuple[np.ndarray, np.ndarray]:
    """Analysis and synthesis window, float32, each of length N.

    Mauler & Martin, "A low delay, variable resolution, perfect reconstruction spectral
    analysis-synthesis system for speech enhancement", EUSIPCO 2007, with a flat middle: their product
    rises like a Hann window over the first `config.fade_samples` of the last Ns samples, falls over the
    last ones, and is level between them (nothing, if Ns is twice the fade); the synthesis window carries
    the factor hop / (Ns - fade) that makes overlapped frames sum to one.
    """
    k, ns, fade = config.fft_samples, config.synthesis_samples, config.fade_samples
    n = np.arange(k)
    rising = np.sqrt(_hann(n, 2 * (k - fade)))
    falling = np.sqrt(_hann(n - (k - 2 * fade), 2 * fade))
    analysis = np.where(n < k - fade, rising, falling)
    product = np.ones(ns)
    product[:fade] = _hann(np.arange(fade), 2 * fade)
    synthesis = np.zeros(k)
    # Where the rising window is 0 (n = 0 of a symmetric pair) the numerator is 0 too: 0/0 -> 0.
    synthesis[k - ns : k - fade] = product[: ns - fade] / np.maximum(rising[k - ns : k - fade], 1e-12)
    synthesis[k - fade :] = falling[k - fade :]
    synthesis *= config.hop_samples / (ns - fade)
    return analysis.astype(np.float32), synthesis.astype(np.float32)


def stft(audio: np.ndarray, config: StftConfig, *, left_context: bool = True) -> np.ndarray:
    """Spectra (..., frames, bins) complex64 of audio (..., samples).

    Frame k ends at sample (k + 1) * hop - 1. With `left_context` zeros precede the audio;
    without it the first frame is the first complete one.
    """
    analysis, _ = window_pair(config)
    n, hop = config.fft_samples, config.hop_samples
    if left_context:
        audio = np.concatenate([np.zeros((*audio.shape[:-1], n - hop), np.float32), audio], axis=-1)
    frames = np.lib.stride_tricks.sliding_window_view(audio, n, axis=-1)[..., ::hop, :]
    return scipy.fft.rfft(frames * analysis, axis=-1, workers=1)


def istft(spectra: np.ndarray, config: StftConfig) -> np.ndarray:
    """Audio (..., frames * hop) of spectra (..., frames, bins); inverse of `stft` with left context.

    The last Ns - hop samples lack the frames after them and are not final.
    """
    _, synthesis = window_pair(config)
    n, hop = config.fft_samples, config.hop_samples
    num_frames = spectra.shape[-2]
    output = np.zeros((*spectra.shape[:-2], num_frames * hop + n - hop), np.float32)
    frames = scipy.fft.irfft(spectra, n, axis=-1, workers=1) * synthesis
    for index in range(num_frames):
        output[..., index * hop : index * hop + n] += frames[..., index, :]
    return output[..., n - hop :]


def group_sum(values: np.ndarray) -> np.ndarray:
    """Sums of a per-bin quantity (..., bins) over the mask groups: (..., NUM_GROUPS).

    The Nyquist bin joins the last group.
    """
    parts, start = [], 0
    for count, width, step in SECTIONS:
        stop = start + count * width * step
        part = values[..., start:stop]
        if step > 1:
            # Sums of strided slices: several times faster than a reduction over a short last axis.
            part = sum(part[..., offset::step] for offset in range(step))
        parts.append(part)
        start = stop
    grouped = np.concatenate(parts, axis=-1)
    grouped[..., -1] += values[..., start:].sum(axis=-1)
    return grouped


def group_of_bin(num_bins: int) -> np.ndarray:
    """Index of the mask group of every bin, int64 (num_bins,)."""
    index, group = [], 0
    for count, width, step in SECTIONS:
        index.append(np.repeat(np.arange(group, group + count * width), step))
        group += count * width
    index = np.concatenate(index)
    return np.concatenate([index, np.full(num_bins - len(index), group - 1)]).astype(np.int64)
