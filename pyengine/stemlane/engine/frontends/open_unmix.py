# SPDX-License-Identifier: MIT
"""Front end of `open-unmix` models: a bidirectional LSTM per stem on magnitudes, then masks or a Wiener filter.

Stöter et al., "Open-Unmix - A reference implementation for music source separation", JOSS 2019. The original hears
whole recordings, mirrored at both ends, its frames centred on multiples of the hop; the Wiener filter works on blocks
of 300 frames. Here the LSTM hears a segment, and a recording's first and last segment begin and end where it does.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from stemlane.engine.frontends.masked_segments import MaskedSegmentFrontEnd
from stemlane.engine.spectral.wiener import refined
from stemlane.manifests.model import Manifest

_EPSILON = 1e-10  # the original's
_FIRST_FRAME = 2  # frame i ends with sample i hop - 1: this one is centred on sample 0, the original's first
_OVERLAP = 4  # length of a transform in hops


@dataclass(frozen=True)
class _Stretch:
    """Frames to be separated: their spectra, the number of the first, and which of them are kept, from `start` on."""

    spectra: np.ndarray
    first_frame: int
    start: int
    num_kept: int

    @property
    def num_absent(self) -> int:
        """Frames at the beginning that lie before the recording's first one."""
        num_frames: int = self.spectra.shape[1]
        return min(max(_FIRST_FRAME - self.first_frame, 0), num_frames)


class OpenUnmixFrontEnd(MaskedSegmentFrontEnd):
    """Runs an `open-unmix` model.

    The network maps `magnitude` (1, channel, frames, bins), for any number of frames, to `masks` (1, stem, channel,
    frames, bins), the stems being all but the residual; or with the Wiener filter to `magnitudes`, the same of all
    stems, the residual last.
    """

    knows_end = True

    def __init__(self, manifest: Manifest, *, threads: int = 1):
        super().__init__(manifest, threads=threads)
        self._num_frames = 0  # analysed so far, those before the recording's first one included

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        settings, edge = self._settings, self._settings.fft_samples // 2
        begins = self._num_frames == 0
        if begins:
            self._held[:, edge:] = np.pad(mixture, ((0, 0), (edge, 0)), mode="reflect")[:, :edge]
        self._analyse(mixture)
        if begins:
            self._spectra[:, : self._spectra.shape[1] - settings.stride_frames + _FIRST_FRAME] = 0
        self._num_frames += settings.stride_frames
        first_frame = self._num_frames - settings.segment_frames
        stretch = _Stretch(self._spectra, first_frame, settings.context_before_frames, settings.stride_frames)
        return self._separated(stretch, settings.stride_frames, None)

    def finish(self, rest: np.ndarray) -> np.ndarray:
        """Take the last samples, (2, n); return the stems to the recording's end, (stems, 2, delay + n)."""
        settings, edge = self._settings, self._settings.fft_samples // 2
        num_samples = self._num_frames * settings.hop_samples + rest.shape[1]
        last_frame = num_samples // settings.hop_samples + _FIRST_FRAME
        num_new = last_frame + 1 - self._num_frames
        # The segment moves on by a stride and grows by what is new.
        num_old = settings.segment_frames - settings.stride_frames
        spectra = np.zeros((2, num_old + num_new, settings.num_bins), np.complex64)
        spectra[:, :num_old] = self._spectra[:, settings.stride_frames :]
        new = spectra[:, num_old:]
        if self._num_frames:
            samples = np.concatenate([self._held, rest], axis=1)
            self._transform(np.pad(samples, ((0, 0), (0, edge)), mode="reflect"), new)
        else:
            self._transform(np.pad(rest, ((0, 0), (edge, edge)), mode="reflect"), new[:, _FIRST_FRAME:])
        first_frame = self._num_frames - settings.segment_frames + settings.stride_frames
        num_kept = spectra.shape[1] - settings.context_before_frames
        stretch = _Stretch(spectra, first_frame, settings.context_before_frames, num_kept)
        # Frames that do not exist push the last samples out.
        num_frames = num_kept + _OVERLAP + -(num_kept + _OVERLAP) % self._group_frames
        num_owed = self.delay_samples + rest.shape[1]
        return self._separated(stretch, num_frames, last_frame)[:, :, :num_owed]

    def reset(self) -> None:
        """Forget everything heard so far."""
        super().reset()
        self._num_frames = 0

    def _separated(self, stretch: _Stretch, num_frames: int, last_frame: int | None) -> np.ndarray:
        """Samples (stems, 2, num_frames * hop) from the kept frames on; `last_frame` is the recording's, if known."""
        settings = self._settings
        num_wanted = num_frames + settings.crossfade_frames
        if settings.wiener_iterations:
            found = self._refined(stretch, num_wanted)
            factors = np.ones((2, num_frames, 1), np.float32)  # of spectra, not masks
        else:
            found = self._of_kept(self._network(stretch), stretch, num_wanted)
            factors = np.zeros((2, num_frames, settings.num_bins), np.complex64)
            factors[:, : stretch.num_kept] = stretch.spectra[:, stretch.start :][:, : stretch.num_kept]
        found = self._blended(found, slice(0, num_frames))
        stems = self._synthesised(
            num_frames, lambda group: [factors[:, group] * self._extended(values[:, group]) for values in found]
        )
        position = (stretch.first_frame + stretch.start - _OVERLAP) * settings.hop_samples
        stems *= self._edge_gains(position, stems.shape[2], last_frame)
        return stems

    def _network(self, stretch: _Stretch) -> np.ndarray:
        """The network's output (stems, channels, frames that exist, heard bins)."""
        settings = self._settings
        spectra = stretch.spectra[:, stretch.num_absent :, : settings.heard_bins]
        output = self._session.output
        if spectra.shape[1] != settings.segment_frames:
            shape = (*spectra.shape[:2], settings.network_bins)
            part = self._session.part((1, *shape), (*output.shape[:2], *shape))
            part.input[..., settings.heard_bins :] = 0
            np.abs(spectra, out=part.input[0, :, :, : settings.heard_bins])
            output = self._session.run_part(part)
            self._session.input[..., settings.heard_bins :] = 0
        else:
            np.abs(spectra, out=self._session.input[0, :, :, : settings.heard_bins])
            if self._session.input.any():
                self._session.run()
            else:  # silence: any mask will do
                output.fill(0)
        found: np.ndarray = output[0, ..., : settings.heard_bins]
        return found

    def _of_kept(self, values: np.ndarray, stretch: _Stretch, num_wanted: int) -> np.ndarray:
        """(stems, channels, num_wanted, bins) from the first kept frame on, of values of frames that exist, else 0."""
        if not stretch.num_absent and values.shape[2] >= stretch.start + num_wanted:
            return values[:, :, stretch.start : stretch.start + num_wanted]
        kept = np.zeros((len(self.stems), 2, num_wanted, values.shape[3]), values.dtype)
        first = max(stretch.num_absent - stretch.start, 0)
        part = values[:, :, max(stretch.start - stretch.num_absent, 0) :][:, :, : num_wanted - first]
        kept[:, :, first : first + part.shape[2]] = part
        return kept

    def _refined(self, stretch: _Stretch, num_wanted: int) -> np.ndarray:
        """Spectra (stems, channels, num_wanted, bins) of the kept frames, from the Wiener filter."""
        settings = self._settings
        magnitudes = self._network(stretch)
        mixture = stretch.spectra[:, stretch.num_absent :, : settings.heard_bins]
        num_existing = mixture.shape[1]
        first_kept = max(stretch.start - stretch.num_absent, 0)
        # Of what is kept, the first that exist; where a segment begins before the recording there are none.
        first_place = max(stretch.num_absent - stretch.start, 0)
        num_used = min(num_wanted - first_place, num_existing - first_kept)
        cuts = [0, num_existing]
        if settings.wiener_frames <= settings.stride_frames:
            # Blocks begin at multiples of their length, counted from the recording's first frame.
            first_frame = stretch.first_frame + stretch.num_absent - _FIRST_FRAME
            inner = [cut for cut in range(first_kept + 1, num_existing)
                     if (first_frame + cut) % settings.wiener_frames == 0]  # fmt: skip
            cuts = [first_kept, *inner, num_existing]
        kept = np.zeros((len(self.stems), 2, num_wanted, mixture.shape[2]), np.complex64)
        for start, stop in itertools.pairwise(cuts):
            if start >= first_kept + num_used:
                break
            first, last = max(start, first_kept), min(stop, first_kept + num_used)
            place = first_place + first - first_kept
            kept[:, :, place : place + last - first] = self._filtered(
                mixture[:, start:stop], magnitudes[:, :, start:stop]
            )[: len(self.stems), :, first - start : last - start]
        return kept

    def _filtered(self, mixture: np.ndarray, magnitudes: np.ndarray) -> np.ndarray:
        """Spectra of all stems from the Wiener filter of frames that share their covariances."""
        size = np.abs(mixture)
        phase = np.divide(mixture, size, out=np.ones_like(mixture), where=size > 0)
        return refined(mixture, magnitudes * phase, iterations=self._settings.wiener_iterations, epsilon=_EPSILON)

    def _edge_gains(self, position: int, num_samples: int, last_frame: int | None) -> np.ndarray:
        """Factors (num_samples,) from `position` on that make up for the windows missing at the recording's ends."""
        gains = np.ones(num_samples, np.float32)
        hop, length = self._settings.hop_samples, self._settings.fft_samples
        first_end = _OVERLAP * hop  # from here on no window is missing
        last_start = position + num_samples if last_frame is None else (last_frame + 1 - _OVERLAP) * hop
        for start, stop in ((0, first_end), (last_start, position + num_samples)):
            places = np.arange(max(start, position), min(stop, position + num_samples))
            if not len(places):
                continue
            total = np.zeros(len(places))
            frames = places // hop + 1
            for number in range(_OVERLAP):  # frames that reach a place; frame i begins at (i - _OVERLAP) hop
                frame = frames + number
                exists = (frame >= _FIRST_FRAME) & (frame <= (frame if last_frame is None else last_frame))
                total += np.where(exists, self._window[(places - (frame - _OVERLAP) * hop) % length] ** 2, 0)
            gains[places - position] = np.where(total > 1e-6, 1.5 / np.maximum(total, 1e-6), 1)
        return gains
