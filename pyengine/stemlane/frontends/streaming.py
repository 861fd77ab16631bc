# SPDX-License-Identifier: MIT
"""Front end of `streaming` models: analysis, a stateful network that masks a few frames at a time, synthesis."""

import numpy as np

from stemlane.manifest import Manifest
from stemlane.session import StatefulSession
from stemlane.stft import StftAnalysis, StftSynthesis, analysis_window, synthesis_window


class StreamingFrontEnd:
    """See `stemlane.frontends.FrontEnd`.

    The network maps `mixture` (1, channel, part, frames, bins) to `stems` (1, stem, channel, part, frames, bins),
    part being real and imaginary, and returns the stems of the frames `lookahead_frames` ago.
    """

    def __init__(self, manifest: Manifest):
        settings = manifest.settings
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.stride_samples = settings.stride_samples
        self.delay_samples = settings.delay_samples
        num_stems, frame_shape = len(self.stems), (settings.frames_per_step, settings.num_bins)
        self._session = StatefulSession(
            manifest.folder / manifest.files[0].path,
            input_name=settings.mixture_tensor,
            input_shape=(1, 2, 2, *frame_shape),
            output_name=settings.stems_tensor,
            output_shape=(1, num_stems, 2, 2, *frame_shape),
            state_names=settings.state_tensors,
        )
        sizes = settings.fft_samples, settings.synthesis_samples
        steps = {"hop_samples": settings.hop_samples, "num_frames": settings.frames_per_step}
        self._analysis = StftAnalysis(analysis_window(*sizes), **steps, num_channels=2)
        self._synthesis = StftSynthesis(
            synthesis_window(*sizes, settings.hop_samples),
            **steps, synthesis_samples=settings.synthesis_samples, lead_shape=(num_stems, 2))  # fmt: skip
        self._spectra = np.zeros((num_stems, 2, *frame_shape), np.complex64)

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        spectra = self._analysis.process(mixture)
        self._session.input[0, :, 0] = spectra.real
        self._session.input[0, :, 1] = spectra.imag
        masked = self._session.run()[0]
        self._spectra.real = masked[:, :, 0]
        self._spectra.imag = masked[:, :, 1]
        return self._synthesis.process(self._spectra)

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._analysis.reset()
        self._session.reset()
        self._synthesis.reset()
