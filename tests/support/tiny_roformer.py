# SPDX-License-Identifier: MIT
"""Seeded RoFormers of the stored shapes, their settings, and checkpoints of them as trainers write them."""

from pathlib import Path

import numpy as np
from stemlane.catalog.convert.readers.training_config import Config, parse_config
from stemlane.catalog.convert.roformer.architecture import Architecture, read_architecture

from support import roformer_case as case
from support.spleeter_checkpoint import REFERENCES
from support.torch_files import write_package


def seeded(title: str) -> dict[str, np.ndarray]:
    """All weights by name, with the names and shapes that the original has."""
    rows = [row.split() for row in np.load(REFERENCES / "roformer.npz")[f"{title}/names"].tolist()]
    return {name: case.weight(title, name, tuple(map(int, sizes))) for name, *sizes in rows}


def settings(title: str) -> Config:
    """What the trainer's file says."""
    return Config(parse_config(case.config(title).encode(), title), title)


def architecture(title: str) -> Architecture:
    """The sizes of the network."""
    return read_architecture(seeded(title), settings(title), title)


def checkpoint(folder: Path, title: str, **changes: np.ndarray | None) -> Path:
    """Write a checkpoint and its settings beside it; returns the former's path. None takes a tensor away."""
    tensors = {name: values for name, values in (seeded(title) | changes).items() if values is not None}
    (folder / f"{title}.yaml").write_text(case.config(title), encoding="utf-8")
    return write_package(folder / f"{title}.ckpt", tensors, epoch=3)
