# SPDX-License-Identifier: MIT
"""Where RoFormers come from: a checkpoint on this machine and its trainer's settings."""

from dataclasses import dataclass
from pathlib import Path

from stemlane.catalog import licences
from stemlane.catalog.convert.places import stem_of_path
from stemlane.catalog.convert.roformer.architecture import Architecture, read_architecture
from stemlane.catalog.convert.source import Order
from stemlane.catalog.convert.trained import add_trained
from stemlane.errors import ModelError

OPTIONS: tuple[str, ...] = ("config", "stem", "stitching")  # those of `AddOptions` that mean something here


@dataclass(frozen=True)
class RoformerSource:
    """The source `roformer`, whose name depends on the file."""

    model_name: str


def parse(source: str, location: str | None = None) -> RoformerSource | None:
    """The source `roformer`, or None."""
    if source.lower() != "roformer":
        return None
    if not location:
        raise ModelError("roformer needs --from FILE.ckpt and --config FILE.yaml, the checkpoint and its settings")
    return RoformerSource(stem_of_path(location, "roformer"))


def licence(source: RoformerSource) -> licences.Licence:
    """Whoever trained it may have stated one; the file does not say whose it is."""
    return licences.UNKNOWN


def add(source: RoformerSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; only from a path."""
    from stemlane.catalog.convert.roformer.network import build_graph

    return add_trained(
        order, source.model_name, title=lambda found: "Mel-Band RoFormer" if found.is_mel else "BS-RoFormer",
        read=read_architecture, build=build_graph, transform=transform)  # fmt: skip


def transform(found: Architecture) -> dict[str, object]:
    """What the manifests say of the transform."""
    return {
        "fft_samples": found.fft_samples, "hop_samples": found.hop_samples, "window": "hann",
        "normalised": found.normalised, "frames": "centred", "network_bins": found.num_bins, "level": "none",
    }  # fmt: skip
