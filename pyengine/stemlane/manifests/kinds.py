# SPDX-License-Identifier: MIT
"""What a manifest states beyond what all models share, per kind of model. Standard library only.

How a kind is run is its front end's business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from stemlane.manifests.ensemble import EnsembleSettings, read_ensemble
from stemlane.manifests.htdemucs import read_htdemucs
from stemlane.manifests.mdx import read_mdx
from stemlane.manifests.rates import frame_samples
from stemlane.manifests.segments import SegmentSettings, read_segment
from stemlane.manifests.table import Table


@dataclass(frozen=True)
class StreamingSettings:
    """Numbers and tensor names of a `streaming` model: a stateful network fed a few frames at a time.

    `interleaved_states` memories take turns, frame by frame: a network trained at a hop of 1024 runs at 256 with four.
    The network's output frame t belongs to its input frame t - `lookahead_frames`. It knows `network_bins` bins, and
    spectra are multiplied by `spectral_gain` for it; see `at_rate`. With `free_frames` it takes any number of frames
    at once and gives each the same bits.
    """

    fft_samples: int
    synthesis_samples: int
    hop_samples: int
    frames_per_step: int
    lookahead_frames: int
    mixture_tensor: str
    stems_tensor: str
    state_tensors: tuple[tuple[str, str], ...]
    network_bins: int
    interleaved_states: int = 1
    free_frames: bool = False
    spectral_gain: float = 1.0

    @property
    def stride_samples(self) -> int:
        """Samples the network takes at once."""
        return self.frames_per_step * self.hop_samples

    @property
    def delay_samples(self) -> int:
        """Samples by which the finished stems trail the mixture: overlap-add tail plus lookahead."""
        return self.synthesis_samples - self.hop_samples + self.lookahead_frames * self.hop_samples

    @property
    def num_bins(self) -> int:
        """Bins of one frame."""
        return self.fft_samples // 2 + 1

    def at_rate(self, model_rate: float, sample_rate: float) -> "StreamingSettings":
        """The same with frames of the same duration, nearly, at another rate; see `stemlane.manifests.rates`."""
        fft = frame_samples(self.fft_samples, model_rate, sample_rate)
        hop = max(1, fft * self.hop_samples // self.fft_samples)
        tail = rescaled(self.synthesis_samples - self.hop_samples, self.hop_samples, hop)
        return replace(
            self,
            fft_samples=fft,
            hop_samples=hop,
            synthesis_samples=hop + tail,
            spectral_gain=self.spectral_gain * self.fft_samples / fft,
        )


def rescaled(num_samples: int, hop_samples: int, new_hop_samples: int) -> int:
    """A length counted in hops, where the hop has another length: whole hops exactly, the rest rounded half up.

    >>> rescaled(512, 1024, 1116), rescaled(5120, 1024, 1116)
    (558, 5580)
    """
    hops, rest = divmod(num_samples, hop_samples)
    return hops * new_hop_samples + (2 * rest * new_hop_samples + hop_samples) // (2 * hop_samples)


def read_streaming(top: Table) -> StreamingSettings:
    """Read [streaming] and [tensors] of a manifest."""
    table, tensors = top.table("streaming"), top.table("tensors")
    fft = table.integer("fft_samples", 16, 65536)
    synthesis = table.integer("synthesis_samples", 4, fft)
    hop = table.integer("hop_samples", 2, synthesis)
    if fft % 2:
        table.fail("fft_samples", f"is {fft}, should be even")
    if synthesis != 4 * hop and not hop < synthesis <= 2 * hop:
        table.fail("synthesis_samples", f"is {synthesis}, should be up to 2 or 4 times hop_samples = {hop}")
    interleaved = table.integer("interleaved_states", 1, 16) if "interleaved_states" in table else 1
    if interleaved > 1 and table.integer("lookahead_frames", 0, 1024) > 0:
        table.fail("interleaved_states", f"is {interleaved}, should be 1 where the network looks ahead")
    states = []
    for pair in tensors.get("states", list, 'a list like [["state0", "next_state0"]]'):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(end, str) and end for end in pair)):
            tensors.fail("states", f"holds {pair!r}, should hold pairs of an input name and an output name")
        states.append((pair[0], pair[1]))
    return StreamingSettings(
        fft_samples=fft, synthesis_samples=synthesis, hop_samples=hop,
        frames_per_step=table.integer("frames_per_step", 1, 1024),
        lookahead_frames=table.integer("lookahead_frames", 0, 1024),
        mixture_tensor=tensors.text("mixture"), stems_tensor=tensors.text("stems"),
        state_tensors=tuple(states), network_bins=fft // 2 + 1, interleaved_states=interleaved,
        free_frames="free_frames" in table and table.flag("free_frames"))  # fmt: skip


@dataclass(frozen=True)
class MaskedSegmentSettings:
    """Numbers and tensor names of a `spleeter` or `open-unmix` model: magnitudes of whole segments to masks or stems.

    A segment of `segment_frames` is cut into context, `stride_frames` that are kept, `crossfade_frames` that are
    blended into the next segment's, and context again. `mask_extension` says what the bins above `network_bins` get:
    "zeros" (they stay in the residual, as with a Wiener filter), "average" (the mean of the mask below) or "top" (the
    mask of the highest bin, for open-unmix, whose network knows all bins at its own rate). Spectra are multiplied by
    `spectral_gain` for the network; see `at_rate`.
    With `wiener_iterations` above 0 the magnitudes of all stems are taken from the network in place of masks, and a
    multichannel Wiener filter makes the stems of them. Open-unmix takes its covariances from blocks of `wiener_frames`
    of the frames kept, or from whole segments if that is more than `stride_frames`; spleeter from the whole recording,
    or live from the segment.
    """

    fft_samples: int
    hop_samples: int
    segment_frames: int
    stride_frames: int
    crossfade_frames: int
    network_bins: int
    mask_extension: str
    wiener_iterations: int
    wiener_frames: int
    magnitude_tensor: str
    masks_tensor: str
    magnitudes_tensor: str
    spectral_gain: float = 1.0

    @property
    def context_before_frames(self) -> int:
        """Frames of a segment before those that are kept."""
        return self.segment_frames - self.stride_frames - self.crossfade_frames - self.context_after_frames

    @property
    def context_after_frames(self) -> int:
        """Frames of a segment after those that are kept or blended."""
        return (self.segment_frames - self.stride_frames - self.crossfade_frames) // 2

    @property
    def stride_samples(self) -> int:
        """Samples from one segment to the next."""
        return self.stride_frames * self.hop_samples

    @property
    def delay_samples(self) -> int:
        """Samples by which the finished stems trail the mixture.

        One hop, because segments start with a frame that ends at sample 0, as the original's do; the overlap-add
        tail; and the frames of a segment after those that are kept.
        """
        overlap_add_samples = self.fft_samples - self.hop_samples
        ahead_frames = self.context_after_frames + self.crossfade_frames
        return self.hop_samples + overlap_add_samples + ahead_frames * self.hop_samples

    @property
    def num_bins(self) -> int:
        """Bins of one frame."""
        return self.fft_samples // 2 + 1

    @property
    def heard_bins(self) -> int:
        """Bins that a frame and the network have in common."""
        return min(self.num_bins, self.network_bins)

    def at_rate(self, model_rate: float, sample_rate: float) -> "MaskedSegmentSettings":
        """The same with frames of the same duration, nearly, at another rate; see `stemlane.manifests.rates`."""
        fft = frame_samples(self.fft_samples, model_rate, sample_rate)
        gain = self.spectral_gain * self.fft_samples / fft
        return replace(self, fft_samples=fft, hop_samples=fft // 4, spectral_gain=gain)

    @property
    def relative_cost(self) -> float:
        """Frames the network computes per frame of the recording; 1 without overlap."""
        return self.segment_frames / self.stride_frames


MASK_EXTENSIONS = ("zeros", "average")
_SHORTEST_STRIDE = 3  # of open-unmix: half a transform is mirrored at the beginning
_NETWORK_STEP = 64  # six layers that halve: segment and bins must be multiples of 2^6


def read_spleeter(top: Table) -> MaskedSegmentSettings:
    """Read [spleeter] and [tensors] of a manifest."""
    table = top.table("spleeter")
    settings = _read_segments(top, table, lowest_segment=_NETWORK_STEP, most_iterations=1)
    bins = table.integer("network_bins", _NETWORK_STEP, settings.fft_samples // 2)
    for key, value in (("segment_frames", settings.segment_frames), ("network_bins", bins)):
        if value % _NETWORK_STEP:
            table.fail(key, f"is {value}, should be a multiple of {_NETWORK_STEP}")
    return replace(settings, network_bins=bins, mask_extension=table.choice("mask_extension", MASK_EXTENSIONS))


def read_open_unmix(top: Table) -> MaskedSegmentSettings:
    """Read [open-unmix] and [tensors] of a manifest."""
    table = top.table("open-unmix")
    table.integer("stride_frames", _SHORTEST_STRIDE, 4096)
    settings = _read_segments(top, table, lowest_segment=_SHORTEST_STRIDE, most_iterations=10)
    if not settings.wiener_iterations:
        return replace(settings, mask_extension="top")
    frames = table.integer("wiener_frames", 1, settings.segment_frames)
    if frames <= settings.stride_frames and settings.crossfade_frames:
        found = settings.crossfade_frames
        table.fail("crossfade_frames", f"is {found}, should be 0 where wiener_frames are at most stride_frames")
    return replace(settings, wiener_frames=frames)


def _read_segments(top: Table, table: Table, *, lowest_segment: int, most_iterations: int) -> MaskedSegmentSettings:
    """What both kinds state; the network's bins are all there are."""
    tensors = top.table("tensors")
    fft = table.integer("fft_samples", 256, 65536)
    hop = table.integer("hop_samples", 64, fft)
    if fft != 4 * hop:
        table.fail("fft_samples", f"is {fft}, should be 4 times hop_samples = {hop}")
    segment = table.integer("segment_frames", lowest_segment, 4096)
    stride = table.integer("stride_frames", 1, segment)
    crossfade = table.integer("crossfade_frames", 0, segment - stride)
    if crossfade > stride:
        table.fail("crossfade_frames", f"is {crossfade}, should be at most stride_frames = {stride}")
    iterations = table.integer("wiener_iterations", 0, most_iterations) if "wiener_iterations" in table else 0
    return MaskedSegmentSettings(
        fft_samples=fft, hop_samples=hop, segment_frames=segment, stride_frames=stride, crossfade_frames=crossfade,
        network_bins=fft // 2 + 1, mask_extension="zeros", wiener_iterations=iterations,
        wiener_frames=segment,
        magnitude_tensor=tensors.text("magnitude"),
        masks_tensor="" if iterations else tensors.text("masks"),
        magnitudes_tensor=tensors.text("magnitudes") if iterations else "")  # fmt: skip


Settings = StreamingSettings | MaskedSegmentSettings | SegmentSettings | EnsembleSettings

SETTINGS_READERS: Mapping[str, Callable[[Table], Settings]] = {
    "streaming": read_streaming,
    "spleeter": read_spleeter,
    "open-unmix": read_open_unmix,
    "mdx": read_mdx,
    "htdemucs": read_htdemucs,
    "segment": read_segment,
    "ensemble": read_ensemble,
}
