# SPDX-License-Identifier: MIT
"""Writes one file mixed anew, in bounded memory."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from stemlane.files.places import check_place
from stemlane.files.reading import AudioInput
from stemlane.files.writing import AudioOutput, encoding_of
from stemlane.manifests.registry import find_model
from stemlane.mix.rendering import Automation, GainPlan, render_blocks


def render_file(
    path: str | Path, output_path: str | Path, *, gains: Mapping[str, float | str] | None = None,
    automation: Automation | None = None, model: str | Path = "default",
    progress: Callable[[int], None] = lambda num_samples: None,
) -> list[str]:  # fmt: skip
    """Write the file mixed anew, see `stemlane.render`; the ending of `output_path` says the format.

    Returns
    -------
    list of str
        Warnings: a recording whose end is missing, peaks the format has clipped.
    """
    manifest = find_model(model)
    plan = GainPlan(manifest, gains, automation)
    encoding = encoding_of(output_path)
    with AudioInput(path) as source:
        check_place(path, [Path(output_path)])
        stream = source.sample_rate, source.num_channels
        with AudioOutput(output_path, *stream, source.num_samples, encoding=encoding, tags=source.tags) as output:
            for piece in render_blocks(source.blocks(), *stream, plan, manifest):
                output.write(piece)
                progress(piece.shape[1])
        return [warning for warning in (source.warning, clip_warning(output_path, output)) if warning]


def clip_warning(path: str | PurePath, output: AudioOutput) -> str:
    """Text saying that a file that cannot hold more than full scale was given more, or nothing."""
    if output.peak <= 1.0 or output.encoding.keeps_peaks:
        return ""
    return f"{path}: clipped, its peak was {output.peak:.2f}; choose wav or lower the level"
