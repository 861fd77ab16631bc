# SPDX-License-Identifier: MIT
"""The spectra of one segment, mirrored at its ends, and back: where frames lie and how they are weighted is declared.

"begun-hops" is what HTDemucs takes: normalisation and places of the frames are those of Demucs 4.1.0
(demucs/htdemucs.py, spec.py). "centred" is what torch.stft and torch.istft do by default.
"""

import numpy as np

from stemlane.engine.spectral.overlap_add import OverlapAdd
from stemlane.engine.spectral.stft import hann

_BEGUN_HOPS_ENVELOPE = 1.5  # squared Hann windows a quarter apart, of which none is missing


class SegmentSpectra:
    """Transforms of segments of one length.

    Parameters
    ----------
    fft_samples, hop_samples
        Length of a frame and step between frames; the hop is a quarter where frames lie at "begun-hops".
    segment_samples
        At least as long as a frame; a multiple of the hop where frames are "centred".
    bins
        Lowest bins, which are analysed and given back.
    window, normalised, frames
        As in `SegmentSettings`.
    """

    def __init__(
        self, fft_samples: int, hop_samples: int, segment_samples: int, *, bins: int, window: str = "hann",
        normalised: bool = True, frames: str = "begun-hops",
    ):  # fmt: skip
        self._fft_samples, self._hop_samples, self._segment_samples = fft_samples, hop_samples, segment_samples
        self._bins = bins
        shape = hann(fft_samples) if window == "hann" else np.ones(fft_samples)
        scale = np.sqrt(fft_samples) if normalised else 1.0
        self._window = (shape / scale).astype(np.float32)
        if frames == "begun-hops":
            self._num_frames = -(-segment_samples // hop_samples)
            # The first frame's middle lies half a hop after the segment's start.
            self._edge_samples = (fft_samples - hop_samples) // 2
            self._synthesis_window = (shape * scale / _BEGUN_HOPS_ENVELOPE).astype(np.float32)
            self._gain = None
        else:
            self._num_frames = segment_samples // hop_samples + 1
            self._edge_samples = fft_samples // 2
            self._synthesis_window = (shape * scale).astype(np.float32)
            self._gain = (1 / self._add_frames(np.broadcast_to(shape**2, (self._num_frames, fft_samples)))).astype(
                np.float32
            )

    def analyse(self, segment: np.ndarray) -> np.ndarray:
        """Spectra (channels, frames, bins) complex64 of (channels, samples)."""
        covered = (self._num_frames - 1) * self._hop_samples + self._fft_samples
        after = covered - self._edge_samples - self._segment_samples
        padded = np.pad(segment, ((0, 0), (self._edge_samples, after)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, self._fft_samples, axis=1)[:, :: self._hop_samples]
        spectra = np.empty((*frames.shape[:2], self._bins), np.complex64)
        for channel, found in enumerate(frames):  # one at a time, for the memory
            spectra[channel] = np.fft.rfft(found * self._window, axis=-1)[:, : self._bins]
        return spectra

    def synthesise(self, spectra: np.ndarray) -> np.ndarray:
        """The segment (channels, samples) float32 of spectra as `analyse` gives them."""
        samples = np.empty((len(spectra), self._segment_samples), np.float32)
        for channel, found in enumerate(spectra):
            frames = np.fft.irfft(found, self._fft_samples, axis=-1) * self._synthesis_window
            samples[channel] = self._add_frames(frames)
        return samples if self._gain is None else samples * self._gain

    def _add_frames(self, frames: np.ndarray) -> np.ndarray:
        """The segment (samples,) of overlapping frames (frames, fft_samples)."""
        num_covered = (self._num_frames - 1) * self._hop_samples + self._fft_samples
        total = OverlapAdd((), num_covered, frames.dtype)
        for frame in reversed(range(self._num_frames)):
            total.add(frames[frame], frame * self._hop_samples)
        return total.take(num_covered)[self._edge_samples :][: self._segment_samples]
