# SPDX-License-Identifier: MIT
"""Several versions of the same stem to one: of every bin of their spectra that of the lowest or highest magnitude."""

import numpy as np

from stemlane.engine.spectral.overlap_add import OverlapAdd
from stemlane.engine.spectral.stft import hann


class SpectrumChoice:
    """Compares the spectra of streams; Hann windows before and after, frames centred on multiples of the hop.

    Parameters
    ----------
    num_versions
        Streams that are compared, each of two channels.
    fft_samples, hop_samples
        Length of a frame, and the step between frames, at most a quarter of it.
    highest
        Whether the highest magnitude is taken, instead of the lowest.
    start
        Position of the streams' first sample.
    """

    def __init__(self, num_versions: int, *, fft_samples: int, hop_samples: int, highest: bool, start: int):
        self._num_versions, self._fft_samples, self._hop_samples = num_versions, fft_samples, hop_samples
        self._choose = np.argmax if highest else np.argmin
        window = hann(fft_samples)
        self._window = window.astype(np.float32)
        # Squared Hann windows that overlap by three quarters or more add up to the same everywhere.
        self._synthesis_window = (window * hop_samples / np.square(window).sum()).astype(np.float32)
        # By so much more than a frame begins before the streams, so that the middles lie where they should.
        self._num_early = (start - fft_samples // 2) % hop_samples
        self.reset()

    def reset(self) -> None:
        """Start over."""
        self._heard = np.zeros((self._num_versions, 2, self._fft_samples + self._num_early), np.float32)
        self._sum = OverlapAdd((2,), self._fft_samples)
        self._ready = np.zeros((2, 0), np.float32)
        self._num_to_drop = self._num_early

    def process(self, versions: np.ndarray) -> np.ndarray:
        """(versions, 2, samples) to (2, samples), which trail them by `fft_samples`."""
        num_samples = versions.shape[2]
        self._heard = np.concatenate([self._heard, versions], axis=2)
        num_frames = (self._heard.shape[2] - self._fft_samples) // self._hop_samples + 1
        found = self._synthesised(num_frames)[:, self._num_to_drop :]
        self._num_to_drop = 0
        self._heard = self._heard[:, :, num_frames * self._hop_samples :]
        ready = np.concatenate([self._ready, found], axis=1)
        self._ready = ready[:, num_samples:]
        return ready[:, :num_samples]

    def _synthesised(self, num_frames: int) -> np.ndarray:
        """Samples (2, num_frames * hop) that the next frames make known."""
        hop = self._hop_samples
        samples = np.empty((2, num_frames * hop), np.float32)
        for frame in range(num_frames):
            heard = self._heard[:, :, frame * hop : frame * hop + self._fft_samples]
            spectra = np.fft.rfft(heard * self._window, axis=-1)
            place = self._choose(np.abs(spectra), axis=0)[np.newaxis]
            chosen = np.take_along_axis(spectra, place, axis=0)[0]
            self._sum.add(np.fft.irfft(chosen, self._fft_samples, axis=-1) * self._synthesis_window, 0)
            samples[:, frame * hop : (frame + 1) * hop] = self._sum.take(hop)
        return samples
