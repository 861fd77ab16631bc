# SPDX-License-Identifier: MIT
"""Front end of `spleeter` models: a network that gives masks for the magnitudes of whole segments.

Hennequin et al., "Spleeter: a fast and efficient music source separation tool with pre-trained models", JOSS 2020.
Spleeter puts one frame of zeros before the recording, so frame i ends with sample i hop - 1, and cuts the frames
into segments from frame 0 on. With stride = segment this front end computes the same frames, segments and masks.
Shorter strides keep the middle of each segment and blend it into the next one's.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np

from stemlane.engine.frontends.protocols import RecordingFrontEnd
from stemlane.engine.session import StatefulSession
from stemlane.engine.spectral.stft import StftSynthesis, hann
from stemlane.manifests.kinds import MaskedSegmentSettings
from stemlane.manifests.model import Manifest

FRAMES_AT_ONCE = 32  # frames transformed at once: bounds the memory, does not change the result


class MaskedSegmentFrontEnd(RecordingFrontEnd):
    """Runs a `spleeter` model that gives masks.

    The network maps `magnitude` (1, channel, frames, bins) to `masks` (1, stem, channel, frames, bins), the stems
    being all but the residual.
    """

    def __init__(self, manifest: Manifest, *, threads: int = 1):
        settings = manifest.settings_of(MaskedSegmentSettings)
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.stride_samples = settings.stride_samples
        self.delay_samples = settings.delay_samples
        self._settings = settings
        num_stems, segment, bins = len(self.stems), settings.segment_frames, settings.network_bins
        heard = settings.heard_bins
        wiener = settings.wiener_iterations > 0
        num_outputs = len(manifest.stems) if wiener else num_stems
        self._session = StatefulSession(
            manifest.folder / manifest.files[0].path,
            input_name=settings.magnitude_tensor,
            input_shape=(1, 2, segment, bins),
            output_name=settings.magnitudes_tensor if wiener else settings.masks_tensor,
            output_shape=(1, num_outputs, 2, segment, bins),
            warm_up=False,
            threads=threads,
        )
        self._window = hann(settings.fft_samples)
        self._analysis_window = (settings.spectral_gain * self._window).astype(np.float32)
        self._group_frames = math.gcd(settings.stride_frames, FRAMES_AT_ONCE)
        # Squared Hann windows a quarter apart add up to 3/2.
        synthesis_window = self._window * (2 / 3) / settings.spectral_gain
        self._syntheses = [
            StftSynthesis(
                synthesis_window, synthesis_samples=settings.fft_samples, hop_samples=settings.hop_samples,
                lead_shape=(2,), num_frames=self._group_frames,
            )
            for _ in self.stems
        ]  # fmt: skip
        # The input's last samples: frames trail the strides by one hop and begin one transform before they end.
        self._held = np.zeros((2, settings.fft_samples), np.float32)
        self._spectra = np.zeros((2, segment, settings.num_bins), np.complex64)
        tail_type = np.complex64 if wiener else np.float32
        self._tail = np.zeros((num_stems, 2, settings.crossfade_frames, heard), tail_type)

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        settings = self._settings
        self._analyse(mixture)
        start = settings.context_before_frames
        kept = slice(start, start + settings.stride_frames)
        spectra = self._spectra[:, kept]
        masks = self._blended(self._masks(), kept)
        return self._synthesised(
            settings.stride_frames, lambda group: [spectra[:, group] * self._extended(mask[:, group]) for mask in masks]
        )

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._session.reset()
        for synthesis in self._syntheses:
            synthesis.reset()
        for memory in (self._held, self._spectra, self._tail):
            memory.fill(0)

    def _analyse(self, mixture: np.ndarray) -> None:
        """Move the segment on by one stride of frames."""
        hop, stride = self._settings.hop_samples, self._settings.stride_frames
        samples = np.concatenate([self._held, mixture], axis=1)
        self._held[...] = samples[:, -self._settings.fft_samples :]
        self._spectra[:, :-stride] = self._spectra[:, stride:]
        self._transform(samples[:, :-hop], self._spectra[:, self._spectra.shape[1] - stride :])

    def _transform(self, samples: np.ndarray, spectra: np.ndarray) -> None:
        """Write the spectra (2, frames, bins) of frames that follow each other from the first of `samples` on."""
        settings, window = self._settings, self._analysis_window
        frames = np.lib.stride_tricks.sliding_window_view(samples, settings.fft_samples, axis=1)
        for first in range(0, spectra.shape[1], FRAMES_AT_ONCE):
            num_frames = min(FRAMES_AT_ONCE, spectra.shape[1] - first)
            places = (first + np.arange(num_frames)) * settings.hop_samples
            spectra[:, first : first + num_frames] = np.fft.rfft(frames[:, places] * window, axis=-1)

    def _masks(self) -> np.ndarray:
        """The network's output (stems, channels, segment frames, heard bins) for the segment."""
        output, heard = self._session.output, self._settings.heard_bins
        if self._spectra.any():
            np.abs(self._spectra[:, :, :heard], out=self._session.input[0, :, :, :heard])
            self._session.run()
        else:  # silence: any mask will do
            output.fill(0)
        masks: np.ndarray = output[0, ..., :heard]
        return masks

    def _blended(self, values: np.ndarray, kept: slice) -> np.ndarray:
        """What is kept of (stems, channels, frames, bins), blended with what the last segment said of its beginning."""
        num_blended = self._settings.crossfade_frames
        if num_blended:
            self._blend(
                values[:, :, kept.start : kept.start + num_blended], values[:, :, kept.stop : kept.stop + num_blended]
            )
        return values[:, :, kept]

    def _blend(self, beginning: np.ndarray, following: np.ndarray) -> None:
        """Blend the `beginning` of what is kept, in place; the next segment's is blended with what is `following`."""
        num_blended = self._settings.crossfade_frames
        weight = ((np.arange(num_blended, dtype=np.float32) + 0.5) / num_blended)[:, np.newaxis]
        beginning *= weight
        beginning += (1 - weight) * self._tail
        self._tail[...] = following

    def _synthesised(self, num_frames: int, spectra_of: Callable[[slice], Iterable[np.ndarray]]) -> np.ndarray:
        """Samples (stems, 2, frames * hop) that the next frames make known; `spectra_of(frames)` gives each stem's."""
        settings = self._settings
        stems = np.empty((len(self.stems), 2, num_frames * settings.hop_samples), np.float32)
        for first in range(0, num_frames, self._group_frames):
            group = slice(first, first + self._group_frames)
            place = slice(first * settings.hop_samples, group.stop * settings.hop_samples)
            for stem, (synthesis, spectra) in enumerate(zip(self._syntheses, spectra_of(group), strict=True)):
                stems[stem, :, place] = synthesis.process(spectra)
        return stems

    def _extended(self, mask: np.ndarray) -> np.ndarray:
        """A mask or a spectrum (channels, frames, heard bins) with the bins above the network's."""
        settings, heard = self._settings, self._settings.heard_bins
        full = np.zeros((*mask.shape[:2], settings.num_bins), mask.dtype)
        full[..., :heard] = mask
        if settings.mask_extension == "average":
            full[..., heard:] = mask.mean(axis=-1, keepdims=True)
        elif settings.mask_extension == "top":
            full[..., heard:] = mask[..., -1:]
        return full
