# SPDX-License-Identifier: MIT
"""Packs a share of the pool as Ogg Vorbis into one folder small enough to send, and unpacks it into one array.

Run as `python -m models.training.gpu.pack FOLDER`. Unpacking needs the standard library, numpy and libsndfile.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.training.data.pool import Pool, PoolError, cache_folder
from models.training.network.spectral import SAMPLE_RATE

LARGEST_MEGABYTES = 60.0
# Of the pack's seconds: aligned songs, singles of each stem, instrumentals.
SHARES = {"songs": 0.45, "vocals": 0.2, "drums": 0.03, "bass": 0.03, "other": 0.09, "instrumentals": 0.2}
QUALITY = 0.05  # of libvorbis, about 72 kb/s in stereo
PIECE_SECONDS = 45.0  # taken of a recording, so that many fit


@dataclass(frozen=True)
class Recording:
    """A stereo recording in the packed array, from `start` on; `song` joins aligned stems and is empty for singles."""

    kind: str  # a stem, or instrumentals
    name: str
    song: str
    start: int
    length: int


def choose(pool: Pool, seconds: float, seed: int) -> list[tuple[str, str, str, list[Path], int]]:
    """What to pack: (kind, name, song, files, start) at random within every share of `seconds`.

    Aligned stems of a song count once each and are cut at the same place.
    """
    rng, chosen = np.random.default_rng([41, seed]), []
    for kind, share in SHARES.items():
        groups = (
            [list(song.items()) for song in pool.songs]
            if kind == "songs"
            else [[(kind, path)] for path in (pool.instrumentals if kind == "instrumentals" else pool.single[kind])]
        )
        left = share * seconds
        for index in rng.permutation(len(groups)):
            if left <= 0.0:
                break
            group = groups[index]
            longest = max(pool.length(path) for _, path in group)
            start = int(rng.integers(0, max(1, longest - int(PIECE_SECONDS * SAMPLE_RATE))))
            song = group[0][1].parent.name if kind == "songs" else ""
            for stem, path in group:
                chosen.append((stem, f"{song or path.stem}", song, [path], start))
                left -= min(PIECE_SECONDS, longest / SAMPLE_RATE)
    return chosen


def pack(pool: Pool, folder: Path, *, megabytes: float, seed: int = 1) -> dict[str, float]:
    """Encode until the folder holds `megabytes`; returns the megabytes by kind.

    Raises
    ------
    PoolError
        If more than LARGEST_MEGABYTES are asked for, or the pool is empty.
    """
    import soundfile

    if megabytes > LARGEST_MEGABYTES:
        raise PoolError(f"{megabytes:g} MB cannot be sent at once; at most {LARGEST_MEGABYTES:g}")
    pool.require(0.0)
    folder.mkdir(parents=True, exist_ok=True)
    table, sizes = [], {}
    for number, (kind, name, song, [path], start) in enumerate(choose(pool, megabytes * 8e6 / 72e3, seed)):
        if sum(sizes.values()) >= megabytes:
            break
        audio = pool.read(path, start, min(int(PIECE_SECONDS * SAMPLE_RATE), pool.length(path) - start))
        if not audio.shape[1]:
            continue
        target = folder / f"{number:04d}.ogg"
        with soundfile.SoundFile(
            target, "w", SAMPLE_RATE, 2, format="OGG", subtype="VORBIS", compression_level=1.0 - QUALITY
        ) as file:
            for first in range(0, audio.shape[1], SAMPLE_RATE):  # libvorbis overflows its stack on long blocks
                file.write(audio[:, first : first + SAMPLE_RATE].T)
        sizes[kind] = sizes.get(kind, 0.0) + target.stat().st_size / 1e6
        table.append({"file": target.name, "kind": kind, "name": name, "song": song})
    (folder / "pack.json").write_text(json.dumps(table), "utf-8")
    library = Path(soundfile.__file__).parent / "_soundfile_data"
    for path in library.glob("libsndfile*x86_64.so"):  # for a machine without it
        shutil.copy(path, folder / "libsndfile.so")
    return sizes


class _Info(ctypes.Structure):
    _fields_ = [
        ("frames", ctypes.c_int64),
        ("samplerate", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("format", ctypes.c_int),
        ("sections", ctypes.c_int),
        ("seekable", ctypes.c_int),
    ]


def _library(folder: Path) -> ctypes.CDLL:
    for name in (str(folder / "libsndfile.so"), "libsndfile.so.1"):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.sf_open.restype, library.sf_readf_short.restype = ctypes.c_void_p, ctypes.c_int64
        library.sf_open.argtypes = (ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Info))
        library.sf_readf_short.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
        library.sf_close.argtypes = (ctypes.c_void_p,)
        return library
    raise PoolError(f"neither {folder}/libsndfile.so nor the system's libsndfile can be loaded")


def decode(library: ctypes.CDLL, path: Path) -> np.ndarray:
    """Int16 (samples, 2) of an Ogg file, without Python packages."""
    info = _Info()
    handle = library.sf_open(str(path).encode(), 0x10, ctypes.byref(info))  # SFM_READ
    if not handle or info.channels != 2:
        raise PoolError(f"{path} is not a stereo recording that libsndfile reads")
    audio = np.zeros((info.frames, 2), np.int16)
    done = 0
    while done < info.frames:
        got = library.sf_readf_short(handle, audio[done:].ctypes.data, min(65536, info.frames - done))
        if got <= 0:
            break
        done += got
    library.sf_close(handle)
    return audio


def unpack(folder: Path, *, threads: int = 16) -> tuple[np.ndarray, list[Recording]]:
    """All recordings one after another, int16 (samples, 2), and the table that tells them apart."""
    table, library = json.loads((folder / "pack.json").read_text("utf-8")), _library(folder)
    with ThreadPoolExecutor(threads) as workers:
        parts = list(workers.map(lambda row: decode(library, folder / row["file"]), table))
    recordings, start = [], 0
    for row, audio in zip(table, parts, strict=True):
        recordings.append(Recording(row["kind"], row["name"], row["song"], start, len(audio)))
        start += len(audio)
    return np.concatenate(parts), recordings


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=56.0)
    parser.add_argument("--seed", type=int, default=1, help="another one packs other recordings")
    options = parser.parse_args(arguments)
    sizes = pack(Pool(cache_folder() / "pool"), options.folder, megabytes=options.megabytes, seed=options.seed)
    for kind, size in sizes.items():
        print(f"{kind}: {size:.1f} MB, about {size * 8e6 / 72e3 / 60.0:.0f} minutes")
    print(f"{sum(sizes.values()):.1f} MB in {options.folder}")


if __name__ == "__main__":
    main()
