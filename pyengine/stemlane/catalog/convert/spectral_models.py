# SPDX-License-Identifier: MIT
"""Writes the folders of a converted network of the kind `segment`: one for each window, with the same weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stemlane.catalog.convert.manifest_text import Description, manifest_text
from stemlane.catalog.convert.places import Report, file_sha256, link

_MOST_PARTS = 3  # in which a segment's stride comes, so that its last sample is not waited for too long
Writer = Callable[[int, Path, str], tuple[Path, Path]]  # samples with padding, folder, name: paths of graph and weights


@dataclass(frozen=True)
class Window:
    """A latency mode: samples of a segment, zeros behind it, and from one segment to the next."""

    suffix: str
    title: str
    segment_samples: int
    padding_samples: int
    segment_stride_samples: int


def write_models(
    write: Writer, folder: Path, *, stems: Sequence[str], residual: str, sample_rate: int, windows: Sequence[Window],
    description: Description, transform: Mapping[str, object], report: Report, million_weights: float = 0.0,
) -> list[Path]:  # fmt: skip
    """Write `folder`/<name><suffix of the window> for every window; returns these folders.

    Parameters
    ----------
    write
        Writes the network's graph and weights, the latter equal for all windows.
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
        written = write(window.segment_samples + window.padding_samples, target, "network")
        if folders:  # equal files become one
            written[1].unlink()
            link(folders[0] / written[1].name, written[1])
        folders.append(target)
        stride = window.segment_stride_samples
        num_parts = next(parts for parts in range(_MOST_PARTS, 0, -1) if stride % parts == 0)
        settings = {
            **transform, "segment_samples": window.segment_samples, "padding_samples": window.padding_samples,
            "segment_stride_samples": stride, "stride_samples": stride // num_parts,
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
