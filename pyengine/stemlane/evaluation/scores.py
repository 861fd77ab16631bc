# SPDX-License-Identifier: MIT
"""SDR of streams of stems against the true ones, the score made of it, and the ideal ratio mask as an upper bound."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from stemlane.audio_checks import rechunk
from stemlane.engine.spectral.stft import StftAnalysis, StftSynthesis, hann

_SILENCE = 1e-8  # mean square (-80 dB of full scale) under which a true stem counts as silent: SDR says nothing there
LEAST_SPAN_DB = 3.0  # between the two ends of a score; of less, a small error becomes a large number
_MASK_FFT_SAMPLES, _MASK_HOP_SAMPLES = 2048, 512


@dataclass(frozen=True)
class StemResult:
    """How close one estimated stem is to the true one.

    Attributes
    ----------
    sdr_db
        10 log10(sum s^2 / sum (s - estimate)^2) over the whole song; None where the true stem is silent.
    median_sdr_db
        Median of the same over 1-second frames, those with a silent true stem left out.
    leak_db
        Energy of the estimate relative to the mixture, where the true stem is silent.
    """

    sdr_db: float | None
    median_sdr_db: float | None
    leak_db: float | None


def measure(truth: Iterable[np.ndarray], estimate: Iterable[np.ndarray]) -> list[StemResult]:
    """Compare two streams of (stems, channels, samples) cut alike into 1-second frames; one result per stem."""
    energies: list[tuple[np.ndarray, ...]] = []  # per frame: of signal, error and estimate by stem, and of the mixture
    counts: list[int] = []
    for true, estimated in zip(truth, estimate, strict=True):
        true, estimated = true.astype(np.float64), estimated.astype(np.float64)
        of_stems = (np.square(values).sum(axis=(1, 2)) for values in (true, true - estimated, estimated))
        energies.append((*of_stems, np.square(true.sum(axis=0)).sum()))
        counts.append(true[0].size)
    signal, error, estimated_energy, mixture = (np.array(values) for values in zip(*energies, strict=True))
    sizes = np.array(counts)
    results = []
    for stem in range(signal.shape[1]):
        total = signal[:, stem].sum()
        if total < _SILENCE * sizes.sum():
            results.append(StemResult(None, None, _db(estimated_energy[:, stem].sum(), sum(mixture))))
            continue
        sounding = signal[:, stem] >= _SILENCE * sizes
        frames = [_db(s, e) for s, e in zip(signal[sounding, stem], error[sounding, stem], strict=True)]
        results.append(StemResult(_db(total, error[:, stem].sum()), float(np.median(frames)) if frames else None, None))
    return results


def _db(numerator: float, denominator: float) -> float:
    """10 log10 of a ratio of energies, kept within 200 dB so that exact matches stay numbers."""
    if numerator <= 0:
        return -200.0
    return float(np.clip(10 * math.log10(numerator / denominator), -200, 200)) if denominator > 0 else 200.0


def ideal_ratio_mask(truth: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """What a real mask can reach: each stem's share of the energies, applied to the mixture, Hann windows of 2048/512.

    Takes and yields (stems, channels, samples) of any lengths.
    """
    step = _MASK_FFT_SAMPLES  # one full window at a time
    delay = _MASK_FFT_SAMPLES - _MASK_HOP_SAMPLES
    transforms: _MaskTransforms | None = None
    num_in = num_out = 0

    def padded() -> Iterator[np.ndarray]:
        nonlocal num_in
        shape = None
        for piece in truth:
            num_in += piece.shape[-1]
            shape = piece.shape
            yield piece
        if shape is not None:
            yield np.zeros((*shape[:2], delay + step), np.float32)

    for piece in rechunk(padded(), step):
        if piece.shape[-1] < step:
            break
        transforms = transforms or _MaskTransforms(*piece.shape[:2])
        estimate = transforms.masked(piece)
        start = max(delay - num_out, 0)
        num_out += step
        end = step - max(num_out - delay - num_in, 0)
        if end > start:
            yield estimate[..., start:end].astype(np.float32)


class _MaskTransforms:
    """Analysis of true stems, their masks on the mixture, and synthesis, one window's length at a time."""

    def __init__(self, num_stems: int, num_channels: int):
        self._lead_shape = (num_stems, num_channels)
        window = hann(_MASK_FFT_SAMPLES)
        overlap_sum = 0.375 * _MASK_FFT_SAMPLES / _MASK_HOP_SAMPLES  # mean of a squared Hann window, once per hop
        num_frames = _MASK_FFT_SAMPLES // _MASK_HOP_SAMPLES
        self._analysis = StftAnalysis(
            window, hop_samples=_MASK_HOP_SAMPLES, num_frames=num_frames, dtype=np.float64,
            num_channels=num_stems * num_channels,
        )  # fmt: skip
        self._synthesis = StftSynthesis(
            window / overlap_sum, hop_samples=_MASK_HOP_SAMPLES, num_frames=num_frames, dtype=np.float64,
            synthesis_samples=_MASK_FFT_SAMPLES, lead_shape=self._lead_shape,
        )  # fmt: skip

    def masked(self, piece: np.ndarray) -> np.ndarray:
        """The next samples of the stems, (stems, channels, samples), from those of the true ones."""
        spectra = self._analysis.process(piece.reshape(-1, piece.shape[-1]))
        spectra = spectra.reshape(*self._lead_shape, *spectra.shape[1:])
        energies = np.square(np.abs(spectra))
        masks = energies / np.maximum(energies.sum(axis=0), 1e-20)
        return self._synthesis.process(masks * spectra.sum(axis=0))


def score(sdr_db: float, mixture_db: float, ideal_db: float) -> float | None:
    """Share of the way from the better of mixture and silence (0 dB) to the ideal mask: 0 is useless, 1 is ideal.

    None where the ideal mask is less than `LEAST_SPAN_DB` better, as where the mixture nearly is the stem.
    """
    base = max(mixture_db, 0.0)
    return (sdr_db - base) / (ideal_db - base) if ideal_db - base >= LEAST_SPAN_DB else None
