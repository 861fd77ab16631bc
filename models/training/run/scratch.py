# SPDX-License-Identifier: MIT
"""A training from nothing: makes the material of `material.toml` and the panel, then trains as a configuration says.

Run as `python -m models.training.run.scratch models/training/run/mix.toml`; run again it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

from models.training.data import (
    bands,
    choirs,
    demos,
    heavy,
    instrumentals,
    material,
    modules,
    render,
    sing,
    speakers,
    staccato,
    vowels,
)
from models.training.data.pool import PoolError
from models.training.panel import build

from . import train

MATERIAL = Path(__file__).with_name("material.toml")  # of all trainings: they share one pool
KEYS = (
    "speeds", "vocal_tracks", "choirs", "sung", "speakers", "vowels", "rendered", "parts", "bands", "guitars", "heavy",
    "staccato", "demos", "modules", "instrumentals",
)  # fmt: skip


def read(path: Path, keys: tuple[str, ...]) -> dict:
    """What a TOML file states, which must be exactly `keys`; else `PoolError`."""
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PoolError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    wrong = set(content) ^ set(keys)
    if wrong:
        raise PoolError(f"{path}: needs exactly {', '.join(keys)}; look at {', '.join(sorted(wrong))}")
    return content


def make_material(amounts: dict) -> None:
    """Fill the pool; every maker skips what is there."""
    if amounts["instrumentals"]:
        instrumentals.main([])
    material.main(["--speeds", str(amounts["speeds"]), "--vocal-tracks", str(amounts["vocal_tracks"])])
    choirs.main(["--tracks", str(amounts["choirs"])])
    sing.main(["--tracks", str(amounts["sung"])])
    speakers.main(["--tracks", str(amounts["speakers"])])
    vowels.main(["--tracks", str(amounts["vowels"])])
    bands.main(["--songs", str(amounts["bands"]), "--guitars", str(amounts["guitars"])])
    heavy.main(["--songs", str(amounts["heavy"]), "--guitars", str(amounts["heavy"])])
    staccato.main(["--songs", str(amounts["staccato"])])
    render.main(["--songs", str(amounts["rendered"]), "--parts", str(amounts["parts"])])
    if amounts["demos"]:
        demos.main([])
    if amounts["modules"]:
        modules.main([])


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configuration", type=Path)
    options = parser.parse_args(arguments)
    try:
        content = read(options.configuration, ("training",))
        make_material(read(MATERIAL, KEYS))
        build.main([])
    except (PoolError, build.PanelError, RuntimeError) as error:
        sys.exit(f"scratch: {error}")
    train.main([part for name, value in content["training"].items() for part in (f"--{name}", str(value))])


if __name__ == "__main__":
    main()
