# SPDX-License-Identifier: MIT
"""Front end of `mdx` models: a network that turns the complex spectrum of a segment into that of one stem.

Kim et al., "KUIELab-MDX-Net: A two-stream neural network for music demixing", MDX workshop 2021. How segments are cut,
mirrored at their edges, weighted and joined follows Ultimate Vocal Remover (github.com/Anjok07/ultimatevocalremovergui,
separate.py): versions from 5.6 weight whole segments with a Hann window, earlier ones keep their middle ("flat").
"""

import numpy as np

from stemlane.engine.frontends.protocols import RecordingFrontEnd
from stemlane.engine.session import StatefulSession
from stemlane.engine.spectral.overlap_add import OverlapAdd
from stemlane.engine.spectral.stft import hann
from stemlane.manifests.mdx import MdxSettings
from stemlane.manifests.model import Manifest


def segment_weights(settings: MdxSettings, num_samples: int | None = None) -> np.ndarray:
    """Weights (segment_samples,) of a segment, 0 where it is not used; only `num_samples` of a last one count."""
    segment = settings.segment_samples
    weights = np.zeros(segment, np.float32)
    if settings.weights == "hann":
        length = segment if num_samples is None else num_samples
        weights[:length] = np.hanning(length)
        return weights
    ramp = (np.arange(settings.crossfade_samples) + 0.5) / max(settings.crossfade_samples, 1)
    kept = np.concatenate([ramp, np.ones(settings.stride_samples - settings.crossfade_samples), 1 - ramp])
    weights[segment - settings.edge_samples - len(kept) : segment - settings.edge_samples] = kept
    return weights


class MdxFrontEnd(RecordingFrontEnd):
    """Runs an `mdx` model.

    The network maps `spectrum` (1, 4, bins, frames) to `stem` of the same shape; the four are real and imaginary part
    of the left channel, then of the right.
    """

    def __init__(self, manifest: Manifest, *, whole: bool = False, threads: int = 1):
        settings = self._settings = manifest.settings_of(MdxSettings)
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.stride_samples = stride = settings.stride_samples
        self.delay_samples = settings.delay_samples
        # The original's first segment begins half a transform before the recording.
        self.lead_samples = (settings.edge_samples - settings.segment_samples) % stride
        self.knows_end = whole and settings.weights == "hann"  # for "flat", silence is the original's end too
        shape = (1, 4, settings.network_bins, settings.segment_frames)
        self._session = StatefulSession(
            manifest.folder / manifest.files[0].path, input_name=settings.spectrum_tensor, input_shape=shape,
            output_name=settings.stem_tensor, output_shape=shape, warm_up=False,
            threads=threads,
        )  # fmt: skip
        self._window = hann(settings.fft_samples).astype(np.float32)
        edge = settings.edge_samples
        self._inner = slice(edge, edge + settings.segment_samples)
        self._envelope = self._add_frames(np.broadcast_to(self._window**2, (1, *self._frames_shape())))[:, self._inner]
        self._weights = segment_weights(settings)
        self._segment = np.zeros((2, settings.segment_samples), np.float32)
        # The weights of a segment begin where the next samples to return do.
        self._first_weight = settings.segment_samples - self.delay_samples - stride
        num_ahead = self.delay_samples + stride
        self._sum, self._weight_sum = OverlapAdd((2,), num_ahead), OverlapAdd((), num_ahead)
        self._num_taken = 0

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (1, 2, stride) of the stem, `delay_samples` earlier."""
        return self._step(mixture, self._weights)

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._session.reset()
        self._num_taken = 0
        self._segment.fill(0)
        self._sum.reset()
        self._weight_sum.reset()

    def _step(self, mixture: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Move the segment on by a stride, separate it, return what no later segment changes."""
        settings, stride = self._settings, self.stride_samples
        self._segment[:, :-stride] = self._segment[:, stride:]
        self._segment[:, -stride:] = mixture
        self._num_taken += stride
        if weights.any() and not (self.knows_end and self._segment_start() < -settings.edge_samples):
            if self._segment.any():  # silence stays silence
                self._sum.add((weights * self._separate(self._segment))[:, self._first_weight :], 0)
            self._weight_sum.add(weights[self._first_weight :], 0)
        weight_sum = self._weight_sum.take(stride)
        weight_sum = np.where(weight_sum > 0, weight_sum, np.float32(1))
        stem: np.ndarray = self._sum.take(stride) * (np.float32(settings.compensation) / weight_sum)
        return stem[np.newaxis]

    def _segment_start(self) -> int:
        """Place of the segment's first sample in the recording."""
        return self._num_taken - self.lead_samples - self._settings.segment_samples

    def finish(self, rest: np.ndarray) -> np.ndarray:
        """Take the last samples, (2, n); return the stem to the recording's end, (1, 2, delay + n).

        The original fills the recording up with silence, to a length at which its last segment is cut off.
        """
        settings, stride = self._settings, self.stride_samples
        edge, inner = settings.edge_samples, settings.segment_samples - settings.fft_samples
        num_samples = self._num_taken + rest.shape[1] - self.lead_samples
        filled_up = num_samples + inner - num_samples % inner + edge  # end of the silence
        num_owed = self.delay_samples + rest.shape[1]
        pieces = []
        for start in range(0, num_owed, stride):
            mixture = np.zeros((2, stride), np.float32)
            given = rest[:, start : start + stride]
            mixture[:, : given.shape[1]] = given
            num_left = filled_up - (self._segment_start() + stride)
            weights = np.zeros_like(self._weights)
            if num_left >= settings.segment_samples:
                weights = self._weights
            elif num_left > 0:
                weights = segment_weights(settings, num_left)
            pieces.append(self._step(mixture, weights))
        return np.concatenate(pieces, axis=2)[:, :, :num_owed]

    def _separate(self, segment: np.ndarray) -> np.ndarray:
        """The stem (2, samples) of a segment (2, samples)."""
        settings = self._settings
        edge, bins = settings.edge_samples, settings.network_bins
        mirrored = np.pad(segment, ((0, 0), (edge, edge)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(mirrored, settings.fft_samples, axis=1)
        spectra = np.fft.rfft(frames[:, :: settings.hop_samples] * self._window, axis=-1)[:, :, :bins]
        spectra[:, :, : settings.silent_bins] = 0
        parts = np.empty((2, 2, bins, settings.segment_frames), np.float32)
        parts[:, 0] = spectra.real.transpose(0, 2, 1)
        parts[:, 1] = spectra.imag.transpose(0, 2, 1)
        found = self._run(parts).reshape(parts.shape)
        spectra = np.zeros((2, settings.segment_frames, settings.num_bins), np.complex64)
        spectra.real[:, :, :bins] = found[:, 0].transpose(0, 2, 1)
        spectra.imag[:, :, :bins] = found[:, 1].transpose(0, 2, 1)
        frames = np.fft.irfft(spectra, settings.fft_samples, axis=-1) * self._window
        stem: np.ndarray = self._add_frames(frames)[:, self._inner] / self._envelope
        return stem

    def _run(self, parts: np.ndarray) -> np.ndarray:
        spectrum = self._session.input
        spectrum[0] = parts.reshape(spectrum.shape[1:])
        found = self._session.run()
        if self._settings.both_signs:
            found = found.copy()
            spectrum *= -1
            found -= self._session.run()
            found *= 0.5
        return found

    def _frames_shape(self) -> tuple[int, int]:
        return self._settings.segment_frames, self._settings.fft_samples

    def _add_frames(self, frames: np.ndarray) -> np.ndarray:
        """Overlap-add (channels, frames, fft_samples) to (channels, samples), half a transform more at both ends."""
        hop, (num_frames, length) = self._settings.hop_samples, self._frames_shape()
        num_samples = (num_frames - 1) * hop + length
        total = OverlapAdd(frames.shape[:1], num_samples)
        for frame in range(num_frames):
            total.add(frames[:, frame], frame * hop)
        return total.take(num_samples)
