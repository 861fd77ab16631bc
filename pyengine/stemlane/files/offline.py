# SPDX-License-Identifier: MIT
"""Whole files: separate one into a folder of stems, or render one with gains, in bounded memory."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stemlane.engine.separator import Separator
from stemlane.errors import InputError
from stemlane.files.reading import AudioInput
from stemlane.files.staging import staged_folder
from stemlane.files.writing import AudioOutput, check_file_target, check_format
from stemlane.manifests.registry import find_model
from stemlane.manifests.stem_names import stem_of
from stemlane.mix.mixdown import Automation, GainPlan, render_blocks


def choose_stems(separator: Separator, stems: Sequence[str] | None) -> list[str]:
    """The stems asked for, all if None, checked to be among those of the model."""
    manifest = separator.manifest
    by_stem = dict(zip(manifest.stems, separator.stems, strict=True))
    for stem in stems or ():
        if stem_of(manifest, stem) not in by_stem:
            raise InputError(f"model {manifest.name!r} has no stem {stem!r}, it has: {', '.join(separator.stems)}")
    chosen = [by_stem[stem_of(manifest, stem)] for stem in stems] if stems else separator.stems
    return list(dict.fromkeys(chosen))


def stem_files(folder: str | Path, stems: Sequence[str], file_format: str) -> list[Path]:
    """The files of a recording's stems."""
    return [Path(folder) / f"{stem}.{file_format}" for stem in stems]


def check_place(path: str | Path, files: Sequence[Path]) -> None:
    """Raise `InputError` if one of `files` cannot be written, or is the recording at `path`, before any work is done.

    Folders that are missing are made later, so it is the last one that is there which must allow it.
    """
    for file in files:
        folder = file.parent
        while not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        if not folder.is_dir():
            raise InputError(f"{folder}: is not a folder, so {file} cannot be written")
        check_file_target(file if folder == file.parent else folder / file.name, file)
        if file.exists() and Path(path).exists() and file.samefile(path):
            raise InputError(f"{file}: is the recording itself and would be lost; write to another place")


def separate_file(
    path: str | Path, folder: str | Path, separator: Separator, *, stems: Sequence[str] | None = None,
    file_format: str = "wav", progress: Callable[[int], None] = lambda num_samples: None,
) -> list[str]:  # fmt: skip
    """Write `folder`/<stem>.<format> for each of `stems`, of the length, rate and channels of the file.

    The files appear together when all are complete; after an error there are none.

    Returns
    -------
    list of str
        Warnings: a recording whose end is missing, stems whose peaks the format has clipped.
    """
    chosen = choose_stems(separator, stems)
    file_format = check_format(file_format)
    indices = [separator.stems.index(stem) for stem in chosen]
    finals = stem_files(folder, chosen, file_format)
    with AudioInput(path) as source:
        check_place(path, finals)
        stream = source.sample_rate, source.num_channels
        with staged_folder(folder) as staged, contextlib.ExitStack() as stack:
            outputs = [
                stack.enter_context(AudioOutput(staged / final.name, *stream, source.num_samples, shown=final))
                for final in finals
            ]
            for piece in separator.separate_blocks(source, *stream):
                for index, output in zip(indices, outputs, strict=True):
                    output.write(piece[index])
                progress(piece.shape[2])
        return _said(
            source.warning, *(clip_warning(final, output.peak) for final, output in zip(finals, outputs, strict=True))
        )


def render_file(
    path: str | Path, output_path: str | Path, *, gains: Mapping[str, float | str] | None = None,
    automation: Automation | None = None, model: str | Path = "default",
    progress: Callable[[int], None] = lambda num_samples: None,
) -> list[str]:  # fmt: skip
    """Write the file mixed anew, see `stemlane.render`; returns warnings as `separate_file` does."""
    manifest = find_model(model)
    plan = GainPlan(manifest, gains, automation)
    with AudioInput(path) as source:
        check_place(path, [Path(output_path)])
        with AudioOutput(output_path, source.sample_rate, source.num_channels, source.num_samples) as output:
            for piece in render_blocks(source.blocks(), source.sample_rate, source.num_channels, plan, manifest):
                output.write(piece)
                progress(piece.shape[1])
        return _said(source.warning, clip_warning(Path(output_path), output.peak))


def _said(*warnings: str) -> list[str]:
    return [warning for warning in warnings if warning]


def clip_warning(path: Path, peak: float) -> str:
    """Text saying that a file that cannot hold more than full scale was given more, or nothing."""
    if peak <= 1.0 or path.suffix.lower() == ".wav":
        return ""
    return f"{path}: clipped, its peak was {peak:.2f}; choose wav or lower the level"
