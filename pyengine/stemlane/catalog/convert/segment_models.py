# SPDX-License-Identifier: MIT
"""Writes the folders of a converted network that masks segments: one for each length of window, one file of weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stemlane.catalog.convert.manifest_text import Description, manifest_text
from stemlane.catalog.convert.places import file_sha256, link

HOP_SAMPLES = 1024
FFT_SAMPLES = 4096


@dataclass(frozen=True)
class Window:
    """A latency mode: frames of a segment, frames it moves on by, frames blended from one to the next.

    `wiener_frames` is the length of the blocks the Wiener filter works on; 0 for whole segments.
    """

    suffix: str
    title: str
    segment_frames: int
    stride_frames: int
    crossfade_frames: int
    wiener_frames: int = 0


# Half of a short window is kept: as much context as music, for twice the work.
SHORT_WINDOWS = (
    Window("-3s", ", 3 s windows", 128, 64, 8),
    Window("-1.5s", ", 1.5 s windows", 64, 32, 8),
)


def write_models(
    save: Callable[[Path], Sequence[Path]], folder: Path, *, kind: str, stems: Sequence[str], windows: Sequence[Window],
    description: Description, extra: Mapping[str, int | str], wiener_iterations: int = 0, allowance_scale: float = 1.0,
) -> list[Path]:  # fmt: skip
    """Write `folder`/<name><suffix of the window> for every window; returns these folders.

    Parameters
    ----------
    save
        Writes the network into a folder; returns the paths of its files, `network.onnx` first.
    stems
        In Stemlane's order; the last one is the residual.
    extra
        What the section of the kind states beyond the window's numbers.
    wiener_iterations
        Of the multichannel Wiener filter.
    allowance_scale
        How much longer than usual the network computes.
    """
    folders = [folder / (description.name + window.suffix) for window in windows]
    for path in folders:
        path.mkdir()
    files = {path.name: file_sha256(path) for path in save(folders[0])}
    for path, window in zip(folders, windows, strict=True):
        if path != folders[0]:
            for file in files:
                link(folders[0] / file, path / file)
        # The slowest network takes an eighth of a segment's length on one slow core.
        allowance_samples = round(window.segment_frames * HOP_SAMPLES / 4 * allowance_scale)
        named = replace(description, name=path.name, title=description.title + window.title)
        frames = {
            "segment_frames": window.segment_frames, "stride_frames": window.stride_frames,
            "crossfade_frames": window.crossfade_frames,
        }  # fmt: skip
        tensors = {"magnitude": "magnitude", "masks": "masks"}
        if wiener_iterations:
            frames["wiener_iterations"] = wiener_iterations
            if kind == "open-unmix":
                frames["wiener_frames"] = window.wiener_frames or window.segment_frames
            tensors = {"magnitude": "magnitude", "magnitudes": "magnitudes"}
        text = manifest_text(
            named, kind=kind, stems=stems, residual=stems[-1], sample_rate=44100, allowance_samples=allowance_samples,
            settings={"fft_samples": FFT_SAMPLES, "hop_samples": HOP_SAMPLES, **frames, **extra},
            tensors=tensors, files=files)  # fmt: skip
        (path / "manifest.toml").write_text(text, encoding="utf-8")
    return folders
