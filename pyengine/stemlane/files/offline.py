# SPDX-License-Identifier: MIT
"""Whole files: separate one into a folder of stems, or render one with gains, in bounded memory."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stemlane.engine.separator import Separator
from stemlane.errors import InputError
from stemlane.files.audio import AudioInput, AudioOutput, check_format, staged_folder
from stemlane.manifests.registry import find_model
from stemlane.mix.mixdown import GainPlan, render_blocks


def output_folders(inputs: Sequence[str | Path], folder: str | Path) -> list[Path]:
    """Where the stems of every input go: `folder`/<name without ending>; `InputError` if two would go to one place."""
    targets: dict[Path, str | Path] = {}
    for path in inputs:
        target = Path(folder) / Path(path).stem
        if target in targets:
            raise InputError(f"{targets[target]} and {path} would both go to {target}; separate them into two folders")
        targets[target] = path
    return list(targets)


def choose_stems(separator: Separator, stems: Sequence[str] | None) -> list[str]:
    """The stems asked for, all if None, checked to be among those of the model."""
    for stem in stems or ():
        if stem not in separator.stems:
            name = separator.manifest.name
            raise InputError(f"model {name!r} has no stem {stem!r}, it has: {', '.join(separator.stems)}")
    return list(dict.fromkeys(stems)) if stems else list(separator.stems)


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
    finals = [Path(folder) / f"{stem}.{file_format}" for stem in chosen]
    _check_apart(path, finals)
    with AudioInput(path) as source, staged_folder(folder) as staged, contextlib.ExitStack() as stack:
        stream = source.sample_rate, source.num_channels
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
    automation: Sequence[Mapping] | None = None, model: str | Path = "default",
    progress: Callable[[int], None] = lambda num_samples: None,
) -> list[str]:  # fmt: skip
    """Write the file mixed anew, see `stemlane.render`; returns warnings as `separate_file` does."""
    manifest = find_model(model)
    plan = GainPlan(manifest, gains, automation)
    _check_apart(path, [Path(output_path)])
    with (
        AudioInput(path) as source,
        AudioOutput(output_path, source.sample_rate, source.num_channels, source.num_samples) as output,
    ):
        for piece in render_blocks(source.blocks(), source.sample_rate, source.num_channels, plan, manifest):
            output.write(piece)
            progress(piece.shape[1])
    return _said(source.warning, clip_warning(Path(output_path), output.peak))


def _said(*warnings: str) -> list[str]:
    return [warning for warning in warnings if warning]


def _check_apart(path: str | Path, outputs: Sequence[Path]) -> None:
    """Raise `InputError` if the recording itself would be replaced: it may be the only one."""
    for output in outputs:
        if output.exists() and Path(path).exists() and output.samefile(path):
            raise InputError(f"{output}: is the recording itself and would be lost; write to another place")


def clip_warning(path: Path, peak: float) -> str:
    """Text saying that a file that cannot hold more than full scale was given more, or nothing."""
    if peak <= 1.0 or path.suffix == ".wav":
        return ""
    return f"{path}: clipped, its peak was {peak:.2f}; choose wav or lower the level"
