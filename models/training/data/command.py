# SPDX-License-Identifier: MIT
"""The command lines that makers of material share: which seeds, how long, how many at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from .pool import cache_folder, print_each, save

Job = tuple[str, int, float]  # "song" or the kind of track, seed, seconds


def render_all(
    description: str | None,
    render_to_pool: Callable[[Job], str],
    arguments: list[str] | None,
    *,
    track: str = "",
) -> None:
    """Render the songs that the command line asks for, tracks alone first, and print a line each.

    Parameters
    ----------
    description : str
        Of the command.
    render_to_pool : callable
        Does one job and returns a line to print.
    arguments : list of str or None
        None: those of the process.
    track : str
        The kind of track that there is alone, too, with an option of its name and an s; nothing: none.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--songs", type=int, default=40)
    if track:
        parser.add_argument(f"--{track}s", type=int, default=0, dest="tracks", help="tracks alone, rendered first")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    counts = {track: options.tracks} if track else {}
    counts["song"] = options.songs
    jobs = [
        (kind, seed, options.seconds)
        for kind, count in counts.items()
        for seed in range(options.first, options.first + count)
    ]
    print_each(render_to_pool, jobs, options.processes)


def make_vocals(
    description: str | None, make_track: Callable[[int], np.ndarray], arguments: list[str] | None, *, name: str
) -> None:
    """Put the tracks of voices that the command line asks for into the pool, as NAME_000 and so on; print a line each.

    Parameters
    ----------
    make_track : callable
        The audio (2, samples) of a seed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--tracks", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args(arguments)
    for seed in range(options.first, options.first + options.tracks):
        path = cache_folder() / "pool" / "vocals" / f"{name}_{seed:03d}.npy"
        if not path.exists():
            save(path, make_track(seed))
            print(path.stem, flush=True)
