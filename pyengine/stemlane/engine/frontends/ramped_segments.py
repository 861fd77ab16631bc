# SPDX-License-Identifier: MIT
"""Joins the segments of a recording as the trainer of RoFormers and MDX23C does, for stems that equal its own.

Music-Source-Separation-Training, utils/model_utils.py, `demix` with one segment at a time: the recording is mirrored at
both ends by the overlap of segments, which are weighted with linear ramps over a tenth of their length. A live stream
cannot mirror what it has not heard: there the segments lie as the stream began.
"""

import numpy as np

from stemlane.engine.frontends.segments import Pass, Segment, SegmentFrontEnd, segment_weights
from stemlane.engine.paged_arrays import paged_zeros
from stemlane.manifests.model import Manifest


class RampedSegmentFrontEnd(SegmentFrontEnd):
    """Runs a `segment` model whose weights are "ramps" over one recording."""

    def __init__(self, manifest: Manifest):
        super().__init__(manifest, whole=True)
        settings = self._settings
        self._border = settings.segment_samples - settings.segment_stride_samples
        # Nothing begins before the original is sure to mirror, and what was heard of it is still known then.
        self.delay_samples = max(self.delay_samples, 3 * self._border)
        ahead = self.delay_samples + settings.segment_samples + self.stride_samples
        self._passes = [Pass(-self._border, len(self.stems), settings, ahead)]
        self._ends: tuple[int, int] | None = None  # of what the original cuts into segments, once that is known
        self.reset()

    def reset(self) -> None:
        """Forget the stream and the prescan."""
        super().reset()
        self._ends = None

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        self._hear(mixture)
        [one] = self._passes
        if self._end > 2 * self._border:
            length = self._settings.segment_samples
            self._add(self._segment(one, start, length) for start in one.starts(self._end - length + 1))
        return self._take(self.stride_samples)

    def finish(self, rest: np.ndarray) -> np.ndarray:
        """Take the last (2, fewer than a stride) samples, return all stems still owed."""
        self._hear(rest)
        [one] = self._passes
        mirrors = self._end > 2 * self._border
        self._ends = (-self._border, self._end + self._border) if mirrors else (0, self._end)
        if not mirrors:
            one.begin(0)
        length, end = self._settings.segment_samples, self._ends[1]
        self._add(self._segment(one, start, min(length, end - start)) for start in one.starts(end))
        return self._take(self._end - self._taken)

    def _segment(self, owner: Pass, start: int, num_samples: int) -> Segment:
        """The segment at `start`, of which `num_samples` lie between the ends; a shorter one is mirrored, or zeros."""
        settings, length = self._settings, self._settings.segment_samples
        places = np.abs(np.arange(start, start + num_samples))
        if self._ends:
            places = np.where(places < self._end, places, 2 * (self._end - 1) - places)
        heard = self._heard[:, places - self._end + self._heard.shape[1]]
        mode = "reflect" if num_samples > length // 2 else "constant"
        heard = np.pad(heard, ((0, 0), (0, length - num_samples)), mode)  # type: ignore[call-overload]
        weights, fade = segment_weights(settings), settings.fade_samples
        if start == (self._ends[0] if self._ends else -self._border):
            weights[:fade] = 1
        elif self._ends and start + settings.segment_stride_samples >= self._ends[1]:
            weights[-fade:] = 1
        stems = paged_zeros((len(self.stems), 2, num_samples))
        return Segment(owner, start, slice(0, num_samples), weights[:num_samples], heard, stems)
