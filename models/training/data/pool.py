# SPDX-License-Identifier: MIT
"""The pool of training audio: a folder of stereo int16 arrays at 44.1 kHz, memory-mapped when read.

`pool/<stem>/<name>.npy` holds a recording of one stem, `pool/songs/<name>/<stem>.npy` the aligned
stems of a song, `pool/instrumentals/<name>.npy` real music without voices and without stems.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.training.network.spectral import SAMPLE_RATE

STEMS = ("vocals", "drums", "bass", "other")
SCALE = 32767.0


class PoolError(RuntimeError):
    """The pool or the folder of audio lacks what a training needs."""


def cache_folder() -> Path:
    """Folder of everything the training makes besides the committed models."""
    base = os.environ.get("STEMLANE_TRAINING_CACHE")
    return Path(base) if base else Path.home() / ".cache" / "stemlane" / "training"


def audio_folder() -> Path:
    """The folder of openly licensed audio: STEMLANE_AUDIO, or `shared/audio` beside the checkout.

    Raises
    ------
    PoolError
        If it is not there.
    """
    value = os.environ.get("STEMLANE_AUDIO")
    folder = Path(value) if value else Path(__file__).resolve().parents[4] / "shared" / "audio"
    if not folder.is_dir():
        raise PoolError(
            f"no folder {folder}; the openly licensed audio of SOURCES.md: name its folder in STEMLANE_AUDIO"
        )
    return folder


def code_hash(sources: Iterable[Path]) -> str:
    """Twelve hexadecimal digits that change with any of the source files: part of the name of what they make."""
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def save(path: Path, audio: np.ndarray) -> None:
    """Write float audio (2, samples) as int16 (samples, 2), atomically; peaks above 1 are scaled down."""
    peak = float(np.abs(audio).max(initial=0.0))
    if peak > 1.0:
        audio = audio / peak
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        np.save(file, np.round(audio.T * SCALE).astype(np.int16))
    os.replace(part, path)


def save_song(folder: Path, stems: dict[str, np.ndarray]) -> None:
    """Write the aligned stems of a song; the folder appears when all of it is there."""
    peak = max(1.0, *(float(np.abs(audio).max(initial=0.0)) for audio in stems.values()))
    part = folder.with_name("." + folder.name)
    for stem, audio in stems.items():
        save(part / f"{stem}.npy", audio / peak)
    os.replace(part, folder)


def print_each(work: Callable[[Any], str], jobs: Sequence[Any], processes: int) -> None:
    """Do every job, `processes` at once, and print the line that each returns, in the order they end."""
    with multiprocessing.Pool(processes) as workers:
        for line in workers.imap_unordered(work, jobs):
            print(line, flush=True)


class Pool:
    """Random access to the recordings; `refresh` sees what was added since.

    Parameters
    ----------
    folder : Path
        The pool's folder; hidden entries are unfinished.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._maps: dict[Path, np.ndarray] = {}
        self.refresh()

    def refresh(self) -> None:
        """List the files again."""
        self.songs = [
            {path.stem: path for path in sorted(song.glob("*.npy"))}
            for song in sorted((self.folder / "songs").glob("[!.]*"))
        ]
        self.single = {stem: sorted((self.folder / stem).glob("*.npy")) for stem in STEMS}
        self.instrumentals = sorted((self.folder / "instrumentals").glob("*.npy"))

    def minutes(self) -> dict[str, float]:
        """Minutes of audio of every stem, in songs and alone, and of instrumentals."""
        paths = {stem: self.single[stem] + [song[stem] for song in self.songs if stem in song] for stem in STEMS}
        paths["instrumentals"] = self.instrumentals
        return {name: sum(self.length(path) for path in found) / (60.0 * SAMPLE_RATE) for name, found in paths.items()}

    def require(self, least_minutes: float) -> None:
        """Raise PoolError unless every stem and the instrumentals have `least_minutes`; 0: unless every stem sounds."""
        for name, minutes in self.minutes().items():
            if minutes < least_minutes or (minutes == 0.0 and name in STEMS):
                raise PoolError(
                    f"the pool {self.folder} holds {minutes:.1f} minutes of {name}, and a training needs "
                    f"{least_minutes:g}; make material first (models/training/README.md)"
                )

    def length(self, path: Path) -> int:
        """Samples per channel of a recording."""
        return len(self._map(path))

    def read(self, path: Path, start: int, num_samples: int) -> np.ndarray:
        """Float32 (2, num_samples); zeros beyond the end."""
        part = np.asarray(self._map(path)[start : start + num_samples], dtype=np.float32).T / SCALE
        missing = num_samples - part.shape[1]
        return np.pad(part, ((0, 0), (0, missing))) if missing else part

    def _map(self, path: Path) -> np.ndarray:
        if path not in self._maps:
            self._maps[path] = np.load(path, mmap_mode="r")
        return self._maps[path]
