# SPDX-License-Identifier: MIT
"""Measures separation against true stems: SDR per stem beside two bounds, the mixture itself and the ideal ratio mask.

Everything streams, so that songs of any length fit in memory.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from stemlane.audio_checks import rechunk
from stemlane.engine.separator import Separator
from stemlane.errors import InputError, ModelError
from stemlane.evaluation.scores import StemResult, ideal_ratio_mask, measure, score
from stemlane.evaluation.songs import Song, find_songs, read_truth, song_seconds
from stemlane.evaluation.tables import Row, SongTable
from stemlane.manifests.model import model_folders
from stemlane.manifests.registry import embedded_folder


class _ProcessorTime:
    """Processor time spent on a stream."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def spent_on(self, stream: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The same stream, timed."""
        stream = iter(stream)
        while True:
            begin = time.process_time()
            try:
                piece = next(stream)
            except StopIteration:
                return
            finally:
                self.seconds += time.process_time() - begin
            yield piece


class _SongRun:
    """One song, read again for each row of its table."""

    def __init__(
        self,
        song: Song,
        stems: tuple[str, ...],
        residual: str,
        progress: Callable[[float], None],
        warn: Callable[[str], None],
    ):
        self._song, self._stems, self._residual = song, stems, residual
        self._progress, self._warn = progress, warn
        self.seconds = 0.0

    def measure(
        self, estimate_from: Callable[[Iterator[np.ndarray], int, int], Iterable[np.ndarray]]
    ) -> list[StemResult]:
        """Compare the true stems with what `estimate_from` makes of them, their rate and number of channels."""
        sample_rate, num_channels, truth = read_truth(self._song, self._stems, self._residual, self._warn)
        for_model, for_measure = itertools.tee(truth)
        estimate = estimate_from(for_model, sample_rate, num_channels)
        num_samples = 0

        def counted() -> Iterator[np.ndarray]:
            nonlocal num_samples
            for piece in for_measure:
                num_samples += piece.shape[-1]
                yield piece
                self._progress(piece.shape[-1] / sample_rate)

        results = measure(counted(), rechunk(estimate, sample_rate))
        self.seconds = num_samples / sample_rate
        return results


def evaluate_song(
    song: Song,
    separators: Sequence[Separator],
    progress: Callable[[float], None] = lambda seconds: None,
    *,
    windows: Mapping[str, Separator] | None = None,
    warn: Callable[[str], None] = lambda text: None,
) -> SongTable:
    """Measure models that share their stems on one song; `progress` is called with the seconds finished, row after row.

    `windows` holds, for models that are short windows of another, that other model by their name. `warn` is called
    with what is to be said of the song's files, such as that one is cut off.
    """
    stems, residual = separators[0].manifest.stems, separators[0].manifest.residual
    run = _SongRun(song, stems, residual, progress, warn)
    rows: dict[str, Row] = {
        "mixture": {"results": run.measure(lambda truth, *_: (np.broadcast_to(p.sum(axis=0), p.shape) for p in truth))},
        "ideal mask": {"results": run.measure(lambda truth, *_: ideal_ratio_mask(truth))},
    }
    for separator in separators:
        name = separator.manifest.name
        rows[name] = _measure_model(run, separator, rows["mixture"]["results"], rows["ideal mask"]["results"])
        if full := (windows or {}).get(name):
            rows[name]["against"] = full.manifest.name
            rows[name]["window_results"] = _compare(song, full, separator)
            progress(run.seconds)
    return {"song": song.folder.name, "seconds": run.seconds, "stems": list(separators[0].stems), "rows": rows}


def _measure_model(run: _SongRun, separator: Separator, mixtures: list[StemResult], ideals: list[StemResult]) -> Row:
    """The row of one model, its scores between the two bounds."""
    timer = _ProcessorTime()

    def separated(truth: Iterator[np.ndarray], sample_rate: int, num_channels: int) -> Iterator[np.ndarray]:
        mixture = (piece.sum(axis=0) for piece in truth)
        return timer.spent_on(separator.separate_blocks(mixture, sample_rate, num_channels))

    results = run.measure(separated)
    scores = [
        None
        if result.sdr_db is None or mixture.sdr_db is None or ideal.sdr_db is None
        else score(result.sdr_db, mixture.sdr_db, ideal.sdr_db)
        for result, mixture, ideal in zip(results, mixtures, ideals, strict=True)
    ]
    known = [value for value in scores if value is not None]
    return {
        "results": results,
        "scores": scores,
        "mean_score": float(np.mean(known)) if known else None,
        "processor_seconds": timer.seconds / run.seconds,
        "provider": separator.provider,
    }


def _compare(song: Song, full: Separator, window: Separator) -> list[StemResult]:
    """The stems of one model with those of another as the truth."""
    streams = []
    for separator in (full, window):
        sample_rate, num_channels, truth = read_truth(song, separator.manifest.stems, separator.manifest.residual)
        mixture = (piece.sum(axis=0) for piece in truth)
        streams.append(rechunk(separator.separate_blocks(mixture, sample_rate, num_channels), sample_rate))
    return measure(*streams)


def run(
    folder: str | Path,
    models: Sequence[str] | None = None,
    windows: Sequence[float] | None = None,
    report: Callable[[str, float, float], None] = lambda stage, done, total: None,
    *,
    warn: Callable[[str], None] = lambda text: None,
) -> list[SongTable]:
    """Measure models on every song in `folder`; those with the same stems share a table. See `evaluate_song`.

    `models` defaults to all embedded ones. For each of `windows`, in seconds, the models' short windows are measured
    too: those called like them with "-1.5s" at the end. `report` is called with a stage's name, the seconds of music
    finished, and how many there will be; `warn` once with each thing that is to be said of the songs' files.
    """
    said: set[str] = set()  # every row of the table reads the files anew

    def warn_once(text: str) -> None:
        if text not in said:
            said.add(text)
            warn(text)

    songs = find_songs(folder)
    if windows and not models:
        raise InputError("--window needs --model: which models are meant?")
    suffixes = [f"-{seconds:g}s" for seconds in windows or ()]
    full_names = {name + suffix: name for name in models or () for suffix in suffixes}
    models = [name + suffix for name in models for suffix in ("", *suffixes)] if models else None
    names = models or [path.name for path in model_folders(embedded_folder())]
    if not names:
        raise ModelError(f"no model in {embedded_folder()}; name one")
    by_stems: dict[tuple[tuple[str, ...], str], list[Separator]] = {}
    separators: dict[str, Separator] = {}
    for name in dict.fromkeys(names):
        separator = separators[name] = Separator(name)
        by_stems.setdefault((separator.stems, separator.manifest.residual), []).append(separator)
    pairs = {separators[name].manifest.name: separators[full] for name, full in full_names.items()}
    num_rows = sum(len(group) + 2 for group in by_stems.values()) + len(pairs)
    total = num_rows * sum(map(song_seconds, songs))
    done = 0.0

    def progress(seconds: float) -> None:
        nonlocal done
        done += seconds
        report("evaluate", done, total)

    return [
        {**evaluate_song(song, group, progress, windows=pairs, warn=warn_once), "song": _name(song, Path(folder))}
        for song in songs
        for group in by_stems.values()
    ]


def _name(song: Song, folder: Path) -> str:
    """What a song is called: where it lies in the folder that was named, or that folder itself."""
    return song.folder.resolve().name if song.folder == folder else song.folder.relative_to(folder).as_posix()
