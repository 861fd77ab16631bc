# SPDX-License-Identifier: MIT
"""Front end of whole recordings for `streaming` models whose frames are free: many steps of the network at once.

The stems are those of the live stream, bit for bit, for half the work; and the transforms back to samples run
beside the network, on another core.
"""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from stemlane.engine.frontends.streaming import StreamingFrontEnd
from stemlane.manifests.kinds import StreamingSettings
from stemlane.manifests.model import Manifest

# Enough to spread the reading of the weights over; more costs memory and gains nothing.
_RUNS_PER_MEMORY = 32


class ManyStepsFrontEnd(StreamingFrontEnd):
    """Runs a `streaming` model over a recording.

    `process` returns the stems of its call before, while those of this one are made into samples.
    """

    def __init__(self, manifest: Manifest):
        memories = manifest.settings_of(StreamingSettings).interleaved_states
        super().__init__(manifest, strides_at_once=_RUNS_PER_MEMORY * memories, warm_up=False)
        self.stride_samples, self.strides_at_once = self.strides_at_once * self.stride_samples, 1
        self.delay_samples += self.stride_samples
        self._spare = np.zeros_like(self._spectra)
        self._beside = ThreadPoolExecutor(1, "stemlane-synthesis")
        self._nothing = np.zeros((len(self.stems), 2, self.stride_samples), np.float32)
        self._before: np.ndarray | Future[np.ndarray] = self._nothing

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        silent = self._silence_after(mixture)
        if max(silent) > self._rest_after_samples:  # step by step, as a rest depends on what the last one has left
            before = self._finished()
            self._before = self._step_by_step(mixture)
            return before
        spectra = self._separate(mixture, self._spare)
        before = self._finished()
        self._num_silent = silent[-1]
        self._spare, self._spectra = self._spectra, self._spare
        self._before = self._beside.submit(self._synthesise, spectra)
        return before

    def reset(self) -> None:
        """Forget everything heard so far."""
        if not isinstance(self._before, np.ndarray):
            self._before.exception()  # until it is done; what became of it is of no interest any more
        self._before = self._nothing
        super().reset()

    def _finished(self) -> np.ndarray:
        """The stems of the call before."""
        return self._before if isinstance(self._before, np.ndarray) else self._before.result()
