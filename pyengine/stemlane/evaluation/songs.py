# SPDX-License-Identifier: MIT
"""Songs with true stems: finds them in folders and reads them block by block."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stemlane.contract import ACCOMPANIMENT, OTHER, STEM_ORDER
from stemlane.errors import InputError
from stemlane.files.reading import ENDINGS, AudioInput

_NAMES = {**{stem: stem for stem in STEM_ORDER}, ACCOMPANIMENT: OTHER}  # of files, and the stems they are


@dataclass(frozen=True)
class Song:
    """A folder with one audio file per true stem; the mixture is their sum."""

    folder: Path
    files: dict[str, Path]


def find_songs(folder: str | Path) -> list[Song]:
    """Songs in `folder`: itself or any folder inside it that holds two or more files named after stems."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    songs = []
    for candidate in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        files = {}
        for path in sorted(candidate.iterdir()):
            stem = _NAMES.get(path.stem)
            if stem and path.suffix.lower() in ENDINGS:
                if stem in files:
                    raise InputError(f"{candidate}: holds two files for {stem!r}; remove one")
                files[stem] = path
        if len(files) > 1:
            songs.append(Song(candidate, files))
    if not songs:
        raise InputError(f"{folder}: holds no song, which is a folder with files like vocals.wav, drums.wav, other.wav")
    return songs


def song_seconds(song: Song) -> float:
    """Length of a song, that of its longest file."""
    seconds: list[float] = []
    for path in song.files.values():
        with AudioInput(path) as file:
            seconds.append(file.num_samples / file.sample_rate)
    return max(seconds)


def read_truth(
    song: Song, stems: tuple[str, ...], residual: str, warn: Callable[[str], None] = lambda text: None
) -> tuple[int, int, Iterator[np.ndarray]]:
    """Rate, channels, and the true stems in 1-second blocks (stems, channels, samples).

    True stems the model does not know are part of its residual. `warn` is called with what is to be said of the files
    once they have been read.
    """
    formats = set()
    for path in song.files.values():
        with AudioInput(path) as file:
            formats.add((file.sample_rate, file.num_channels))
    if len(formats) != 1:
        raise InputError(f"{song.folder}: its files differ in rate or channels: {sorted(formats)}")
    sample_rate, num_channels = formats.pop()

    def blocks() -> Iterator[np.ndarray]:
        with contextlib.ExitStack() as stack:
            inputs = {name: stack.enter_context(AudioInput(path)) for name, path in song.files.items()}
            streams = {name: file.blocks(sample_rate) for name, file in inputs.items()}
            for pieces in itertools.zip_longest(*streams.values()):
                length = max(piece.shape[1] for piece in pieces if piece is not None)
                truth = np.zeros((len(stems), num_channels, length), np.float32)
                for name, piece in zip(streams, pieces, strict=True):
                    if piece is not None:
                        truth[stems.index(name if name in stems else residual), :, : piece.shape[1]] += piece
                yield truth
            for file in inputs.values():
                if file.warning:
                    warn(file.warning)

    return sample_rate, num_channels, blocks()
