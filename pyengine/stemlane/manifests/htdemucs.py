# SPDX-License-Identifier: MIT
"""What the manifest of an `htdemucs` model states: a `segment` model whose networks hear and give waveforms too."""

from stemlane.manifests.segments import SegmentSettings, read_lengths, read_networks
from stemlane.manifests.table import Table

_AT_ONCE = 1  # segment of a file: two take 200 MB more and a tenth less time on two cores


def read_htdemucs(top: Table) -> SegmentSettings:
    """Read [htdemucs] of a manifest; what it leaves out is the same for all HTDemucs."""
    table = top.table("htdemucs")
    fft = table.integer("fft_samples", 256, 16384)
    if fft % 8:
        table.fail("fft_samples", f"is {fft}, should be a multiple of 8")
    segment, segment_stride, stride = read_lengths(table, shortest=2 * fft, most_overlapping=2)
    return SegmentSettings(
        fft_samples=fft, hop_samples=fft // 4, window="hann", normalised=True, frames="begun-hops",
        network_bins=fft // 2, segment_samples=segment, padding_samples=0, segment_stride_samples=segment_stride,
        stride_samples=stride, level="recording", segments_at_once=_AT_ONCE,
        networks=read_networks(top, table), has_waveforms=True)  # fmt: skip
