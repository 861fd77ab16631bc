# SPDX-License-Identifier: MIT
"""Checkpoints of SCNet with seeded weights, as trainers write them, and models converted from them."""

import functools
from pathlib import Path

from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.readers.training_config import Config, parse_config
from stemlane.catalog.convert.scnet import source
from stemlane.catalog.convert.scnet.architecture import Architecture, read_architecture
from stemlane.catalog.convert.scnet.network import build_graph
from stemlane.catalog.convert.spectral_models import write_models

from support import scnet_case as case


def architecture(config: str = case.CONFIG) -> Architecture:
    """The sizes of the seeded network, with the settings that are given."""
    return read_architecture(case.seeded(), Config(parse_config(config.encode(), "seeded"), "seeded"), "seeded")


def build(folder: Path, name: str = "tiny-scnet", *, segment_seconds: int = 1) -> list[Path]:
    """Write the models of the seeded network; returns their folders, the longest first."""
    chunk = f"chunk_size: {segment_seconds * case.SAMPLE_RATE}"
    found = architecture(case.CONFIG.replace(f"chunk_size: {case.SEGMENT}", chunk))
    stems = source.separated(found.sources, "seeded")
    return write_models(
        functools.partial(build_graph, found, case.seeded(), stems), Path(folder), stems=stems, residual="other",
        sample_rate=case.SAMPLE_RATE, windows=source.windows(found),
        description=Description(name, "Tiny", "1", "MIT", "drawn", "none"), transform=source.transform(found),
        report=lambda stage, done, total: None)  # fmt: skip
