# SPDX-License-Identifier: MIT
"""A host of the test's making around the C++ core and the Python engine: any blocks, gains, delays and resets."""

import numpy as np
from stemlane.contract import STEM_ORDER
from stemlane.engine.streaming import StreamingSeparator
from stemlane.manifests.model import load_manifest
from stemlane.mix._core import CoreStream

MAX_BLOCK = 8192


class MadeUpHost:
    """One insert with the model in `folder`.

    Attributes
    ----------
    latency_samples
        As reported to the host.
    """

    def __init__(self, folder, sample_rate: float, num_channels: int = 2):
        self.manifest = load_manifest(folder)
        self._core = CoreStream(self.manifest, sample_rate, num_channels, MAX_BLOCK)
        self._engine = StreamingSeparator(self.manifest, sample_rate, num_channels)
        self._waiting: list[np.ndarray] = []
        self._heard: list[np.ndarray] = []
        self.latency_samples = self._core.latency_samples

    def gains(self, **by_stem: float) -> np.ndarray:
        """Linear gains by `STEM_ORDER`, 1 where not named."""
        return np.array([by_stem.get(stem, 1.0) for stem in STEM_ORDER], np.float32)

    def play(self, block: np.ndarray, gains: np.ndarray, *, served: bool = True) -> np.ndarray:
        """Process one block (channels, samples); unless `served`, its stems stay behind until a later block's."""
        self._core.push(block, gains)
        stems = self._engine.process(block)
        self._waiting.append(stems)
        self._heard.append(stems)
        if served:
            for stems in self._waiting:
                self._core.put_stems(stems)
            self._waiting.clear()
        return self._core.pull(block.shape[1], complete=False)

    def play_all(self, mixture: np.ndarray, gains: np.ndarray, sizes) -> np.ndarray:
        """Process a mixture (channels, samples) in blocks of the sizes that the iterable `sizes` gives."""
        pieces, position, sizes = [], 0, iter(sizes)
        while position < mixture.shape[1]:
            block = mixture[:, position : position + next(sizes)]
            position += block.shape[1]
            pieces.append(self.play(block, gains))
        return np.concatenate(pieces, axis=1)

    def stems(self) -> np.ndarray:
        """All that the engine has made known since the last reset, (6, channels, samples) by `STEM_ORDER`.

        The residual and what the model does not have are zeros.
        """
        known = np.concatenate(self._heard, axis=2)
        stems = np.zeros((len(STEM_ORDER), *known.shape[1:]), np.float32)
        stems[[STEM_ORDER.index(stem) for stem in self.manifest.separated_stems]] = known
        return stems

    def reset(self) -> None:
        """As a host does before another pass."""
        self._core.reset()
        self._engine.reset()
        self._waiting.clear()
        self._heard.clear()
