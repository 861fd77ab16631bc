# SPDX-License-Identifier: MIT
"""What the manifest of a `segment` model states: a network that turns the complex spectrum of a segment into stems'.

Everything around the network is declared: transform, segment, how segments are joined, level, layout. Standard library
only.
"""

from dataclasses import dataclass

from stemlane.manifests.table import Table

WINDOWS = ("hann", "flat")
PLACES = ("centred", "begun-hops")
LEVELS = ("recording", "none")
WEIGHTS = ("triangle", "ramps")  # the others are those of `mdx`
_HIGHEST_SEGMENT = 1 << 22  # 95 s at 44.1 kHz
_MOST_AT_ONCE = 8
_MOST_OVERLAPPING = 8  # segments that share a sample


@dataclass(frozen=True)
class NetworkFile:
    """One network of a model: its file and the stems it gives."""

    path: str
    stems: tuple[str, ...]


@dataclass(frozen=True)
class SegmentSettings:
    """Numbers of a `segment`, `htdemucs` or `mdx` model: the spectra of a segment to those of the stems.

    Attributes
    ----------
    fft_samples, hop_samples
        Length of a frame and step between frames.
    window
        "hann", or "flat" for none.
    normalised
        Whether spectra are divided by the root of `fft_samples`.
    frames
        Where they lie. "centred": their middles on the multiples of the hop, from 0 to the segment's end.
        "begun-hops": one for every begun hop, the first one's middle half a hop after the start, as in HTDemucs.
    network_bins
        Lowest bins, which the network gets and gives; above, the stems hold nothing.
    segment_samples
        What the network hears at once.
    padding_samples
        Zeros behind that, which are transformed with it.
    segment_stride_samples
        From one segment to the next.
    stride_samples
        How the stream moves on, a part of that, so that no segment waits for longer than that for its last sample.
    level
        "recording" brings files to mean 0 and deviation 1 and divides a live stream by a usual level.
    segments_at_once
        Segments of a file that are computed side by side; each takes the memory of one.
    networks
        Each stem comes from one of them.
    has_waveforms
        Whether the networks hear and give waveforms too, which are added.
    weights
        How segments are joined. "triangle", as in Demucs: a recording's first segment begins with it. The others are
        Ultimate Vocal Remover's, whose first segment begins half a transform earlier: "hann" weights all of a segment;
        "flat" keeps the last stride before the last half transform, with linear ramps at both ends. "ramps" are those
        of the trainer of RoFormers and MDX23C: linear, over a tenth of the segment at both ends, which start in a
        recording one overlap before it.
    crossfade_samples
        Length of these ramps.
    silent_bins
        The lowest of the network's bins, which it gets as zeros.
    compensation
        Multiplies the stems.
    both_signs
        Whether the networks run on the negated spectrum too, to cancel noise of their own.
    tensors
        Names of the spectra that go in and come out.
    planes
        Whether these are (1, 4, bins, frames) instead of (frames, bins, 4).
    """

    fft_samples: int
    hop_samples: int
    window: str
    normalised: bool
    frames: str
    network_bins: int
    segment_samples: int
    padding_samples: int
    segment_stride_samples: int
    stride_samples: int
    level: str
    segments_at_once: int
    networks: tuple[NetworkFile, ...]
    has_waveforms: bool = False
    weights: str = "triangle"
    crossfade_samples: int = 0
    silent_bins: int = 0
    compensation: float = 1.0
    both_signs: bool = False
    tensors: tuple[str, str] = ("spectrogram", "stem_spectrograms")
    planes: bool = False

    @property
    def transform_samples(self) -> int:
        """What the frames of a segment cover."""
        return self.segment_samples + self.padding_samples

    @property
    def segment_frames(self) -> int:
        """Frames of a segment."""
        if self.frames == "begun-hops":
            return -(-self.transform_samples // self.hop_samples)
        return self.transform_samples // self.hop_samples + 1

    @property
    def edge_samples(self) -> int:
        """Samples at either end of a segment whose frames hang over its edge."""
        return self.fft_samples // 2

    @property
    def fade_samples(self) -> int:
        """Length of either of the "ramps"."""
        return self.segment_samples // 10

    @property
    def first_used(self) -> int:
        """The first sample of a segment that counts."""
        if self.weights == "flat":
            return self.segment_samples - self.edge_samples - self.segment_stride_samples - self.crossfade_samples
        return 0

    @property
    def recording_start(self) -> int:
        """Where a recording's first segment starts: before it, or at its first sample."""
        if self.weights == "ramps":
            return self.segment_stride_samples - self.segment_samples
        return 0 if self.weights == "triangle" else -self.edge_samples

    @property
    def stream_start(self) -> int:
        """Where a live stream's first segment starts: so that it ends with a stride, unless it begins with one."""
        return 0 if self.weights in ("triangle", "ramps") else self.stride_samples - self.segment_samples

    @property
    def delay_samples(self) -> int:
        """Samples by which the finished stems of a live stream trail the mixture."""
        return self.delay_from(self.stream_start, self.stride_samples)

    def delay_from(self, start: int, stride_samples: int) -> int:
        """The delay where a segment starts at `start` and the stream moves on by `stride_samples` from 0.

        A segment that has just missed its last sample waits for all but one stride; the next one begins to matter
        where this one's own stride ends.
        """
        waits = -(self.segment_samples + start) % stride_samples
        return self.segment_samples - self.first_used - stride_samples + waits

    @property
    def relative_cost(self) -> float:
        """Samples the networks compute per sample of the recording."""
        passes = self.segment_samples / self.segment_stride_samples * len(self.networks)
        return passes * (2 if self.both_signs else 1)


def read_segment(top: Table) -> SegmentSettings:
    """Read [segment] of a manifest."""
    table = top.table("segment")
    fft = table.integer("fft_samples", 256, 65536)
    if fft % 2:
        table.fail("fft_samples", f"is {fft}, should be even")
    hop = table.integer("hop_samples", 16, fft // 2)
    segment, segment_stride, stride = read_lengths(table, shortest=2 * fft, most_overlapping=_MOST_OVERLAPPING)
    padding = table.integer("padding_samples", 0, 2 * hop) if "padding_samples" in table else 0
    frames = table.choice("frames", PLACES)
    if frames == "centred" and (segment + padding) % hop:
        table.fail("segment_samples", f"and padding_samples are {segment + padding}, should be a multiple of {hop}")
    if frames == "begun-hops" and (fft != 4 * hop or padding):
        table.fail("frames", "is 'begun-hops', which takes fft_samples = 4 hop_samples and no padding_samples")
    weights = table.choice("weights", WEIGHTS) if "weights" in table else WEIGHTS[0]
    if weights == "ramps" and segment - segment_stride < segment // 10:
        table.fail("weights", f"are ramps of {segment // 10} samples, which segments must overlap by")
    at_once = table.integer("segments_at_once", 1, _MOST_AT_ONCE) if "segments_at_once" in table else 1
    return SegmentSettings(
        fft_samples=fft, hop_samples=hop, window=table.choice("window", WINDOWS), normalised=table.flag("normalised"),
        frames=frames, network_bins=table.integer("network_bins", 1, fft // 2 + 1), segment_samples=segment,
        padding_samples=padding, segment_stride_samples=segment_stride, stride_samples=stride,
        level=table.choice("level", LEVELS), segments_at_once=at_once, weights=weights,
        networks=read_networks(top, table))  # fmt: skip


def read_lengths(table: Table, *, shortest: int, most_overlapping: int) -> tuple[int, int, int]:
    """Samples of a segment, from one segment to the next, and of the stream's stride."""
    segment = table.integer("segment_samples", shortest, _HIGHEST_SEGMENT)
    segment_stride = table.integer("segment_stride_samples", -(-segment // most_overlapping), segment)
    stride = table.integer("stride_samples", 1, segment_stride)
    if segment_stride % stride:
        table.fail("stride_samples", f"is {stride}, should divide segment_stride_samples = {segment_stride}")
    return segment, segment_stride, stride


def read_networks(top: Table, table: Table) -> tuple[NetworkFile, ...]:
    """The networks of a model, which together give each separated stem once."""
    listed = listed_files(top)
    separated = [stem for stem in top.array("stems", 'a list like ["vocals", "other"]') if stem != top.text("residual")]
    networks = []
    for entry in table.array("networks", 'a list like [["network.onnx", "vocals", "drums"]]'):
        if not isinstance(entry, list) or len(entry) < 2 or not all(isinstance(part, str) for part in entry):
            table.fail("networks", f"holds {entry!r}, should hold lists of a file and the stems it gives")
        if entry[0] not in listed:
            table.fail("networks", f"names {entry[0]!r}, which is not among the [[files]]")
        networks.append(NetworkFile(entry[0], tuple(entry[1:])))
    given = [stem for network in networks for stem in network.stems]
    if sorted(given) != sorted(separated):
        table.fail("networks", f"give {', '.join(given)}, should give each once of: {', '.join(separated)}")
    return tuple(networks)


def listed_files(top: Table) -> list[str]:
    """Paths of the model's files, as far as they are texts; the rest is refused elsewhere."""
    entries = top.array("files", "one [[files]] table per file")
    paths = [entry.get("path") if isinstance(entry, dict) else None for entry in entries]
    return [path for path in paths if isinstance(path, str)]
