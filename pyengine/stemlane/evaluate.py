# SPDX-License-Identifier: MIT
"""Measures separation against true stems: SDR per stem beside two bounds, the mixture itself and the ideal ratio mask.

Everything streams, so that songs of any length fit in memory.
"""

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stemlane.audio import AudioInput
from stemlane.errors import InputError, ModelError
from stemlane.manifest import STEM_ORDER, model_folders
from stemlane.progress import Progress
from stemlane.registry import embedded_folder
from stemlane.separator import Separator, recut
from stemlane.stft import StftAnalysis, StftSynthesis, hann

AUDIO_ENDINGS = (".wav", ".flac", ".ogg", ".mp3")
_SILENCE = 1e-8  # mean square (-80 dB of full scale) under which a true stem counts as silent: SDR says nothing there
_MASK_FFT_SAMPLES, _MASK_HOP_SAMPLES = 2048, 512


@dataclass(frozen=True)
class StemResult:
    """How well one stem was met.

    Attributes
    ----------
    sdr_db
        10 log10(sum s^2 / sum (s - estimate)^2) over the whole song; None where the true stem is silent.
    median_sdr_db
        Median of the same over 1-second frames, those with a silent true stem left out.
    leak_db
        Energy of the estimate relative to the mixture, where the true stem is silent.
    """

    sdr_db: float | None
    median_sdr_db: float | None
    leak_db: float | None


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
            if path.stem in STEM_ORDER and path.suffix.lower() in AUDIO_ENDINGS:
                if path.stem in files:
                    raise InputError(f"{candidate}: holds two files for {path.stem!r}; remove one")
                files[path.stem] = path
        if len(files) > 1:
            songs.append(Song(candidate, files))
    if not songs:
        raise InputError(f"{folder}: holds no song, which is a folder with files like vocals.wav, drums.wav, other.wav")
    return songs


def song_seconds(song: Song) -> float:
    """Length of a song, that of its longest file."""
    seconds = []
    for path in song.files.values():
        with AudioInput(path) as file:
            seconds.append(file.num_samples / file.sample_rate)
    return max(seconds)


def read_truth(song: Song, stems: tuple[str, ...], residual: str) -> tuple[int, int, Iterator[np.ndarray]]:
    """Rate, channels, and the true stems in 1-second blocks (stems, channels, samples).

    True stems the model does not know are part of its residual.
    """
    inputs = {name: AudioInput(path) for name, path in song.files.items()}
    formats = {(file.sample_rate, file.num_channels) for file in inputs.values()}
    if len(formats) != 1:
        raise InputError(f"{song.folder}: its files differ in rate or channels: {sorted(formats)}")
    sample_rate, num_channels = formats.pop()

    def blocks():
        with contextlib.ExitStack() as stack:
            streams = {name: stack.enter_context(file).blocks(sample_rate) for name, file in inputs.items()}
            for pieces in itertools.zip_longest(*streams.values()):
                length = max(piece.shape[1] for piece in pieces if piece is not None)
                truth = np.zeros((len(stems), num_channels, length), np.float32)
                for name, piece in zip(streams, pieces):
                    if piece is not None:
                        truth[stems.index(name if name in stems else residual), :, : piece.shape[1]] += piece
                yield truth

    return sample_rate, num_channels, blocks()


def measure(truth: Iterable[np.ndarray], estimate: Iterable[np.ndarray]) -> list[StemResult]:
    """Compare two streams of (stems, channels, samples) cut alike into 1-second frames; one result per stem."""
    signal, error, guess, mixture, counts = [], [], [], [], []
    for true, estimated in zip(truth, estimate, strict=True):
        true, estimated = true.astype(np.float64), estimated.astype(np.float64)
        signal.append(np.square(true).sum(axis=(1, 2)))
        error.append(np.square(true - estimated).sum(axis=(1, 2)))
        guess.append(np.square(estimated).sum(axis=(1, 2)))
        mixture.append(np.square(true.sum(axis=0)).sum())
        counts.append(true[0].size)
    signal, error, guess = np.array(signal), np.array(error), np.array(guess)
    counts = np.array(counts)
    results = []
    for stem in range(signal.shape[1]):
        total = signal[:, stem].sum()
        if total < _SILENCE * counts.sum():
            results.append(StemResult(None, None, _db(guess[:, stem].sum(), sum(mixture))))
            continue
        sounding = signal[:, stem] >= _SILENCE * counts
        frames = [_db(s, e) for s, e in zip(signal[sounding, stem], error[sounding, stem])]
        results.append(StemResult(_db(total, error[:, stem].sum()), float(np.median(frames)) if frames else None, None))
    return results


def _db(numerator: float, denominator: float) -> float:
    """10 log10 of a ratio of energies, kept within 200 dB so that exact matches stay numbers."""
    if numerator <= 0:
        return -200.0
    return float(np.clip(10 * math.log10(numerator / denominator), -200, 200)) if denominator > 0 else 200.0


def ideal_ratio_mask(truth: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """What a real mask can reach: each stem's share of the energies, applied to the mixture, Hann windows of 2048/512.

    Takes and yields (stems, channels, samples) of any lengths.
    """
    step = _MASK_FFT_SAMPLES  # one full window at a time
    window = hann(_MASK_FFT_SAMPLES)
    overlap_sum = 0.375 * _MASK_FFT_SAMPLES / _MASK_HOP_SAMPLES  # mean of a squared Hann window, once per hop
    steps = {"hop_samples": _MASK_HOP_SAMPLES, "num_frames": step // _MASK_HOP_SAMPLES, "dtype": np.float64}
    delay = _MASK_FFT_SAMPLES - _MASK_HOP_SAMPLES
    analysis = synthesis = None
    num_in = num_out = 0

    def padded():
        nonlocal num_in
        shape = None
        for piece in truth:
            num_in += piece.shape[-1]
            shape = piece.shape
            yield piece
        if shape is not None:
            yield np.zeros((*shape[:2], delay + step), np.float32)

    for piece in recut(padded(), step):
        if piece.shape[-1] < step:
            break
        if analysis is None:
            num_stems, num_channels, _ = piece.shape
            analysis = StftAnalysis(window, **steps, num_channels=num_stems * num_channels)
            lead_shape = (num_stems, num_channels)
            synthesis = StftSynthesis(window / overlap_sum, **steps, synthesis_samples=step, lead_shape=lead_shape)
        spectra = analysis.process(piece.reshape(-1, step))
        spectra = spectra.reshape(num_stems, num_channels, *spectra.shape[1:])
        energies = np.square(np.abs(spectra))
        masks = energies / np.maximum(energies.sum(axis=0), 1e-20)
        estimate = synthesis.process(masks * spectra.sum(axis=0))
        start = max(delay - num_out, 0)
        num_out += step
        end = step - max(num_out - delay - num_in, 0)
        if end > start:
            yield estimate[..., start:end].astype(np.float32)


def score(sdr_db: float, mixture_db: float, ideal_db: float) -> float:
    """Share of the way from the better of mixture and silence (0 dB) to the ideal mask: 0 is useless, 1 is ideal."""
    base = max(mixture_db, 0.0)
    return (sdr_db - base) / (ideal_db - base)


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
) -> dict:
    """Measure models that share their stems on one song; `progress` is called with the seconds finished, row after row.

    Parameters
    ----------
    windows
        For models that are short windows of another, by name: that other model.

    Returns
    -------
    dict
        `song`, `seconds`, `stems`, and `rows`: for the mixture, the ideal mask and every model a list of
        `StemResult`, and for models `scores` (one per stem, None where the true stem is silent), `mean_score`,
        `processor_seconds` per second of music, and for windows `against`, that other model's name, and
        `window_results`, a list of `StemResult` with that other model's stems as the truth.
    """
    stems, residual = separators[0].stems, separators[0].manifest.residual
    seconds = 0.0

    def run(estimate_from):
        nonlocal seconds
        sample_rate, num_channels, truth = read_truth(song, stems, residual)
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
    return {"song": song.folder.name, "seconds": seconds, "stems": list(stems), "rows": rows}


def _compare(song: Song, full: Separator, window: Separator) -> list[StemResult]:
    """The stems of one model with those of another as the truth."""
    streams = []
    for separator in (full, window):
        sample_rate, num_channels, truth = read_truth(song, separator.stems, separator.manifest.residual)
        mixture = (piece.sum(axis=0) for piece in truth)
        streams.append(recut(separator.separate_blocks(mixture, sample_rate, num_channels), sample_rate))
    return measure(*streams)


def run(
    folder: str | Path, models: Sequence[str] | None = None, windows: Sequence[float] | None = None
) -> list[dict]:
    """Measure models on every song in `folder`; those with the same stems share a table. See `evaluate_song`.

    `models` defaults to all embedded ones. For each of `windows`, in seconds, the models' short windows are measured
    too: those called like them with "-1.5s" at the end.
    """
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
            evaluate_song(song, group, progress, windows=pairs) for song in songs for group in by_stems.values()
        ]
