# SPDX-License-Identifier: MIT
"""Front end of `streaming` models: analysis, a stateful network that masks a few frames at a time, synthesis."""

import numpy as np

from stemlane.engine.frontends.protocols import RecordingFrontEnd
from stemlane.engine.session import StatefulSession
from stemlane.engine.spectral.stft import StftAnalysis, StftSynthesis, analysis_window, synthesis_window
from stemlane.manifests.kinds import StreamingSettings
from stemlane.manifests.model import Manifest

# Wide enough for a steady estimate of the highest mask, narrow enough to lie in one band of any network: 340 Hz.
_TOP_BINS = 32
# Long enough that pauses in music are heard by the network as they were in training.
_REST_AFTER_SECONDS = 2.0


class StreamingFrontEnd(RecordingFrontEnd):
    """Runs a `streaming` model.

    The network maps `mixture` (1, channel, part, frames, bins) to `stems` (1, stem, channel, part, frames, bins),
    part being real and imaginary, and returns the stems of the frames `lookahead_frames` ago.

    At other rates than the network's own the frames follow the rate. Bins below the network's highest one are the
    network's own; bins above it follow the mask it gave to its highest ones, so that cymbals stay whole; bins that do
    not exist are silent to the network.

    With interleaved states the hop is a fraction of the one the network was trained with: each of its memories sees
    every n-th frame, so that frames lie as far apart for it as in training.

    In digital silence it rests: after 2 s of exact zeros in, with exact zeros out, the network is not run and keeps
    its state until the next sample that is not zero. That depends on the strides only, never on how they come.
    """

    def __init__(self, manifest: Manifest):
        settings = manifest.settings_of(StreamingSettings)
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.stride_samples = settings.stride_samples
        self.delay_samples = settings.delay_samples
        num_stems, frames = len(self.stems), settings.frames_per_step
        frame_shape = (frames, settings.network_bins)
        self._session = StatefulSession(
            manifest.folder / manifest.files[0].path,
            input_name=settings.mixture_tensor,
            input_shape=(1, 2, 2, *frame_shape),
            output_name=settings.stems_tensor,
            output_shape=(1, num_stems, 2, 2, *frame_shape),
            state_names=settings.state_tensors,
            interleaved=settings.interleaved_states,
        )
        sizes = settings.fft_samples, settings.synthesis_samples, settings.hop_samples
        hop, gain = settings.hop_samples, settings.spectral_gain
        self._analysis = StftAnalysis(
            gain * analysis_window(*sizes), hop_samples=hop, num_frames=frames, num_channels=2
        )
        self._synthesis = StftSynthesis(
            synthesis_window(*sizes) / gain, hop_samples=hop, num_frames=frames,
            synthesis_samples=settings.synthesis_samples, lead_shape=(num_stems, 2),
        )  # fmt: skip
        self._spectra = np.zeros((num_stems, 2, frames, settings.num_bins), np.complex64)
        self._shared_bins = min(settings.num_bins, settings.network_bins)
        # The mixture of the frames whose stems are still to come: only the bins that the network does not know, and
        # the top ones that it does, are needed.
        self._above = slice(self._shared_bins - min(_TOP_BINS, self._shared_bins), settings.num_bins)
        num_above = settings.num_bins - self._above.start
        self._late = np.zeros((2, settings.lookahead_frames + frames, num_above), np.complex64)
        self._silence = np.zeros((num_stems, 2, self.stride_samples), np.float32)
        # By then nothing of the sound before is left in windows or lookahead.
        self._rest_after_samples = max(
            _REST_AFTER_SECONDS * self.sample_rate, 2 * (self.delay_samples + self.stride_samples)
        )
        self._num_silent = 0
        self._sounds = False

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        self._num_silent = 0 if mixture.any() else self._num_silent + self.stride_samples
        if self._num_silent > self._rest_after_samples and not self._sounds:
            return self._silence
        spectra = self._analysis.process(mixture)
        shared = self._shared_bins
        self._session.input[0, :, 0, :, :shared] = spectra[..., :shared].real
        self._session.input[0, :, 1, :, :shared] = spectra[..., :shared].imag
        masked = self._session.run()[0]
        self._spectra.real[..., :shared] = masked[:, :, 0, :, :shared]
        self._spectra.imag[..., :shared] = masked[:, :, 1, :, :shared]
        if self._spectra.shape[-1] > shared:
            self._extend(spectra)
        stems = self._synthesis.process(self._spectra)
        self._sounds = self._num_silent > 0 and bool(stems.any())
        return stems

    def _extend(self, mixture: np.ndarray) -> None:
        """Fill the bins above the network's with the mixture (2, frames, bins), shared out as just below them."""
        frames = mixture.shape[1]
        self._late[:, :-frames] = self._late[:, frames:]
        self._late[:, -frames:] = mixture[..., self._above]
        late = self._late[:, :frames]
        top = self._shared_bins - self._above.start
        below = late[..., :top]
        energy = (below.real**2 + below.imag**2).sum(axis=-1)
        stems = self._spectra[..., self._above.start : self._shared_bins]
        # The least-squares gain from mixture to stem; of a real mask that all these bins share it is that mask.
        shared = (stems.real * below.real + stems.imag * below.imag).sum(axis=-1)
        masks = np.divide(shared, energy, out=np.zeros_like(shared), where=energy > 0)
        self._spectra[..., self._shared_bins :] = np.clip(masks, 0, 1)[..., np.newaxis] * late[..., top:]

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._late.fill(0)
        self._analysis.reset()
        self._session.reset()
        self._synthesis.reset()
        self._num_silent = 0
        self._sounds = False
