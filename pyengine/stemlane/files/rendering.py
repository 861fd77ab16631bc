# SPDX-License-Identifier: MIT
"""Remixes one file into another, in bounded memory."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

import numpy as np

from stemlane.errors import InputError
from stemlane.files.addresses import Place, place
from stemlane.files.encoding import Encoding
from stemlane.files.marks import without_mark
from stemlane.files.places import check_place
from stemlane.files.reading import AudioInput
from stemlane.files.results import written_at
from stemlane.files.stem_files import is_stem_file, streams_by_stem
from stemlane.files.writing import AudioOutput, encoding_of
from stemlane.manifests.registry import find_model
from stemlane.mix.automation import Automation
from stemlane.mix.rendering import GainPlan, mix_blocks, render_blocks


def render_file(
    path: str | Path, output_path: str | PurePath, *, gains: Mapping[str, float | str] | None = None,
    automation: Automation | None = None, focus: Mapping[str, float | str] | None = None,
    model: str | Path = "default", progress: Callable[[int], None] = lambda num_samples: None, shown: str | None = None,
) -> list[str]:  # fmt: skip
    """Write a remix of the file, see `stemlane.render`; the extension of `output_path` gives the format.

    A stem file (.stem.mp4) is mixed from the stems it holds, unless a `model` is named, which separates its mixture.

    Parameters
    ----------
    output_path
        A path, or an address in a store.
    shown
        What messages call the file at `path`, if it is a copy.

    Returns
    -------
    list of str
        Warnings: a recording whose end is missing, peaks the format has clipped.
    """
    target = place(output_path)
    encoding = encoding_of(target)
    if model == "default" and is_stem_file(shown or path):
        _check_no_focus(path, shown, focus)
        return _mix_stem_file(path, target, encoding, shown, gains=gains, automation=automation, progress=progress)
    manifest = find_model(model)
    plan = GainPlan(manifest, gains, automation)
    with AudioInput(path, shown=shown) as source:
        check_place(path, [target])
        with _mix_at(target, source, encoding) as output:
            blocks = source.blocks()
            for piece in render_blocks(blocks, source.sample_rate, source.num_channels, plan, manifest, focus):
                output.write(piece)
                progress(piece.shape[1])
        return [warning for warning in (source.warning, clip_warning(target, output, _softer(output))) if warning]


def _check_no_focus(path: str | Path, shown: str | None, focus: Mapping[str, float | str] | None) -> None:
    """Refuse a focus that would have to change the stems of a stem file; 50 would not."""
    from stemlane.engine.spectral.focus import focus_by_stem, is_neutral

    name = shown or str(path)
    if focus is not None and not is_neutral(focus_by_stem(tuple(streams_by_stem(path)), focus, name)):
        raise InputError(f"{name}: has its own stems, which no focus changes; leave it out, or name a model")


@contextlib.contextmanager
def _mix_at(target: Place, source: AudioInput, encoding: Encoding) -> Iterator[AudioOutput]:
    """The file that a remix of `source` goes into, with its tags and cover."""
    with (
        written_at(target) as local,
        AudioOutput(
            local, source.sample_rate, source.num_channels, source.num_samples,
            encoding=encoding, tags=without_mark(source.tags), cover=source.cover, shown=target,
        ) as output,
    ):  # fmt: skip
        yield output


def _mix_stem_file(
    path: str | Path, output_path: Place, encoding: Encoding, shown: str | None, *,
    gains: Mapping[str, float | str] | None, automation: Automation | None, progress: Callable[[int], None],
) -> list[str]:  # fmt: skip
    streams = streams_by_stem(path)
    plan = GainPlan(tuple(streams), gains, automation)
    with contextlib.ExitStack() as stack:
        inputs = [stack.enter_context(AudioInput(path, stream=stream, shown=shown)) for stream in streams.values()]
        check_place(path, [output_path])
        first = inputs[0]
        stream = first.sample_rate, first.num_channels
        if any((file.sample_rate, file.num_channels) != stream for file in inputs):
            raise InputError(f"{first.shown}: its stems differ in rate or channels")
        blocks = (_stacked(pieces) for pieces in zip(*inputs, strict=False))
        with _mix_at(output_path, first, encoding) as output:
            for piece in mix_blocks(blocks, first.sample_rate, plan, tuple(streams)):
                output.write(piece)
                progress(piece.shape[1])
        warnings = dict.fromkeys(
            [*(file.warning for file in inputs), clip_warning(output_path, output, _softer(output))]
        )
    return [text for text in warnings if text]


def _stacked(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """Blocks of the stems as one; encoders make the last ones of different lengths, and the shortest ends the file."""
    shortest = min(piece.shape[1] for piece in pieces)
    return np.stack([piece[:, :shortest] for piece in pieces])


def clip_warning(path: str | PurePath, output: AudioOutput, remedy: str) -> str:
    """Text saying that a file that cannot hold more than full scale was given more, and what helps, or nothing."""
    if output.peak <= 1.0 or output.encoding.keeps_peaks:
        return ""
    return f"{path}: clipped, its peak was {output.peak:.2f}; {remedy}"


def _softer(output: AudioOutput) -> str:
    """What keeps a remix from being clipped; a tenth of a dB up, so that rounding does not clip it again."""
    excess_db = math.ceil(200 * math.log10(max(output.peak, 1.0))) / 10
    return f"turn it down by {excess_db:.1f} dB with --gain output, or write a .wav"
