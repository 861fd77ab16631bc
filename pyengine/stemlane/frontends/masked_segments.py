# SPDX-License-Identifier: MIT
"""Front end of `spleeter` and `open-unmix` models: a network that gives masks for the magnitudes of whole segments.

Hennequin et al., "Spleeter: a fast and efficient music source separation tool with pre-trained models", JOSS 2020.
Spleeter puts one frame of zeros before the recording, so frame i ends with sample i hop - 1, and cuts the frames
into segments from frame 0 on. With stride = segment this front end computes the same frames, segments and masks.
Shorter strides keep the middle of each segment and blend it into the next one's.
"""

import math

import numpy as np

from stemlane.manifest import Manifest
from stemlane.session import StatefulSession
from stemlane.stft import StftAnalysis, StftSynthesis, hann

_FRAMES_AT_ONCE = 32  # frames transformed at once: bounds the memory, does not change the result


class MaskedSegmentFrontEnd:
    """See `stemlane.frontends.FrontEnd`.

    The network maps `magnitude` (1, channel, frames, bins) to `masks` (1, stem, channel, frames, bins).
    """

    def __init__(self, manifest: Manifest):
        settings = manifest.settings
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.stride_samples = settings.stride_samples
        self.delay_samples = settings.delay_samples
        self._settings = settings
        num_stems, segment, bins = len(self.stems), settings.segment_frames, settings.network_bins
        self._session = StatefulSession(
            manifest.folder / manifest.files[0].path,
            input_name=settings.magnitude_tensor,
            input_shape=(1, 2, segment, bins),
            output_name=settings.masks_tensor,
            output_shape=(1, num_stems, 2, segment, bins),
            warm_up=False,
        )
        window, hop = hann(settings.fft_samples), settings.hop_samples
        self._group_frames = math.gcd(settings.stride_frames, _FRAMES_AT_ONCE)
        self._analysis = StftAnalysis(window, hop_samples=hop, num_channels=2, num_frames=self._group_frames)
        # Squared Hann windows a quarter apart add up to 3/2.
        self._syntheses = [
            StftSynthesis(
                window * (2 / 3), synthesis_samples=settings.fft_samples, hop_samples=hop,
                lead_shape=(2,), num_frames=self._group_frames,
            )
            for _ in self.stems
        ]  # fmt: skip
        self._held = np.zeros((2, hop), np.float32)  # the input's last hop: frames trail the strides by one
        self._spectra = np.zeros((2, segment, settings.num_bins), np.complex64)
        self._tail = np.zeros((num_stems, 2, settings.crossfade_frames, bins), np.float32)

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        settings = self._settings
        self._analyse(mixture)
        start = settings.context_before_frames
        kept = slice(start, start + settings.stride_frames)
        spectra = self._spectra[:, kept]
        stems = np.empty((len(self.stems), 2, self.stride_samples), np.float32)
        masks = self._masks(kept)
        for stem, synthesis in enumerate(self._syntheses):
            for first in range(0, settings.stride_frames, self._group_frames):
                group = slice(first, first + self._group_frames)
                mask = self._extended(masks[stem, :, group])
                place = slice(first * settings.hop_samples, group.stop * settings.hop_samples)
                stems[stem, :, place] = synthesis.process(spectra[:, group] * mask)
        return stems

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._analysis.reset()
        self._session.reset()
        for synthesis in self._syntheses:
            synthesis.reset()
        for memory in (self._held, self._spectra, self._tail):
            memory.fill(0)

    def _analyse(self, mixture: np.ndarray) -> None:
        """Move the segment on by one stride of frames."""
        hop, stride = self._settings.hop_samples, self._settings.stride_frames
        samples = np.concatenate([self._held, mixture], axis=1)
        self._held[...] = mixture[:, -hop:]
        num_old = self._settings.segment_frames - stride
        self._spectra[:, :num_old] = self._spectra[:, stride:]
        for first in range(0, stride, self._group_frames):
            last = first + self._group_frames
            group = self._analysis.process(samples[:, first * hop : last * hop])
            self._spectra[:, num_old + first : num_old + last] = group

    def _masks(self, kept: slice) -> np.ndarray:
        """Masks (stems, channels, stride frames, network bins) of the kept frames, blended with the last segment's."""
        magnitude = self._session.input[0]
        np.abs(self._spectra[:, :, : self._settings.network_bins], out=magnitude)
        if self._spectra.any():
            masks = self._session.run()[0]
        else:  # silence: any mask will do
            masks = self._session.output[0]
            masks.fill(0)
        num_blended = self._settings.crossfade_frames
        if num_blended:
            weight = ((np.arange(num_blended, dtype=np.float32) + 0.5) / num_blended)[:, np.newaxis]
            blended = masks[:, :, kept.start : kept.start + num_blended]
            blended *= weight
            blended += (1 - weight) * self._tail
            self._tail[...] = masks[:, :, kept.stop : kept.stop + num_blended]
        return masks[:, :, kept]

    def _extended(self, mask: np.ndarray) -> np.ndarray:
        """The mask (channels, frames, network bins) with the bins above the network's."""
        settings = self._settings
        full = np.zeros((*mask.shape[:2], settings.num_bins), np.float32)
        full[..., : settings.network_bins] = mask
        if settings.mask_extension == "average":
            full[..., settings.network_bins :] = mask.mean(axis=-1, keepdims=True)
        return full
