# SPDX-License-Identifier: MIT
"""Measures separation against true stems: SDR per stem beside two bounds, the mixture itself and the ideal ratio mask.

Everything streams, so that songs of any length fit in memory.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from stemlane.cli.progress import Progress
from stemlane.engine.separator import Separator, recut
from stemlane.errors import InputError, ModelError
from stemlane.evaluation.numbers import StemResult, ideal_ratio_mask, measure, score
from stemlane.evaluation.songs import Song, find_songs, read_truth, song_seconds
from stemlane.manifests.manifest import model_folders
from stemlane.manifests.registry import embedded_folder


class _ProcessorTime:
    """Counts the processor time that goes into a stream."""

    def __init__(self):
        self.seconds = 0.0

    def of(self, stream: Iterable) -> Iterator:
        """The same stream."""
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


def evaluate_song(
    song: Song,
    separators: list[Separator],
    progress: Callable[[float], None] = lambda seconds: None,
    *,
    windows: Mapping[str, Separator] | None = None,
    warn: Callable[[str], None] = lambda text: None,
) -> dict:
    """Measure models that share their stems on one song; `progress` is called with the seconds finished, row after row.

    Parameters
    ----------
    windows
        For models that are short windows of another, by name: that other model.
    warn
        Called with what is to be said of the song's files, such as that one is cut off.

    Returns
    -------
    dict
        `song`, `seconds`, `stems`, and `rows`: for the mixture, the ideal mask and every model a list of
        `StemResult`, and for models `scores` (one per stem, None where the true stem is silent), `mean_score`,
        `processor_seconds` per second of music, and for windows `against`, that other model's name, and
        `window_results`, a list of `StemResult` with that other model's stems as the truth.
    """
    stems, residual = separators[0].manifest.stems, separators[0].manifest.residual
    seconds = 0.0

    def run(estimate_from):
        nonlocal seconds
        sample_rate, num_channels, truth = read_truth(song, stems, residual, warn)
        for_model, for_measure = itertools.tee(truth)
        estimate = estimate_from(for_model, sample_rate, num_channels)
        num_samples = 0

        def counted():
            nonlocal num_samples
            for piece in for_measure:
                num_samples += piece.shape[-1]
                yield piece
                progress(piece.shape[-1] / sample_rate)

        results = measure(counted(), recut(estimate, sample_rate))
        seconds = num_samples / sample_rate
        return results

    rows = {}
    rows["mixture"] = {
        "results": run(lambda truth, *_: (np.broadcast_to(piece.sum(axis=0), piece.shape) for piece in truth))
    }
    rows["ideal mask"] = {"results": run(lambda truth, *_: ideal_ratio_mask(truth))}
    for separator in separators:
        spent = _ProcessorTime()
        results = run(
            lambda truth, *stream, separator=separator, spent=spent: spent.of(
                separator.separate_blocks((piece.sum(axis=0) for piece in truth), *stream)
            )
        )
        scores = [
            None if result.sdr_db is None else score(result.sdr_db, mixture.sdr_db, ideal.sdr_db)
            for result, mixture, ideal in zip(results, rows["mixture"]["results"], rows["ideal mask"]["results"])
        ]
        known = [value for value in scores if value is not None]
        mean_score = float(np.mean(known)) if known else None
        row = {
            "results": results, "scores": scores, "mean_score": mean_score,
            "processor_seconds": spent.seconds / seconds,
        }  # fmt: skip
        full = (windows or {}).get(separator.manifest.name)
        if full is not None:
            row |= {"against": full.manifest.name, "window_results": _compare(song, full, separator)}
            progress(seconds)
        rows[separator.manifest.name] = row
    return {"song": song.folder.name, "seconds": seconds, "stems": list(separators[0].stems), "rows": rows}


def _compare(song: Song, full: Separator, window: Separator) -> list[StemResult]:
    """The stems of one model with those of another as the truth."""
    streams = []
    for separator in (full, window):
        sample_rate, num_channels, truth = read_truth(song, separator.manifest.stems, separator.manifest.residual)
        mixture = (piece.sum(axis=0) for piece in truth)
        streams.append(recut(separator.separate_blocks(mixture, sample_rate, num_channels), sample_rate))
    return measure(*streams)


def run(
    folder: str | Path, models: Sequence[str] | None = None, windows: Sequence[float] | None = None,
    *, warn: Callable[[str], None] = lambda text: None,
) -> list[dict]:  # fmt: skip
    """Measure models on every song in `folder`; those with the same stems share a table. See `evaluate_song`.

    `models` defaults to all embedded ones. For each of `windows`, in seconds, the models' short windows are measured
    too: those called like them with "-1.5s" at the end. `warn` is called once with each thing that is to be said of the
    songs' files.
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
    by_stems: dict[tuple, list[Separator]] = {}
    separators: dict[str, Separator] = {}
    for name in dict.fromkeys(names):
        separator = separators[name] = Separator(name)
        by_stems.setdefault((separator.stems, separator.manifest.residual), []).append(separator)
    pairs = {separators[name].manifest.name: separators[full] for name, full in full_names.items()}
    num_rows = sum(len(group) + 2 for group in by_stems.values()) + len(pairs)
    with Progress("evaluate", num_rows * sum(map(song_seconds, songs))) as progress:
        return [
            evaluate_song(song, group, progress, windows=pairs, warn=warn_once)
            for song in songs
            for group in by_stems.values()
        ]
