# SPDX-License-Identifier: MIT
"""Real music without voices and without stems, from free games: it teaches what is not a voice.

Recordings go to pool/instrumentals; guitars recorded apart also to pool/other, where they are labelled.
The panel's songs are left out. Run as `python -m models.training.data.instrumentals`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .material import read_stereo
from .packages import unpacked
from .pool import cache_folder, print_each, save
from .withdrawn import GUITAR_SONGS, is_withdrawn_song

# Licences and authors: models/training/SOURCES.md. endless-sky-data holds no music; the others' sounds are short.
PACKAGES = (
    "wesnoth-1.16-music",
    "supertuxkart-data",
    "singularity-music",
    "hyperrogue-music",
    "freedroidrpg-data",
    "naev-data",
    "widelands-data",
)
GUITAR_PACKAGE = "fretsonfire-songs-sectoid"
SHORTEST_SECONDS = 40.0
# Of naev-data: its copyright file names neither author nor licence of these.
UNCLEAR = (
    "blackmoor_tides",
    "dark_city",
    "heartofmachine",
    "imminent_threat",
    "motherload",
    "pirate1_theme1",
    "pirates_orchestra",
)
# Left out by what their names and credits say (choral pieces, announcements, engines), not by what a model finds.
VOICES_OR_NOISE = (
    "nunc_dimittis",
    "sara_airport_pa",
    "static-radio",
    "steamLocomotive",
    "coyote_00",
    "machinery",
    "revelation",
)


def recordings(package: str) -> list[Path]:
    """The package's music files in order, without the panel's and those named as voices or noise."""
    files = sorted(path for path in unpacked(package).rglob("*.ogg") if path.is_file() and not path.is_symlink())
    return [
        path
        for path in files
        if path.stem not in (*VOICES_OR_NOISE, *UNCLEAR) and not is_withdrawn_song(package, path.stem)
    ]


def guitar_songs() -> list[Path]:
    """Folders with guitar.ogg and song.ogg (the rest), without the panel's."""
    withdrawn = {name for names in GUITAR_SONGS.values() for name in names}
    folders = sorted(path.parent for path in unpacked(GUITAR_PACKAGE).rglob("guitar.ogg"))
    return [folder for folder in folders if folder.name not in withdrawn]


def trimmed(audio: np.ndarray) -> np.ndarray:
    """Without silence at either end; audio (2, samples)."""
    loud = np.flatnonzero(np.abs(audio).max(0) > 1e-3)
    return audio[:, loud[0] : loud[-1] + 1] if len(loud) else audio[:, :0]


def _store(job: tuple[str, Path]) -> str:
    package, path = job
    target = cache_folder() / "pool" / "instrumentals" / f"{package.split('-')[0]}_{path.stem.replace(' ', '-')}.npy"
    if not target.exists():
        audio = trimmed(read_stereo(path))
        if audio.shape[1] < SHORTEST_SECONDS * 44100:
            return f"{target.stem}: short, left out"
        save(target, audio)
    return target.stem


def _store_guitar_song(folder: Path) -> str:
    guitar, rest = read_stereo(folder / "guitar.ogg"), read_stereo(folder / "song.ogg")
    length, name = min(guitar.shape[1], rest.shape[1]), folder.name.replace(" ", "-")
    pool = cache_folder() / "pool"
    if not (pool / "other" / f"recorded_{name}.npy").exists():
        save(pool / "instrumentals" / f"sectoid_{name}.npy", 0.7 * (guitar[:, :length] + rest[:, :length]))
        save(pool / "other" / f"recorded_{name}.npy", guitar)
    return f"guitar of {name}"


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    print_each(_store_guitar_song, guitar_songs(), 1)
    print_each(_store, [(package, path) for package in PACKAGES for path in recordings(package)], options.processes)


if __name__ == "__main__":
    main()
