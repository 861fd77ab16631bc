# SPDX-License-Identifier: MIT
"""Separates one file into files, in bounded memory."""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from stemlane.engine.separator import Separator
from stemlane.errors import OUT_OF_MEMORY, InputError, StemlaneError, one_line
from stemlane.files.addresses import Place
from stemlane.files.ahead import Ahead
from stemlane.files.encoding import Encoding
from stemlane.files.marks import Mark, StemsKeptError, are_there, check_nothing_is_lost
from stemlane.files.names import Recording
from stemlane.files.places import check_place
from stemlane.files.reading import AudioInput
from stemlane.files.rendering import clip_warning
from stemlane.files.request import Request
from stemlane.files.results import content_at, on_disk, staged_results
from stemlane.files.stem_separating import write_stem_file
from stemlane.files.writing import AudioOutput

_FLOAT = Encoding("wav")
_LOG = logging.getLogger(__name__)
_KEPT_TAGS = ("title", "artist", "album", "album_artist", "date", "genre", "track", "tracknumber")
_HEADROOM = 1.0 - 2.0**-15  # of rescaled stems: full scale of 16 bits


@dataclass
class Outcome:
    """The result for one recording.

    Attributes
    ----------
    path
        The recording.
    outputs
        Files by stem; empty if the recording failed.
    problem
        Why it failed, or an empty text.
    skipped
        Whether the stems existed already.
    warnings
        Texts, for example that the end of the recording is missing or that peaks are clipped.
    seconds
        Length of the separated part.
    elapsed_seconds
        Time taken.
    provider
        What computed the networks; nothing where none were needed.
    waveforms
        For each file that was written now: the largest sample of each of at most 400 equal parts, in whole per cents of
        full scale; of a stem file those of its mixture. `stemlane.files.outlines` reads those of skipped recordings.
    is_final
        Whether another attempt would fail like this one: other stems, which are kept, lie where its own would go.
    """

    path: Place
    outputs: dict[str, Place] = field(default_factory=dict)
    problem: str = ""
    skipped: bool = False
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    elapsed_seconds: float = 0.0
    provider: str = ""
    waveforms: dict[str, list[int]] = field(default_factory=dict)
    is_final: bool = False


def separate_recording(
    recording: Recording, folder: Place, separator: Separator, request: Request,
    *, skip_existing: bool = False, overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda num_samples, total: None,
) -> Outcome:  # fmt: skip
    """Write the stems of one recording below `folder`; they appear together when all are complete, or there are none.

    Parameters
    ----------
    skip_existing
        Leave a recording alone whose stems are there, made by the same model from the same recording, on the same
        request. A file of the same name says nothing.
    overwrite
        Replace whatever is there. Otherwise only stems of the same part of the same recording are replaced.
    progress
        Called with the number of samples finished since its last call, and an estimate of all of them, 0 if not known.

    Raises
    ------
    StemlaneError
        If the recording cannot be read or separated, or its stems cannot be written, or would replace others.
    """
    if recording.problem:
        raise InputError(f"{recording.shown}: {recording.problem}")
    started = time.monotonic()
    outcome = Outcome(recording.shown, request.outputs(folder, recording, separator))
    finals = list(outcome.outputs.values())
    content = content_at(recording.path)

    def mark_of(request: Request) -> Mark:
        return Mark.of(recording, content, request, request.fingerprint(content, separator))

    def check() -> None:
        if not overwrite:
            check_nothing_is_lost(recording, finals, mark_of(request), request)

    outcome.skipped = skip_existing and are_there(finals, mark_of(request))
    if outcome.skipped:
        return outcome
    check_place(recording.path, finals)
    if request.duration_seconds is None:  # whether a part is the whole, the recording itself says
        check()
    with (
        on_disk(recording.path) as path,
        AudioInput(
            path, start_seconds=request.start_seconds, duration_seconds=request.duration_seconds, shown=recording.shown
        ) as source,
    ):
        if request.duration_seconds is not None:
            if source.reaches_end:
                request = replace(request, duration_seconds=None)
                outcome.skipped = skip_existing and are_there(finals, mark_of(request))
                if outcome.skipped:
                    return outcome
            check()
        with staged_results(finals, folder, str(mark_of(request)), check) as staged:
            _write(outcome, source, separator, request, staged, str(mark_of(request)), progress)
    outcome.provider = separator.provider
    outcome.elapsed_seconds = time.monotonic() - started
    return outcome


class StoppedError(Exception):
    """What `progress` raises to end a recording in the middle."""


def try_recording(
    recording: Recording, folder: Place, separator: Separator, request: Request,
    *, skip_existing: bool = False, overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda num_samples, total: None,
) -> Outcome:  # fmt: skip
    """The same as `separate_recording`; whatever goes wrong becomes the problem of the outcome."""
    started = time.monotonic()
    outcome = Outcome(recording.shown)
    try:
        progress(0, 0)  # raises if there is nothing to begin any more
        return separate_recording(
            recording, folder, separator, request, skip_existing=skip_existing, overwrite=overwrite, progress=progress
        )
    except StemlaneError as error:
        outcome.problem, outcome.is_final = one_line(error), isinstance(error, StemsKeptError)
    except MemoryError:
        outcome.problem = f"{recording.shown}: {OUT_OF_MEMORY}"
    except StoppedError:
        outcome.problem = f"{recording.shown}: interrupted"
    except Exception as error:  # noqa: BLE001 - whatever one recording does to a library, the others want to be done
        _LOG.debug("%s", recording.path, exc_info=True)
        outcome.problem = f"{recording.shown}: unexpected: {one_line(error)}"
    outcome.elapsed_seconds = time.monotonic() - started
    return outcome


@dataclass
class _Written:
    num_samples: int = 0
    warnings: list[str] = field(default_factory=list)
    waveforms: dict[str, list[int]] = field(default_factory=dict)


def _write(
    outcome: Outcome, source: AudioInput, separator: Separator, request: Request, staged: Sequence[Path],
    mark: str, progress: Callable[[int, int], None],
) -> None:  # fmt: skip
    """Separate a recording into the staged files; its outcome says what came of it."""
    finals, files = list(outcome.outputs.values()), dict(zip(outcome.outputs, staged, strict=True))
    if request.makes_stem_file:
        [(stem, path)], tags = files.items(), _kept(source.tags) | {"comment": mark}
        num_samples, warnings, waveform = write_stem_file(source, separator, request, path, finals[0], tags, progress)
        written = _Written(num_samples, warnings, {stem: waveform.percent()})
    else:
        written = _write_stems(source, separator, request, files, finals, mark, progress)
    outcome.warnings = [text for text in (source.warning, *written.warnings) if text]
    outcome.seconds = written.num_samples / source.sample_rate
    outcome.waveforms = written.waveforms


def _write_stems(
    source: AudioInput, separator: Separator, request: Request, staged: Mapping[str, Path], finals: Sequence[Place],
    mark: str, progress: Callable[[int, int], None],
) -> _Written:  # fmt: skip
    """Separate a recording into a file for each stem."""
    written = _Written()
    stream = source.sample_rate, source.num_channels
    rescales = request.clip == "rescale" and not request.encoding.keeps_peaks
    shares = request.shares(separator)

    def outputs(encoding: Encoding, ending: str, stack: contextlib.ExitStack) -> list[AudioOutput]:
        return [
            stack.enter_context(
                AudioOutput(
                    path.with_name(path.name + ending), *stream, source.num_samples,
                    encoding=encoding, tags=_tags(source.tags, stem, mark), cover=source.cover, shown=final,
                )
            )
            for (stem, path), final in zip(staged.items(), finals, strict=True)
        ]  # fmt: skip

    with contextlib.ExitStack() as stack:
        files = outputs(_FLOAT if rescales else request.encoding, ".float" if rescales else "", stack)
        ahead = stack.enter_context(Ahead(source))
        for piece in stack.enter_context(Ahead(separator.separate_blocks(ahead, *stream))):
            for indices, file in zip(shares.values(), files, strict=True):
                stem = piece[indices[0]] if len(indices) == 1 else piece[list(indices)].sum(axis=0)
                file.write(np.clip(stem, -1, 1) if request.clip == "clamp" else stem)
            written.num_samples += piece.shape[2]
            progress(piece.shape[2], source.num_samples)
    if not rescales:
        written.warnings = [
            clip_warning(final, file, _unclipped(file)) for final, file in zip(finals, files, strict=True)
        ]
        written.waveforms = {stem: file.waveform.percent() for stem, file in zip(staged, files, strict=True)}
        return written
    peak = max(file.peak for file in files)
    factor = _HEADROOM / peak if peak > _HEADROOM else 1.0
    with contextlib.ExitStack() as stack:
        for (stem, path), file in zip(staged.items(), outputs(request.encoding, "", stack), strict=True):
            loud = path.with_name(path.name + ".float")
            with AudioInput(loud) as blocks:
                for block in blocks:
                    file.write(block * np.float32(factor))
            written.waveforms[stem] = file.waveform.percent()
            loud.unlink()
    if factor != 1.0:
        written.warnings = [
            f"{source.shown}: its stems are {-20 * np.log10(factor):.2f} dB softer, the peak was {peak:.2f}"
        ]
    return written


def _unclipped(file: AudioOutput) -> str:
    keeps = "--bits 32f" if file.encoding.file_format == "wav" else "--format wav"
    return f"--clip rescale turns all stems of the recording down, {keeps} keeps the peaks"


def _tags(tags: Mapping[str, str], stem: str, mark: str) -> dict[str, str]:
    """The recording's tags for one of its stems, and what it is the answer to."""
    kept = _kept(tags)
    if "title" in kept:
        kept["title"] = f"{kept['title']} ({stem})"
    return kept | {"comment": mark}


def _kept(tags: Mapping[str, str]) -> dict[str, str]:
    kept = {name: tags[name] for name in _KEPT_TAGS if name in tags}
    if "track" in kept:
        kept.setdefault("tracknumber", kept["track"])
    return kept
