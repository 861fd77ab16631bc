# SPDX-License-Identifier: MIT
"""Front end of whole recordings for `streaming` models whose frames are free: many steps of the network at once.

The stems are those of the live stream, bit for bit, for half the work; and the transforms back to samples run
beside the network, on another core.
"""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from stemlane.engine.frontends.streaming import StreamingFrontEnd
from stemlane.manifests.model import Manifest

# Enough to spread the reading of the weights over; more costs memory and gains nothing.
_RUNS_PER_TURN = 32


class ManyStepsFrontEnd(StreamingFrontEnd):
    """Runs a `streaming` model over a recording.

    `process` returns the stems of its call before, while those of this one are made into samples.
    """

    def __init__(self, manifest: Manifest):
        super().__init__(manifest, runs_per_turn=_RUNS_PER_TURN)
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
            starts = range(0, self.stride_samples, self._step_samples)
            steps = [super(ManyStepsFrontEnd, self).process(mixture[:, i : i + self._step_samples]) for i in starts]
            self._before = np.concatenate(steps, axis=2)
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
