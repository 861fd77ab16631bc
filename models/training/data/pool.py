# SPDX-License-Identifier: MIT
"""The pool of training audio: a folder of stereo int16 arrays at 44.1 kHz, memory-mapped when read.

`pool/<stem>/<name>.npy` holds a recording of one stem, `pool/songs/<name>/<stem>.npy` the aligned
stems of a song. What is in them is decided by `material` and `render`.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

STEMS = ("vocals", "drums", "bass", "other")
SCALE = 32767.0


def cache_folder() -> Path:
    """Folder of everything the training makes besides the committed models."""
    base = os.environ.get("STEMLANE_TRAINING_CACHE")
    return Path(base) if base else Path.home() / ".cache" / "stemlane" / "training"


def audio_folder() -> Path:
    """The shared audio: STEMLANE_AUDIO or `<repository>/../shared/audio`."""
    value = os.environ.get("STEMLANE_AUDIO")
    return Path(value) if value else Path(__file__).resolve().parents[4] / "shared" / "audio"


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
    peak = max(1.0, max(float(np.abs(audio).max(initial=0.0)) for audio in stems.values()))
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
            for song in sorted((self.folder / "songs").glob("[!.]*"))]
        self.single = {stem: sorted((self.folder / stem).glob("*.npy")) for stem in STEMS}

    def length(self, path: Path) -> int:
        return len(self._map(path))

    def read(self, path: Path, start: int, num_samples: int) -> np.ndarray:
        """Float32 (2, num_samples); zeros beyond the end."""
        part = np.asarray(self._map(path)[start:start + num_samples], dtype=np.float32).T / SCALE
        missing = num_samples - part.shape[1]
        return np.pad(part, ((0, 0), (0, missing))) if missing else part

    def _map(self, path: Path) -> np.ndarray:
        if path not in self._maps:
            self._maps[path] = np.load(path, mmap_mode="r")
        return self._maps[path]
