# SPDX-License-Identifier: MIT
"""The spectra of one segment as HTDemucs takes them: a frame for every begun hop, the segment mirrored at its ends.

The normalisation and the places of the frames are those of Demucs 4.1.0 (demucs/htdemucs.py, spec.py).
"""

import numpy as np

from stemlane.engine.spectral.overlap_add import OverlapAdd
from stemlane.engine.spectral.stft import hann

_OVERLAP = 4  # frames that cover a sample


class SegmentSpectra:
    """Transforms of segments of one length.

    Parameters
    ----------
    fft_samples
        Length of a frame; the hop is a quarter of it.
    segment_samples
        At least as long as a frame.
    """

    def __init__(self, fft_samples: int, segment_samples: int):
        self._fft_samples = fft_samples
        self._hop_samples = fft_samples // _OVERLAP
        self._segment_samples = segment_samples
        self._num_frames = -(-segment_samples // self._hop_samples)
        self._window = (hann(fft_samples) / np.sqrt(fft_samples)).astype(np.float32)
        # Squared Hann windows a quarter apart add up to 3/2.
        self._synthesis_window = (hann(fft_samples) * np.sqrt(fft_samples) / 1.5).astype(np.float32)
        # The first frame's middle lies half a hop after the segment's start.
        self._edge_samples = (fft_samples - self._hop_samples) // 2

    def analyse(self, segment: np.ndarray) -> np.ndarray:
        """Spectra (channels, frames, fft_samples / 2) complex64 of (channels, samples), without the highest bin."""
        covered = self._num_frames * self._hop_samples
        after = self._edge_samples + covered - self._segment_samples
        padded = np.pad(segment, ((0, 0), (self._edge_samples, after)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, self._fft_samples, axis=1)[:, :: self._hop_samples]
        return np.fft.rfft(frames * self._window, axis=-1)[:, :, :-1]

    def synthesise(self, spectra: np.ndarray) -> np.ndarray:
        """The segment (channels, samples) float32 of spectra as `analyse` gives them."""
        channels = len(spectra)
        samples = np.empty((channels, self._segment_samples), np.float32)
        num_covered = (self._num_frames + _OVERLAP - 1) * self._hop_samples
        for channel in range(channels):  # one at a time, for the memory
            frames = np.fft.irfft(spectra[channel], self._fft_samples, axis=-1) * self._synthesis_window
            total = OverlapAdd((), num_covered)
            for frame in reversed(range(self._num_frames)):
                total.add(frames[frame], frame * self._hop_samples)
            samples[channel] = total.take(num_covered)[self._edge_samples :][: self._segment_samples]
        return samples
