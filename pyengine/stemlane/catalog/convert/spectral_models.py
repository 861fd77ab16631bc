# SPDX-License-Identifier: MIT
"""Writes the folders of a converted network of the kind `segment`: one for each window, with the same weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stemlane.catalog.convert.manifest_text import Description, manifest_text
from stemlane.catalog.convert.places import Report, file_sha256, link

if TYPE_CHECKING:
    from stemlane.catalog.convert.onnx_graph import GraphBuilder  # imports onnx, which only converting needs

_MOST_PARTS = 3  # in which a segment's stride comes, so that its last sample is not waited for too long
_CHANNELS = 4  # real and imaginary part of the left channel, then of the right
# From the samples of a segment, padding included, to the graph. It maps `spectrogram` (frames, bins, 4) to
# `stem_spectrograms` (frames, bins, stems x 4), and its weights are the same for all lengths.
Builder = Callable[[int], "GraphBuilder"]


@dataclass(frozen=True)
class Window:
    """A latency mode: samples of a segment, zeros behind it, and from one segment to the next."""

    suffix: str
    title: str
    segment_samples: int
    padding_samples: int
    segment_stride_samples: int


def write_models(
    build: Builder, folder: Path, *, stems: Sequence[str], residual: str, sample_rate: int, windows: Sequence[Window],
    description: Description, transform: Mapping[str, Any], report: Report, million_weights: float = 0.0,
) -> list[Path]:  # fmt: skip
    """Write `folder`/<name><suffix of the window> for every window; returns these folders.

    Parameters
    ----------
    build
        Makes the network's graph for one length of segments.
    stems
        What the network gives, in this order.
    transform
        What the manifests state beyond the window's lengths.
    million_weights
        Added to the title where it counts.
    """
    folders: list[Path] = []
    title = description.title + (f", {million_weights:.0f} M weights" if million_weights else "")
    for number, window in enumerate(windows):
        report("converting", number, len(windows))
        target = folder / (description.name + window.suffix)
        target.mkdir()
        samples = window.segment_samples + window.padding_samples
        written = save_network(build(samples), target, samples, len(stems), transform)
        if folders:  # equal files become one
            written[1].unlink()
            link(folders[0] / written[1].name, written[1])
        folders.append(target)
        stride = window.segment_stride_samples
        settings = {
            **transform, "segment_samples": window.segment_samples, "padding_samples": window.padding_samples,
            "segment_stride_samples": stride, "stride_samples": stride // stride_parts(stride),
            "networks": [["network.onnx", *stems]],
        }  # fmt: skip
        text = manifest_text(
            replace(description, name=target.name, title=title + window.title), kind="segment",
            stems=[*stems, residual], residual=residual, sample_rate=sample_rate,
            # Whoever keeps up at all has finished a segment when the next one is complete.
            allowance_samples=stride, settings=settings, tensors={},
            files={path.name: file_sha256(path) for path in written})  # fmt: skip
        (target / "manifest.toml").write_text(text, encoding="utf-8")
    report("converting", len(windows), len(windows))
    return folders


def save_network(
    graph: "GraphBuilder", folder: Path, samples: int, num_stems: int, transform: Mapping[str, Any]
) -> tuple[Path, Path]:
    """Write the graph for segments of `samples`, and its weights; returns the paths."""
    ends = samples // transform["hop_samples"] + 1, transform["network_bins"]
    return graph.save(
        folder, "network", {"spectrogram": (*ends, _CHANNELS)}, {"stem_spectrograms": (*ends, _CHANNELS * num_stems)}
    )


def stride_parts(stride_samples: int) -> int:
    """In how many equal parts a segment's stride comes to the network."""
    return next(parts for parts in range(_MOST_PARTS, 0, -1) if stride_samples % parts == 0)
