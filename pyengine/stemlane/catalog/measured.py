# SPDX-License-Identifier: MIT
"""What a segment model costs and how much its windows show, measured when it is added and stored in its manifest.

True stems are `evaluate`'s business: here a model is compared with itself.
"""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from stemlane.engine.streaming import StreamingSeparator
from stemlane.manifests.model import MANIFEST_NAME, MEASURED, Manifest
from stemlane.manifests.segments import SegmentSettings

_EDGE_SECONDS = 0.45  # left out at both ends, where a stream begins and ends; what is left fits one segment of htdemucs
_INTRODUCTION_BEATS = 8
_SHORTEST_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
_MOST_PROCESSOR_SECONDS = 100.0  # of what takes longer, no second separation is made


def recording(sample_rate: float, seconds: float) -> np.ndarray:
    """(2, samples) float32 of music made of nothing but numbers, from where all play; repeated as often as it takes."""
    import soxr

    from stemlane.catalog.song import BEAT, SAMPLE_RATE, make_song

    song = np.roll(sum(make_song().values()), -round(_INTRODUCTION_BEATS * BEAT * SAMPLE_RATE), axis=1)
    if sample_rate != SAMPLE_RATE:
        song = soxr.resample(song.T, SAMPLE_RATE, sample_rate).T
    num_samples = round(seconds * sample_rate)
    return np.tile(song, math.ceil(num_samples / song.shape[1]))[:, :num_samples].astype(np.float32)


def wanted(manifests: Sequence[Manifest]) -> bool:
    """Whether these models of one network are of a kind that is measured, and are not yet."""
    return manifests[0].kind != "streaming" and not any(manifest.measured for manifest in manifests)


def recording_of(manifests: Sequence[Manifest]) -> np.ndarray:
    """The recording these models are measured with, (2, samples) float32 at their rate."""
    return recording(manifests[0].sample_rate, max(map(_seconds, manifests)))


def measure(
    manifests: Sequence[Manifest],
    mixture: np.ndarray | None = None,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> list[dict[str, float]]:
    """Measure models of one network.

    Parameters
    ----------
    manifests
        The one with the longest window first, all of one rate and with the same stems.
    mixture
        What `recording_of` gives; None to make it.
    report
        Called with a stage's name, what is done of it and its total.

    Returns
    -------
    list of dict
        For each model `processor_seconds`, per second of music; `seam_db` and `seam_largest`, how much its stems
        change if all segments lie half a stride later, relative to the stems in dB and the largest change of a
        sample; and for all but the first `window_sdr_db`, the SDR of its stems with those of the first as the truth.
    """
    rate = manifests[0].sample_rate
    mixture = recording_of(manifests) if mixture is None else mixture
    edge = round(_EDGE_SECONDS * rate)
    results, truth = [], None
    for number, manifest in enumerate(manifests):
        report("measuring", number, len(manifests))
        separator = StreamingSeparator(manifest, rate, 2)
        begin = time.process_time()
        stems = _separate(separator, mixture)
        processor_seconds = time.process_time() - begin
        numbers = {"processor_seconds": processor_seconds * rate / _computed_samples(manifest, mixture.shape[1])}
        if processor_seconds <= _MOST_PROCESSOR_SECONDS:
            numbers |= _seams(separator, mixture, stems)
        inner = slice(edge, mixture.shape[1] - edge)
        if truth is None:
            truth = stems
        else:
            numbers["window_sdr_db"] = _sdr_db(truth[:, :, inner], stems[:, :, inner])
        results.append({key: float(f"{value:.4g}") for key, value in numbers.items()})
    report("measuring", len(manifests), len(manifests))
    return results


def _seams(separator: StreamingSeparator, mixture: np.ndarray, stems: np.ndarray) -> dict[str, float]:
    """How much the `stems` of a recording change if all segments lie half a stride later."""
    manifest = separator.manifest
    edge = round(_EDGE_SECONDS * manifest.sample_rate)
    hop = getattr(manifest.settings, "hop_samples", 1)
    num_before = max(round(_segment_stride(manifest) / 2 / hop), 1) * hop
    silence = np.zeros((2, num_before), np.float32)
    part = mixture[:, : round(_seconds(manifest) * manifest.sample_rate)]  # no longer than it takes
    later = _separate(separator, np.concatenate([silence, part], axis=1))[:, :, num_before:]
    inner = slice(edge, part.shape[1] - edge)
    return {
        "seam_db": -_sdr_db(stems[:, :, inner], later[:, :, inner]),
        "seam_largest": float(np.abs(stems[:, :, inner] - later[:, :, inner]).max()),
    }


def store(manifests: Sequence[Manifest], found: Sequence[dict[str, float]]) -> None:
    """Add what `measure` found to the models' manifests."""
    for manifest, numbers in zip(manifests, found, strict=True):
        lines = [f"{key} = {numbers[key]!r}" for key in MEASURED if key in numbers]
        with (manifest.folder / MANIFEST_NAME).open("a", encoding="utf-8") as file:
            file.write("\n[measured]\n" + "\n".join(lines) + "\n")


def _segment_stride(manifest: Manifest) -> int:
    """Samples from one segment to the next; htdemucs takes a stream in smaller strides."""
    return getattr(manifest.settings, "segment_stride_samples", manifest.stride_samples)


def _computed_samples(manifest: Manifest, num_samples: int) -> int:
    """How far the segments that a recording begins move on: the last one reaches beyond its end."""
    before = 0 if _starts_with_first_sample(manifest) else manifest.delay_samples  # in which the first segment begins
    stride = _segment_stride(manifest)
    return math.ceil((num_samples + before) / stride) * stride


def _starts_with_first_sample(manifest: Manifest) -> bool:
    """Whether a stream's first segment does, instead of ending with the first stride."""
    return isinstance(manifest.settings, SegmentSettings) and manifest.settings.stream_start == 0


def _seconds(manifest: Manifest) -> float:
    """Length of a recording in which segments meet, in one of the two separations that are compared."""
    stride = _segment_stride(manifest)
    settings = manifest.settings
    overlap = manifest.delay_samples
    if isinstance(settings, SegmentSettings) and settings.stream_start == 0:
        overlap = settings.segment_samples - stride
    least = (overlap + stride / 2) / manifest.sample_rate + 2 * _EDGE_SECONDS
    return min(max(least, _SHORTEST_SECONDS), _LONGEST_SECONDS)


def _separate(separator: StreamingSeparator, mixture: np.ndarray) -> np.ndarray:
    separator.reset()
    return np.concatenate([separator.process(mixture), separator.finish()], axis=2)


def _sdr_db(truth: np.ndarray, estimate: np.ndarray) -> float:
    """Within 200 dB, so that equal ones stay a number."""
    signal = np.square(truth, dtype=np.float64).sum()
    error = np.square(truth - estimate, dtype=np.float64).sum()
    return float(np.clip(10 * math.log10(max(signal, 1e-20) / max(error, 1e-20)), -200, 200))
