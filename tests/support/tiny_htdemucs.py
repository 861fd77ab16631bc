# SPDX-License-Identifier: MIT
"""Packages of HTDemucs as the original stores them, with seeded weights, and models converted from them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from stemlane.catalog.convert.htdemucs import models as htdemucs
from stemlane.catalog.convert.htdemucs.architecture import expected_shapes, read_architecture
from stemlane.catalog.convert.manifest_text import Description

from support import htdemucs_case as case
from support.torch_files import Name, write_package

# As small as it gets: milliseconds.
SIZES = {
    **case.SIZES, "channels": 4, "depth": 2, "nfft": 256, "t_layers": 1, "t_heads": 1, "segment": Fraction(1),
    "sources": case.FOUR,
}  # fmt: skip
SEGMENT = 44_100
CLASS = Name("demucs.htdemucs", "HTDemucs")


def seeded(sizes: dict, title: str = "tiny") -> dict[str, np.ndarray]:
    """Weights by name."""
    found = read_architecture({"args": (), "kwargs": sizes}, title)
    return {name: case.weight(title, name, shape) for name, shape in expected_shapes(found).items()}


def package(path: Path, tensors: dict[str, np.ndarray], sizes: dict, *, klass=CLASS, args=(), **beside) -> Path:
    """Write a package; returns `path`."""
    return write_package(path, tensors, klass=klass, args=args, kwargs=sizes, training_args={}, **beside)


def build(folder: Path, name: str = "tiny-htdemucs", *, segment=SIZES["segment"], stems=()) -> list[Path]:
    """Write the models of one tiny network, or of one for each of `stems`; returns their folders, the longest first.

    `segment` is the longest window in seconds, a fraction.
    """
    sizes = {**SIZES, "segment": segment}
    paths = {
        stem: package(Path(folder) / f"{name}{stem}.th", seeded(sizes, f"tiny{stem}"), sizes) for stem in stems or [""]
    }
    return htdemucs.convert(paths, Description(name, "Tiny", "1", "MIT", "drawn", "none"), Path(folder))
