# SPDX-License-Identifier: MIT
"""Front end of `segment`, `htdemucs` and `mdx` models: networks that hear whole segments and give those of the stems.

Around the networks it does what Demucs 4.1.0 does (demucs/apply.py, api.py): segments overlap and are joined with
triangular weights; a last, shorter segment is centred in the network's input; passes can be shifted and averaged.
Where the manifest asks for it, a recording is brought to mean 0 and deviation 1. A live stream knows neither level nor
end: a usual level is assumed, which changes hardly anything, because such networks normalise each segment again.

MDX-Net's segments are joined as in Ultimate Vocal Remover (github.com/Anjok07/ultimatevocalremovergui, separate.py):
versions from 5.6 on weight whole segments with a Hann window, earlier ones keep their middle ("flat").
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stemlane.engine.frontends.protocols import RecordingFrontEnd
from stemlane.engine.frontends.segment_network import SegmentNetwork
from stemlane.engine.paged_arrays import paged_zeros
from stemlane.engine.session import Arrays, available_threads
from stemlane.engine.spectral.overlap_add import OverlapAdd
from stemlane.manifests.model import Manifest
from stemlane.manifests.segments import SegmentSettings

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_USUAL_DEVIATION = 0.1  # of mastered music, full scale being 1
_SHIFT_SECONDS = 0.5  # by at most so much the original shifts
_SHIFT_SEED = 0
_NO_STEMS = np.zeros((0, 2, 0), np.float32)


def shift_leads(shifts: int, sample_rate: float) -> list[int]:
    """Samples of silence before the recording in each shifted pass: random in the original, always the same here."""
    longest = round(_SHIFT_SECONDS * sample_rate)
    return [int(bits % np.uint64(longest + 1)) for bits in np.random.PCG64(_SHIFT_SEED).random_raw(shifts)]


def segment_weights(settings: SegmentSettings, num_samples: int | None = None) -> np.ndarray:
    """Weights of a segment (segment_samples,), or (num_samples,) of a shorter last one."""
    length = settings.segment_samples
    if settings.weights == "hann":
        return np.hanning(length if num_samples is None else num_samples).astype(np.float32)
    if settings.weights == "flat":
        ramp = (np.arange(settings.crossfade_samples) + 0.5) / max(settings.crossfade_samples, 1)
        level = np.ones(settings.segment_stride_samples - settings.crossfade_samples)
        kept = np.concatenate([ramp, level, 1 - ramp])
        weights = np.pad(kept, (settings.first_used, settings.edge_samples))
    elif settings.weights == "ramps":
        ramp, level = np.linspace(0, 1, settings.fade_samples), np.ones(length - 2 * settings.fade_samples)
        weights = np.concatenate([ramp, level, ramp[::-1]])
    else:
        half = length // 2
        weights = np.concatenate([np.arange(1, half + 1), np.arange(length - half, 0, -1)]) / (length - half)
    return weights[:num_samples].astype(np.float32)


def _thread_pool(num_workers: int) -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor  # only where needed: the engine's start-up time counts

    return ThreadPoolExecutor(num_workers)


class SegmentFrontEnd(RecordingFrontEnd):
    """Runs a `segment`, `htdemucs` or `mdx` model.

    Parameters
    ----------
    whole
        The input is one recording: where its level counts it is prescanned, and its end is known.
    shifts
        Number of shifted passes that are averaged; 0 for one pass that is not shifted. More than 0 needs `whole`.
    """

    def __init__(self, manifest: Manifest, *, whole: bool = False, shifts: int = 0):
        settings = self._settings = manifest.settings_of(SegmentSettings)
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        threads = available_threads()
        at_once = settings.segments_at_once
        num_workers = at_once if whole and threads >= at_once else 1
        # A live stream hears one segment after the other; of a file, each worker computes one at the same time.
        self.stride_samples = settings.segment_stride_samples * num_workers if whole else settings.stride_samples
        leads = shift_leads(shifts, self.sample_rate) if shifts else [0]
        starts = [settings.recording_start - lead if whole else settings.stream_start for lead in leads]
        step = settings.segment_stride_samples if whole else settings.stride_samples
        self.delay_samples = max(settings.delay_from(start, step) for start in starts)
        # A worker's own thread computes with those of the session, which all workers share.
        threads -= num_workers - 1
        shared: Arrays = {}
        first = [SegmentNetwork(manifest, network, threads, shared) for network in settings.networks]
        clones = [[network.clone() for network in first] for _ in range(num_workers - 1)]
        self._workers = [first, *clones]
        self._pool = _thread_pool(num_workers) if num_workers > 1 else None
        self._weights = segment_weights(settings)
        # What is returned next trails the newest sample by at most a segment and a stride.
        ahead = settings.segment_samples + 2 * self.stride_samples
        self._passes = [Pass(start, len(self.stems), settings, ahead) for start in starts]
        # Enough for a last segment that reaches back by half its length from where no segment has begun.
        self._heard = np.zeros((2, 2 * settings.segment_samples + self.stride_samples), np.float32)
        self._assumed_deviation = _USUAL_DEVIATION if settings.level == "recording" else 1.0
        self.knows_end = whole and settings.weights != "flat"  # there, silence is the original's end too
        self.needs_prescan = whole and settings.level == "recording"
        self.reset()

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        self._hear(mixture)
        length = self._settings.segment_samples
        self._add(
            self._segment(one, start, length) for one in self._passes for start in one.starts(self._end - length + 1)
        )
        return self._take(self.stride_samples)

    def reset(self) -> None:
        """Forget the stream and the prescan."""
        self._count, self._sum, self._square_sum = 0, 0.0, 0.0
        self._end = 0  # samples heard
        self._taken = -self.delay_samples  # where the next samples to return begin
        self._heard.fill(0)
        for one in self._passes:
            one.reset()

    def prescan(self, mixture: np.ndarray) -> None:
        """Take a piece (2, samples) of the recording for its level."""
        mono = mixture.mean(axis=0, dtype=np.float64)
        self._count += len(mono)
        self._sum += mono.sum()
        self._square_sum += np.square(mono).sum()

    def finish(self, rest: np.ndarray) -> np.ndarray:
        """Take the last (2, fewer than a stride) samples, return all stems still owed."""
        self._hear(rest)
        length = self._settings.segment_samples
        self._add(
            self._segment(one, start, min(length, self._end - start))
            for one in self._passes
            for start in one.starts(self._end)
        )
        return self._take(self._end - self._taken)

    def _level(self) -> tuple[float, float]:
        """Mean and deviation of the recording's mono sum, or those assumed without a prescan."""
        if not self._count:
            return 0.0, self._assumed_deviation
        mean = self._sum / self._count
        variance = max(self._square_sum - self._count * mean**2, 0.0) / max(self._count - 1, 1)
        return mean, variance**0.5 + 1e-8  # the original's epsilon

    def _hear(self, mixture: np.ndarray) -> None:
        num_new = mixture.shape[1]
        if num_new:
            mean, deviation = self._level()
            self._heard[:, :-num_new] = self._heard[:, num_new:]
            self._heard[:, -num_new:] = (mixture - np.float32(mean)) / np.float32(deviation)
            self._end += num_new

    def _segment(self, owner: "Pass", start: int, num_samples: int) -> "Segment":
        """The segment of a pass at `start`, of which `num_samples` lie in the recording; the last are shorter."""
        settings, length = self._settings, self._settings.segment_samples
        before, weights = 0, self._weights[:num_samples]
        if settings.weights == "triangle":
            before = (length - num_samples) // 2  # in the middle of what the network hears
        elif num_samples < length:
            # The original fills the recording up with silence, to a length at which its last segments are cut off.
            inner = length - settings.fft_samples
            filled_up = self._end + inner - self._end % inner + settings.edge_samples
            weights = segment_weights(settings, min(length, filled_up - start))[:num_samples]
        first = start - before - self._end + self._heard.shape[1]  # place in the memory
        heard = self._heard[:, first : first + length]
        heard = np.pad(heard, ((0, 0), (0, length - heard.shape[1])))
        return Segment(
            owner=owner,
            start=start,
            kept=slice(before, before + num_samples),
            weights=weights,
            heard=heard,
            stems=paged_zeros((len(self.stems), 2, num_samples)),
        )

    def _add(self, segments: Iterator["Segment"]) -> None:
        """Separate the segments and add each to its pass, always in the same order."""
        # At the end there are more, and each takes memory from when it is made.
        while group := list(itertools.islice(segments, len(self._workers))):
            if self._pool and len(group) > 1:
                list(self._pool.map(self._separate, group, self._workers))
            else:
                for segment in group:
                    self._separate(segment, self._workers[0])
            for segment in group:
                segment.owner.add(segment, self._taken)

    def _separate(self, segment: "Segment", networks: list[SegmentNetwork]) -> None:
        """Compute the stems of a segment."""
        if segment.heard.any():  # the stems of silence are silent
            for network in networks:
                segment.stems[network.indices] = network.separate(segment.heard)[:, :, segment.kept]

    def _take(self, num_samples: int) -> np.ndarray:
        """The next samples, which no later segment changes."""
        mean, deviation = self._level()
        stems = self._passes[0].take(num_samples)
        for one in self._passes[1:]:
            stems += one.take(num_samples)
        self._taken += num_samples
        gain = self._settings.compensation * deviation / len(self._passes)
        stems *= np.float32(gain)  # in place: all stems of a segment are 8 MB
        stems += np.float32(mean)
        return stems


@dataclass
class Segment:
    """A segment of a pass: where it starts, what is kept of it and its weights, what is heard, and its stems."""

    owner: "Pass"
    start: int
    kept: slice
    weights: np.ndarray
    heard: np.ndarray
    stems: np.ndarray


class Pass:
    """The sum of the weighted segments of one pass, from the first sample on that has not been returned yet.

    `start` is where its first segment starts; no segment ends more than `ahead` samples after what is returned next.
    """

    def __init__(self, start: int, num_stems: int, settings: SegmentSettings, ahead: int):
        self._start, self._first_used = start, settings.first_used
        self._stride_samples = settings.segment_stride_samples
        self._sum, self._weight_sum = OverlapAdd((num_stems, 2), ahead), OverlapAdd((), ahead)

    def reset(self) -> None:
        """Start over."""
        self.begin(self._start)
        self._sum.reset()
        self._weight_sum.reset()

    def begin(self, start: int) -> None:
        """Let the next segment start here."""
        self._next_start = start

    def starts(self, end: int) -> range:
        """Where the next segments start, as far as before `end`; the next call goes on from there."""
        starts = range(self._next_start, end, self._stride_samples)
        self._next_start += len(starts) * self._stride_samples
        return starts

    def add(self, segment: Segment, taken: int) -> None:
        """Add the stems of a segment, which lets go of them; what is returned next begins at `taken`."""
        place, weights = segment.start + self._first_used - taken, segment.weights[self._first_used :]
        stems, segment.stems = segment.stems[..., self._first_used :], _NO_STEMS
        stems *= weights
        self._sum.add(stems, place)
        self._weight_sum.add(weights, place)

    def take(self, num_samples: int) -> np.ndarray:
        """The next samples (stems, 2, samples); where no segment lies, zeros."""
        weights = np.maximum(self._weight_sum.take(num_samples), np.float32(1e-30))
        stems = self._sum.take(num_samples)
        stems /= weights
        return stems
