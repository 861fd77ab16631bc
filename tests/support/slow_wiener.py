# SPDX-License-Identifier: MIT
"""Slow reference of the Wiener filter, by its matrices, and of a segment model's stream that uses it."""

import numpy as np

from support.tiny_spleeter import FFT, HOP, tiny_masks

EPSILON = float(np.finfo(np.float32).eps)


def slow_covariances(estimates: np.ndarray, epsilon: float) -> np.ndarray:
    """Of each stem in each bin, (stems, bins, 2, 2), from estimates (stems, 2, frames, bins)."""
    columns = estimates.transpose(0, 3, 1, 2)  # (stems, bins, 2, frames)
    outer = columns @ columns.conj().swapaxes(2, 3)
    powers = (np.abs(columns) ** 2).mean(axis=2).sum(axis=2)
    found: np.ndarray = outer / (epsilon + powers)[..., np.newaxis, np.newaxis]
    return found


def slowly_filtered(mixture, estimates, covariances, epsilon: float) -> np.ndarray:
    """All stems (stems, 2, frames, bins), each by its share of the mixture's covariance in that frame and bin."""
    new = np.zeros_like(estimates)
    for frame in range(mixture.shape[1]):
        powers = (np.abs(estimates[:, :, frame]) ** 2).mean(axis=1)  # (stems, bins)
        parts = powers[..., np.newaxis, np.newaxis] * covariances
        inverse = np.linalg.inv(np.sqrt(epsilon) * np.eye(2) + sum(parts))
        for stem, part in enumerate(parts):
            new[stem, :, frame] = (part @ inverse @ mixture[:, frame].T[..., np.newaxis])[..., 0].T
    return new


def slowly_refined(mixture, estimates, iterations: int, epsilon: float) -> np.ndarray:
    """Covariances and filter, `iterations` times, in float64; louder mixtures are scaled to a magnitude of 10."""
    scale = max(1, np.abs(mixture).max() / 10)
    mixture, estimates = mixture.astype(complex) / scale, estimates.astype(complex) / scale
    for _ in range(iterations):
        estimates = slowly_filtered(mixture, estimates, slow_covariances(estimates, epsilon), epsilon)
    return estimates * scale


def slow_wiener_separation(
    mixture: np.ndarray,
    *,
    segment_frames: int,
    stride_frames: int,
    crossfade_frames: int,
    num_bins: int,
    steepness: float,
    num_stems: int,
    live: bool,
    blends: bool = True,
) -> np.ndarray:
    """What a `spleeter` model with the filter gives for (2, samples): (stems but the last, 2, samples), in float64.

    Segment s ends with frame (s + 1) stride - 1 and keeps `stride_frames` after its context; so many frames more are
    blended with the first ones that the next segment keeps. Live, covariances and scale are the segment's own; else
    those of all frames, each as the segment has it that keeps it. Without `blends` each frame is its keeper's alone.
    """
    num_samples, rest = mixture.shape[1], segment_frames - stride_frames - crossfade_frames
    before = rest - rest // 2
    num_segments = -(-(num_samples // HOP + 2 * segment_frames) // stride_frames)
    lead = segment_frames - stride_frames  # frames of the first segment before frame 0
    num_frames = lead + num_segments * stride_frames
    padded = np.zeros((2, num_frames * HOP + FFT))
    start = lead * HOP + FFT
    padded[:, start : start + num_samples] = mixture
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    spectra = np.stack(
        [np.fft.rfft(padded[:, k * HOP : k * HOP + FFT] * window)[:, :num_bins] for k in range(num_frames)], axis=1
    )
    segments, estimates = [], []
    for first in range(0, num_segments * stride_frames, stride_frames):
        heard = spectra[:, first : first + segment_frames]
        magnitudes = np.abs(heard) * tiny_masks(np.abs(heard), steepness, num_stems)
        segments.append(heard)
        estimates.append(magnitudes / (EPSILON + magnitudes.sum(axis=0)) * heard)
    kept = slice(before, before + stride_frames)
    recording = np.concatenate([part[:, :, kept] for part in estimates], axis=2)
    weights = ((np.arange(crossfade_frames) + 0.5) / crossfade_frames)[:, np.newaxis]
    blended, following = np.zeros((num_stems, 2, num_frames, FFT // 2 + 1), complex), 0
    for index, (heard, part) in enumerate(zip(segments, estimates, strict=True)):
        scale = max(1, np.abs(heard if live else spectra).max() / 10)
        covariances = slow_covariances((part if live else recording) / scale, EPSILON)
        stop = kept.stop + crossfade_frames
        found = scale * slowly_filtered(
            heard[:, before:stop] / scale, part[:, :, before:stop] / scale, covariances, EPSILON
        )
        if blends:
            found[:, :, :crossfade_frames] *= weights
            found[:, :, :crossfade_frames] += (1 - weights) * following
            following = found[:, :, stride_frames:].copy()
        place = index * stride_frames + before
        blended[:, :, place : place + stride_frames, :num_bins] = found[:, :, :stride_frames]
    frames = np.fft.irfft(blended, FFT) * window * 2 / 3
    stems = np.zeros((num_stems, *padded.shape))
    for k in range(num_frames):
        stems[:, :, k * HOP : k * HOP + FFT] += frames[:, :, k]
    return stems[:-1, :, start : start + num_samples]
