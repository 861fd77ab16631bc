# SPDX-License-Identifier: MIT
"""Models to combine: strides that have little in common, stems that are known."""

from pathlib import Path

from stemlane.manifests.ensemble import Blend

from support.tiny_mdx import build_mdx
from support.tiny_models import build_model
from support.tiny_segment import build_segment

STREAMING = {"fft_samples": 2048, "synthesis_samples": 2048, "hop_samples": 512, "frames_per_step": 1}


def build_members(models: Path) -> None:
    """Write two models with masks that are one number a stem, one that weights bins, and one of MDX-Net's kind."""
    models.mkdir(parents=True)
    build_model(models, name="half", stems=("vocals", "drums", "other"), masks=(0.5, 0.25), **STREAMING)
    build_model(
        models, name="fifth", stems=("vocals", "bass", "other"), masks=(0.2, 0.4), lookahead_frames=2, **STREAMING
    )
    build_segment(models, name="bins")
    build_mdx(models, name="planes")


def one(name: str, weight: float = 1.0) -> Blend:
    """A stem as that model gives it."""
    return Blend("mean", ((name, weight),))
