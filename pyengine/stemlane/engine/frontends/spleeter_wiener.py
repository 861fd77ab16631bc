# SPDX-License-Identifier: MIT
"""Front end of `spleeter` models with the multichannel Wiener filter, the original's option MWF.

The original takes the covariances from the whole recording. So does a recording here, which passes twice; a live
stream takes them from its segment.
"""

import numpy as np

from stemlane.engine.frontends.masked_segments import FRAMES_AT_ONCE, MaskedSegmentFrontEnd
from stemlane.engine.spectral.wiener import SpatialModel, SpatialSums, filtered
from stemlane.manifests.model import Manifest

_EPSILON = float(np.finfo(np.float32).eps)  # norbert's, for complex64


class SpleeterWienerFrontEnd(MaskedSegmentFrontEnd):
    """Runs a `spleeter` model that gives magnitudes, and filters them.

    The network maps `magnitude` (1, channel, frames, bins) to `magnitudes` (1, stem, channel, frames, bins), the
    stems being those that are separated and then the residual. Above the network's bins the stems hold nothing.
    """

    needs_prescan = True

    def __init__(self, manifest: Manifest, *, threads: int = 1):
        super().__init__(manifest, threads=threads)
        self._num_sources = len(manifest.stems)
        self._sums: SpatialSums | None = None
        self._prescanned: tuple[SpatialModel, float] | None = None
        self._unheard = np.zeros((2, 0), np.float32)

    def prescan(self, mixture: np.ndarray) -> None:
        """Take a piece (2, any number of samples) of the recording for its covariances."""
        sums = self._sums = self._sums or self._new_sums()
        self._unheard = np.concatenate([self._unheard, mixture], axis=1)
        while self._unheard.shape[1] >= self.stride_samples:
            self._hear(self._unheard[:, : self.stride_samples], sums)
            self._unheard = self._unheard[:, self.stride_samples :]

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        if self._sums is not None:
            self._finish_prescan(self._sums)
        settings = self._settings
        self._analyse(mixture)
        magnitudes = self._masks()
        if self._prescanned is not None:
            model, scale = self._prescanned
        else:
            sums = self._new_sums()
            self._add(magnitudes, slice(0, settings.segment_frames), sums)
            model, scale = sums.model(_EPSILON), sums.scale

        def found(first: int, num_frames: int) -> np.ndarray:
            frames = slice(settings.context_before_frames + first, settings.context_before_frames + first + num_frames)
            estimates, heard = self._estimates(magnitudes, frames), self._network_spectra()[:, frames]
            return filtered(heard, estimates, model, scale=scale, epsilon=_EPSILON)[: len(self.stems)]

        beginning = found(0, settings.crossfade_frames)
        if settings.crossfade_frames:
            self._blend(beginning, found(settings.stride_frames, settings.crossfade_frames))

        def spectra_of(group: slice) -> np.ndarray:
            blended = beginning[:, :, group]
            spectra = np.zeros((len(self.stems), 2, self._group_frames, settings.num_bins), np.complex64)
            spectra[..., : settings.heard_bins] = found(group.start, self._group_frames)
            spectra[:, :, : blended.shape[2], : settings.heard_bins] = blended
            return spectra

        return self._synthesised(settings.stride_frames, spectra_of)

    def reset(self) -> None:
        """Forget the stream and the prescan."""
        super().reset()
        self._sums = self._prescanned = None
        self._unheard = np.zeros((2, 0), np.float32)

    def _new_sums(self) -> SpatialSums:
        return SpatialSums(self._num_sources, self._settings.heard_bins)

    def _network_spectra(self) -> np.ndarray:
        return self._spectra[:, :, : self._settings.heard_bins]

    def _estimates(self, magnitudes: np.ndarray, frames: slice) -> np.ndarray:
        """Shares of the mixture's spectrum (stems, 2, frames, heard bins), as the magnitudes are shared."""
        part = magnitudes[:, :, frames]
        shares: np.ndarray = part / (_EPSILON + part.sum(axis=0)) * self._network_spectra()[:, frames]
        return shares

    def _add(self, magnitudes: np.ndarray, frames: slice, sums: SpatialSums) -> None:
        """Add frames of the segment to the sums, few at a time: all estimates of a segment are 42 MB."""
        for first in range(frames.start, frames.stop, FRAMES_AT_ONCE):
            part = slice(first, min(first + FRAMES_AT_ONCE, frames.stop))
            sums.add(self._estimates(magnitudes, part), self._network_spectra()[:, part])

    def _hear(self, mixture: np.ndarray, sums: SpatialSums) -> None:
        """Add one stride of the mixture to the sums."""
        settings = self._settings
        self._analyse(mixture)
        start = settings.context_before_frames
        self._add(self._masks(), slice(start, start + settings.stride_frames), sums)

    def _finish_prescan(self, sums: SpatialSums) -> None:
        """Push the recording's end through with silence, keep its covariances, and start again."""
        self.prescan(np.zeros((2, self.delay_samples + 2 * self.stride_samples), np.float32))
        found = sums.model(_EPSILON), sums.scale
        self.reset()
        self._prescanned = found
