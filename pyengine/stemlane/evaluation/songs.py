# SPDX-License-Identifier: MIT
"""Songs with true stems: finds them in folders and reads them block by block."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stemlane.contract import ACCOMPANIMENT, OTHER, STEM_ORDER
from stemlane.errors import InputError
from stemlane.files.formats import ENDINGS
from stemlane.files.reading import AudioInput
from stemlane.files.stem_files import is_stem_file, streams_by_stem

_NAMES = {**{stem: stem for stem in STEM_ORDER}, ACCOMPANIMENT: OTHER}  # of files, and the stems they are


@dataclass(frozen=True)
class Song:
    """A folder with one audio file per true stem, or a stem file (.stem.mp4); the mixture is the sum of the stems.

    Attributes
    ----------
    folder
        The folder, or the stem file.
    files
        The file of each stem.
    streams
        Of a stem file, which stream of sound each stem is.
    """

    folder: Path
    files: dict[str, Path]
    streams: dict[str, int] = field(default_factory=dict)

    def open(self, stem: str) -> AudioInput:
        """The recording of one stem."""
        return AudioInput(self.files[stem], stream=self.streams.get(stem))


def find_songs(folder: str | Path) -> list[Song]:
    """Songs in `folder`: itself or any folder inside it that holds two or more files named after stems; stem files too.

    It may be a stem file itself.
    """
    folder = Path(folder)
    if folder.is_file() and is_stem_file(folder):
        return [_stem_file(folder)]
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
            elif path.is_file() and is_stem_file(path):
                songs.append(_stem_file(path))
        if len(files) > 1:
            songs.append(Song(candidate, files))
    if not songs:
        raise InputError(
            f"{folder}: holds no song, a folder with files like vocals.wav, drums.wav, other.wav, or a .stem.mp4"
        )
    return songs


def _stem_file(path: Path) -> Song:
    streams = streams_by_stem(path)
    return Song(path, dict.fromkeys(streams, path), streams)


def song_seconds(song: Song) -> float:
    """Length of a song, that of its longest file."""
    seconds: list[float] = []
    for stem in song.files:
        with song.open(stem) as file:
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
    for stem in song.files:
        with song.open(stem) as file:
            formats.add((file.sample_rate, file.num_channels))
    if len(formats) != 1:
        raise InputError(f"{song.folder}: its files differ in rate or channels: {sorted(formats)}")
    sample_rate, num_channels = formats.pop()

    def blocks() -> Iterator[np.ndarray]:
        with contextlib.ExitStack() as stack:
            inputs = {name: stack.enter_context(song.open(name)) for name in song.files}
            streams = {name: file.blocks(sample_rate) for name, file in inputs.items()}
            for pieces in itertools.zip_longest(*streams.values()):
                length = max(piece.shape[1] for piece in pieces if piece is not None)
                truth = np.zeros((len(stems), num_channels, length), np.float32)
                for name, piece in zip(streams, pieces, strict=True):
                    if piece is not None:
                        truth[stems.index(name if name in stems else residual), :, : piece.shape[1]] += piece
                yield truth
            for text in dict.fromkeys(file.warning for file in inputs.values()):  # of a stem file the same from all
                if text:
                    warn(text)

    return sample_rate, num_channels, blocks()
