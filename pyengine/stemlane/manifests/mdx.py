# SPDX-License-Identifier: MIT
"""What the manifest of an `mdx` model states: a `segment` model of one stem whose spectra are planes."""

from stemlane.manifests.segments import NetworkFile, SegmentSettings, listed_files
from stemlane.manifests.table import Table

LOWEST_COMPENSATION, HIGHEST_COMPENSATION = 0.01, 100.0
_WEIGHTS = ("hann", "flat")


def read_mdx(top: Table) -> SegmentSettings:
    """Read [mdx] and [tensors] of a manifest."""
    table, tensors = top.table("mdx"), top.table("tensors")
    stems = top.array("stems", 'a list like ["vocals", "other"]')
    if len(stems) != 2:
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
    weights = table.choice("weights", _WEIGHTS)
    longest = segment - 1 if weights == "hann" else segment - fft
    stride = table.integer("stride_samples", 1, longest)
    crossfade = table.integer("crossfade_samples", 0, min(longest - stride, stride) if weights == "flat" else 0)
    network = NetworkFile((listed_files(top) or [""])[0], tuple(stem for stem in stems if stem != top.text("residual")))
    return SegmentSettings(
        fft_samples=fft, hop_samples=hop, window="hann", normalised=False, frames="centred", network_bins=bins,
        segment_samples=segment, padding_samples=0, segment_stride_samples=stride, stride_samples=stride, level="none",
        segments_at_once=1, networks=(network,), weights=weights, crossfade_samples=crossfade,
        silent_bins=table.integer("silent_bins", 0, bins),
        compensation=table.number("compensation", LOWEST_COMPENSATION, HIGHEST_COMPENSATION),
        both_signs=table.flag("both_signs"), tensors=(tensors.text("spectrum"), tensors.text("stem")),
        planes=True)  # fmt: skip
