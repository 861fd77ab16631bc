# SPDX-License-Identifier: MIT
"""Front end of `streaming` models: analysis, a stateful network that masks a few frames at a time, synthesis."""

import numpy as np

from stemlane.engine.frontends.protocols import RecordingFrontEnd
from stemlane.engine.session import StatefulSession, StepSize
from stemlane.engine.spectral.focus import exponents, sharpen
from stemlane.engine.spectral.stft import StftAnalysis, StftSynthesis, analysis_window, synthesis_window
from stemlane.manifests.kinds import StreamingSettings
from stemlane.manifests.model import Manifest

# Wide enough for a steady estimate of the highest mask, narrow enough to lie in one band of any network: 340 Hz.
_TOP_BINS = 32
# Long enough that pauses in music are heard by the network as they were in training.
_REST_AFTER_SECONDS = 2.0


def takes_many(settings: StreamingSettings) -> bool:
    """Whether a model's strides can be computed together: a step's frames are free, and each sees one memory."""
    return settings.free_frames and 1 in (settings.interleaved_states, settings.frames_per_step)


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
    its state until the next sample that is not zero. That depends on the steps only, never on how they come.

    Parameters
    ----------
    manifest
        The model.
    strides_at_once
        Most strides that `process` takes in one call. The network computes them together where its frames are free, so
        that its weights are read once.
    warm_up
        Run the network once at once, see `StatefulSession`.
    """

    def __init__(self, manifest: Manifest, *, strides_at_once: int = 1, warm_up: bool = True):
        settings = manifest.settings_of(StreamingSettings)
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.strides_at_once = strides_at_once if takes_many(settings) else 1
        self.stride_samples = self._step_samples = settings.stride_samples
        self.delay_samples = settings.delay_samples
        self._memories = settings.interleaved_states
        self._step_frames = settings.frames_per_step
        num_frames = self.strides_at_once * self._step_frames
        num_stems, self._network_bins = len(self.stems), settings.network_bins
        in_shape, out_shape = self._shapes(self._step_frames)
        self._session = StatefulSession(
            manifest.folder / manifest.files[0].path,
            input_name=settings.mixture_tensor,
            input_shape=in_shape,
            output_name=settings.stems_tensor,
            output_shape=out_shape,
            state_names=settings.state_tensors,
            interleaved=settings.interleaved_states,
            warm_up=warm_up,
        )
        self._sizes: dict[int, StepSize] = {}  # of the network's steps, by their frames, beside the single one
        sizes = settings.fft_samples, settings.synthesis_samples, settings.hop_samples
        hop, gain = settings.hop_samples, settings.spectral_gain
        self._analysis = StftAnalysis(
            gain * analysis_window(*sizes), hop_samples=hop, num_frames=num_frames, num_channels=2
        )
        self._synthesis = StftSynthesis(
            synthesis_window(*sizes) / gain, hop_samples=hop, num_frames=num_frames,
            synthesis_samples=settings.synthesis_samples, lead_shape=(num_stems, 2),
        )  # fmt: skip
        self._spectra = np.zeros((num_stems, 2, num_frames, settings.num_bins), np.complex64)
        self._shared_bins = min(settings.num_bins, settings.network_bins)
        self._lookahead_frames = settings.lookahead_frames
        num_late = settings.lookahead_frames + num_frames
        # The mixture of the frames whose stems are still to come, and what is wanted of them.
        self._late = np.zeros((2, num_late, settings.num_bins), np.complex64)
        self._focus: bytes | None = None
        self._powers, self._is_neutral = np.ones(num_stems + 1, np.float32), True
        self._late_powers = np.ones((num_late, num_stems + 1), np.float32)
        self._silence = np.zeros((num_stems, 2, self._step_samples), np.float32)
        # By then nothing of the sound before is left in windows or lookahead.
        self._rest_after_samples = max(
            _REST_AFTER_SECONDS * self.sample_rate, 2 * (self.delay_samples + self._step_samples)
        )
        self._num_silent = 0
        self._sounds = False

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, strides) of the mixture, return (stems, 2, strides) of the stems, `delay_samples` earlier."""
        silent = self._silence_after(mixture)
        if len(silent) > 1 and (max(silent) > self._rest_after_samples or not self._goes_together(len(silent))):
            return self._step_by_step(mixture)
        self._num_silent = silent[-1]
        if self._num_silent > self._rest_after_samples and not self._sounds:
            return self._silence
        return self._synthesise(self._separate(mixture, self._spectra))

    def _step_by_step(self, mixture: np.ndarray) -> np.ndarray:
        """As `process`, where a step depends on what the last one has left."""
        starts = range(0, mixture.shape[1], self._step_samples)
        steps = [StreamingFrontEnd.process(self, mixture[:, i : i + self._step_samples]) for i in starts]
        return np.concatenate(steps, axis=2)

    def _goes_together(self, num_strides: int) -> bool:
        """Whether each of the network's memories has as many of the steps, or one at most."""
        return num_strides < self._memories or num_strides % self._memories == 0

    def _turns(self, num_strides: int) -> int:
        """How many of the network's memories see these strides."""
        return min(num_strides, self._memories)

    def _shapes(self, frames: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the network's input and output."""
        return (1, 2, 2, frames, self._network_bins), (1, len(self.stems), 2, 2, frames, self._network_bins)

    def _size(self, frames: int) -> StepSize:
        """Steps of the network with so many frames; a size that is not needed takes no memory."""
        if frames not in self._sizes:
            self._sizes[frames] = self._session.add_size(*self._shapes(frames))
        return self._sizes[frames]

    def _silence_after(self, mixture: np.ndarray) -> list[int]:
        """After each step how many samples have been silent."""
        silent, num_silent = [], self._num_silent
        for start in range(0, mixture.shape[1], self._step_samples):
            sounds = mixture[:, start : start + self._step_samples].any()
            num_silent = 0 if sounds else num_silent + self._step_samples
            silent.append(num_silent)
        return silent

    def _separate(self, mixture: np.ndarray, target: np.ndarray) -> np.ndarray:
        """The stems' spectra of all strides of `mixture`, written into `target`."""
        spectra = self._analysis.process(mixture)
        frames = spectra.shape[1]
        stems = target[:, :, :frames]
        shared = self._shared_bins
        turns = self._turns(frames // self._step_frames)
        size = self._size(frames // turns) if frames // turns > self._step_frames else None
        values = self._session.input if size is None else size.input
        for turn in range(turns):  # of each memory every frame that is its own
            own = slice(turn, None, turns)
            values[0, :, 0, :, :shared] = spectra[:, own, :shared].real
            values[0, :, 1, :, :shared] = spectra[:, own, :shared].imag
            masked = (self._session.run() if size is None else self._session.run_size(size))[0]
            stems.real[:, :, own, :shared] = masked[:, :, 0, :, :shared]
            stems.imag[:, :, own, :shared] = masked[:, :, 1, :, :shared]
        self._finish(spectra, stems)
        return stems

    def _synthesise(self, spectra: np.ndarray) -> np.ndarray:
        stems = self._synthesis.process(spectra)
        self._sounds = self._num_silent > 0 and bool(stems[..., -self._step_samples :].any())
        return stems

    def _finish(self, mixture: np.ndarray, stems: np.ndarray) -> None:
        """What the network leaves to do, with the mixture (2, frames, bins): the bins above its own, and the focus."""
        frames, lookahead = mixture.shape[1], self._lookahead_frames
        if lookahead == 0 and self._is_neutral and stems.shape[-1] <= self._shared_bins:
            return
        late, powers = self._late[:, : lookahead + frames], self._late_powers[: lookahead + frames]
        late[:, lookahead:] = mixture
        powers[lookahead:] = self._powers
        if stems.shape[-1] > self._shared_bins:
            self._extend(late[:, :frames], stems)
        if (powers[:frames] != 1.0).any():
            sharpen(stems, late[:, :frames], powers[:frames])
        late[:, :lookahead] = late[:, frames:]
        powers[:lookahead] = powers[frames:]

    def _extend(self, mixture: np.ndarray, stems: np.ndarray) -> None:
        """Fill the stems' bins above the network's with the mixture (2, frames, bins), shared out as just below."""
        shared = self._shared_bins
        top = slice(max(0, shared - _TOP_BINS), shared)
        below, known = mixture[..., top], stems[..., top]
        energy = (below.real**2 + below.imag**2).sum(axis=-1)
        # The least-squares gain from mixture to stem; of a real mask that all these bins share it is that mask.
        along = (known.real * below.real + known.imag * below.imag).sum(axis=-1)
        masks = np.divide(along, energy, out=np.zeros_like(along), where=energy > 0)
        stems[..., shared:] = np.clip(masks, 0, 1)[..., np.newaxis] * mixture[..., shared:]

    def set_focus(self, focus: np.ndarray) -> None:
        """See `StreamFrontEnd`. It acts on the frame that ends with the next stride, and fades with the windows."""
        said = np.asarray(focus).tobytes()  # it comes with every step, mostly the same
        if said != self._focus:
            self._focus, self._powers = said, exponents(focus)
            self._is_neutral = bool((self._powers == 1.0).all())

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._late.fill(0)
        self._late_powers.fill(1)
        self._analysis.reset()
        self._session.reset()
        self._synthesis.reset()
        self._num_silent = 0
        self._sounds = False
