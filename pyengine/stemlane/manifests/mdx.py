# SPDX-License-Identifier: MIT
"""What the manifest of an `mdx` model states beyond what all models share. Standard library only."""

from dataclasses import dataclass

from stemlane.manifests.table import Table

LOWEST_COMPENSATION, HIGHEST_COMPENSATION = 0.01, 100.0
SEGMENT_WEIGHTS = ("hann", "flat")


@dataclass(frozen=True)
class MdxSettings:
    """Numbers and tensor names of an `mdx` model: the complex spectrum of a segment to that of one stem.

    A segment of hop_samples * (segment_frames - 1) samples gives `segment_frames` frames, of which the network sees
    `network_bins` bins, the lowest `silent_bins` of them zeroed. Segments follow each other every `stride_samples`.
    `weights` says how they are joined: "hann", each weighted by a Hann window over all of it, or "flat", the last
    `stride_samples` before the last half transform, with linear ramps of `crossfade_samples` at both ends.
    `compensation` multiplies the stem; `both_signs` runs the network on the negated spectrum too, to cancel noise of
    its own.
    """

    fft_samples: int
    hop_samples: int
    segment_frames: int
    network_bins: int
    silent_bins: int
    stride_samples: int
    weights: str
    crossfade_samples: int
    compensation: float
    both_signs: bool
    spectrum_tensor: str
    stem_tensor: str

    @property
    def segment_samples(self) -> int:
        """Samples the network sees at once."""
        return self.hop_samples * (self.segment_frames - 1)

    @property
    def edge_samples(self) -> int:
        """Samples at either end of a segment whose frames hang over its edge."""
        return self.fft_samples // 2

    @property
    def delay_samples(self) -> int:
        """Samples by which the finished stem trails the mixture: a later segment may still change them."""
        if self.weights == "hann":
            return self.segment_samples - self.stride_samples
        return self.edge_samples + self.crossfade_samples

    @property
    def num_bins(self) -> int:
        """Bins of one frame."""
        return self.fft_samples // 2 + 1

    @property
    def relative_cost(self) -> float:
        """Samples the network computes per sample of the recording."""
        return self.segment_samples / self.stride_samples * (2 if self.both_signs else 1)


def read_mdx(top: Table) -> MdxSettings:
    """Read [mdx] and [tensors] of a manifest."""
    table, tensors = top.table("mdx"), top.table("tensors")
    if len(top.array("stems", 'a list like ["vocals", "other"]')) != 2:
        top.fail("stems", "should be two for the kind mdx: the network's stem and the residual")
    fft = table.integer("fft_samples", 256, 65536)
    if fft % 2:
        table.fail("fft_samples", f"is {fft}, should be even")
    hop = table.integer("hop_samples", 16, fft // 2)
    frames = table.integer("segment_frames", 2, 8192)
    segment = hop * (frames - 1)
    if segment <= fft:
        table.fail("segment_frames", f"is {frames}: {segment} samples, should be more than fft_samples = {fft}")
    bins = table.integer("network_bins", 1, fft // 2 + 1)
    weights = table.choice("weights", SEGMENT_WEIGHTS)
    longest = segment - 1 if weights == "hann" else segment - fft
    stride = table.integer("stride_samples", 1, longest)
    crossfade = table.integer("crossfade_samples", 0, min(longest - stride, stride) if weights == "flat" else 0)
    return MdxSettings(
        fft_samples=fft, hop_samples=hop, segment_frames=frames, network_bins=bins,
        silent_bins=table.integer("silent_bins", 0, bins), stride_samples=stride, weights=weights,
        crossfade_samples=crossfade,
        compensation=table.number("compensation", LOWEST_COMPENSATION, HIGHEST_COMPENSATION),
        both_signs=table.flag("both_signs"),
        spectrum_tensor=tensors.text("spectrum"), stem_tensor=tensors.text("stem"))  # fmt: skip
