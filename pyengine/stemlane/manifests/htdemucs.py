# SPDX-License-Identifier: MIT
"""What the manifest of an `htdemucs` model states beyond what all models share. Standard library only."""

from dataclasses import dataclass

from stemlane.manifests.table import Table


@dataclass(frozen=True)
class HtdemucsNetwork:
    """One network of a model: its file and the stems it gives."""

    path: str
    stems: tuple[str, ...]


@dataclass(frozen=True)
class HtdemucsSettings:
    """Numbers of an `htdemucs` model: waveform and spectrogram of whole segments to those of the stems.

    Segments of `segment_samples` follow each other every `segment_stride_samples` and are joined with triangular
    weights. The stream moves on by `stride_samples`, a part of that, so that no segment waits for longer than that for
    its last sample. The spectrogram has the highest bin left out. Each stem comes from one of `networks`.
    """

    fft_samples: int
    segment_samples: int
    segment_stride_samples: int
    stride_samples: int
    networks: tuple[HtdemucsNetwork, ...]

    @property
    def hop_samples(self) -> int:
        """Step between frames."""
        return self.fft_samples // 4

    @property
    def segment_frames(self) -> int:
        """Frames of a segment, one for every begun hop."""
        return -(-self.segment_samples // self.hop_samples)

    @property
    def network_bins(self) -> int:
        """Bins the network sees."""
        return self.fft_samples // 2

    @property
    def delay_samples(self) -> int:
        """Samples by which the finished stems trail the mixture.

        A segment that has just missed its last sample waits for all but one stride; the next one begins to matter
        where this one's own stride ends.
        """
        return self.segment_samples - self.stride_samples + -self.segment_samples % self.stride_samples

    @property
    def relative_cost(self) -> float:
        """Samples the networks compute per sample of the recording."""
        return self.segment_samples / self.segment_stride_samples * len(self.networks)


def read_htdemucs(top: Table) -> HtdemucsSettings:
    """Read [htdemucs] of a manifest."""
    table = top.table("htdemucs")
    fft = table.integer("fft_samples", 256, 16384)
    if fft % 8:
        table.fail("fft_samples", f"is {fft}, should be a multiple of 8")
    segment = table.integer("segment_samples", 2 * fft, 1 << 22)
    segment_stride = table.integer("segment_stride_samples", (segment + 1) // 2, segment)
    stride = table.integer("stride_samples", 1, segment_stride)
    if segment_stride % stride:
        table.fail("stride_samples", f"is {stride}, should divide segment_stride_samples = {segment_stride}")
    listed = [path for entry in top.array("files", "one [[files]] table per file") if (path := _path(entry))]
    separated = [stem for stem in top.array("stems", 'a list like ["vocals", "other"]') if stem != top.text("residual")]
    networks = []
    for entry in table.array("networks", 'a list like [["network.onnx", "vocals", "drums"]]'):
        if not isinstance(entry, list) or len(entry) < 2 or not all(isinstance(part, str) for part in entry):
            table.fail("networks", f"holds {entry!r}, should hold lists of a file and the stems it gives")
        if entry[0] not in listed:
            table.fail("networks", f"names {entry[0]!r}, which is not among the [[files]]")
        networks.append(HtdemucsNetwork(entry[0], tuple(entry[1:])))
    given = [stem for network in networks for stem in network.stems]
    if sorted(given) != sorted(separated):
        table.fail("networks", f"give {', '.join(given)}, should give each once of: {', '.join(separated)}")
    return HtdemucsSettings(
        fft_samples=fft, segment_samples=segment, segment_stride_samples=segment_stride, stride_samples=stride,
        networks=tuple(networks))  # fmt: skip


def _path(entry: object) -> str | None:
    path = entry.get("path") if isinstance(entry, dict) else None
    return path if isinstance(path, str) else None
