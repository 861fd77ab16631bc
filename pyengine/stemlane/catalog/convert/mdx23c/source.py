# SPDX-License-Identifier: MIT
"""Where networks of the MDX23C kind come from: a checkpoint on this machine and its trainer's settings."""

from dataclasses import dataclass
from pathlib import Path

from stemlane.catalog import licences
from stemlane.catalog.convert.mdx23c.architecture import Architecture, read_architecture
from stemlane.catalog.convert.places import stem_of_path
from stemlane.catalog.convert.source import Order
from stemlane.catalog.convert.trained import add_trained
from stemlane.errors import ModelError

OPTIONS: tuple[str, ...] = ("config", "stem", "stitching")  # those of `AddOptions` that mean something here


@dataclass(frozen=True)
class Mdx23cSource:
    """The source `mdx23c`, whose name depends on the file."""

    model_name: str


def parse(source: str, location: str | None = None) -> Mdx23cSource | None:
    """The source `mdx23c`, or None."""
    if source.lower() != "mdx23c":
        return None
    if not location:
        raise ModelError("mdx23c needs --from FILE.ckpt and --config FILE.yaml, the checkpoint and its settings")
    return Mdx23cSource(stem_of_path(location, "mdx23c"))


def licence(source: Mdx23cSource) -> licences.Licence:
    """Whoever trained it may have stated one; the file does not say whose it is."""
    return licences.UNKNOWN


def add(source: Mdx23cSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; only from a path."""
    from stemlane.catalog.convert.mdx23c.network import build_graph

    return add_trained(
        order, source.model_name, title=lambda found: "MDX23C",
        read=read_architecture, build=build_graph, transform=transform)  # fmt: skip


def transform(found: Architecture) -> dict[str, object]:
    """What the manifests say of the transform."""
    return {
        "fft_samples": found.fft_samples, "hop_samples": found.hop_samples, "window": "hann",
        "normalised": False, "frames": "centred", "network_bins": found.network_bins, "level": "none",
    }  # fmt: skip
