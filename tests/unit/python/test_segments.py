# SPDX-License-Identifier: MIT
"""Models of the kind `segment`: their stems against a slow reference, transforms against the definition, manifests."""

import gc

import numpy as np
import pytest
from stemlane.engine.frontends.segment_network import SegmentNetwork
from stemlane.engine.frontends.segments import Segment
from stemlane.engine.separator import Separator
from stemlane.engine.spectral.segment_spectra import SegmentSpectra
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import InputError, ManifestError
from stemlane.manifests.model import load_manifest
from support.htdemucs_case import recording
from support.tiny_segment import FFT, HOP, SEGMENT, STEMS, build_segment, slow_segment

TOLERANCE = 2e-6  # float32 sums of a music of peak 0.4


def slow_separation(mixture: np.ndarray, stride: int, window: str) -> np.ndarray:
    """Stems of segments with triangular weights; the last, shorter one is put in the middle of what is heard."""
    num_samples = mixture.shape[1]
    half = SEGMENT // 2
    triangle = np.concatenate([np.arange(1, half + 1), np.arange(SEGMENT - half, 0, -1)])
    total, weight_sum = np.zeros((len(STEMS), 2, num_samples)), np.zeros(num_samples)
    for start in range(0, num_samples, stride):
        length = min(SEGMENT, num_samples - start)
        first = start - (SEGMENT - length) // 2
        places = np.arange(first, first + SEGMENT)
        known = (places >= 0) & (places < num_samples)
        heard = np.where(known, mixture[:, np.clip(places, 0, num_samples - 1)], 0).astype(np.float64)
        stems = slow_segment(heard, window=window)[:, :, start - first : start - first + length]
        total[:, :, start : start + length] += stems * triangle[:length]
        weight_sum[start : start + length] += triangle[:length]
    return total / weight_sum


@pytest.mark.parametrize("window", ["hann", "flat"])
@pytest.mark.parametrize("stride", [SEGMENT // 2, SEGMENT // 4, SEGMENT])
def test_files_get_the_stems_of_the_slow_reference(tmp_path, window, stride):
    mixture = recording(2 * SEGMENT + 777)
    folder = build_segment(
        tmp_path, window=f'"{window}"', segment_stride_samples=stride, stride_samples=SEGMENT // 4, segments_at_once=2
    )
    stems = Separator(folder).separate(mixture, 44100)
    expected = slow_separation(mixture, stride, window)
    for stem, samples in zip(STEMS, expected, strict=True):
        assert np.abs(samples).max() > 0.05
        assert np.abs(stems[stem] - samples).max() < TOLERANCE
    assert np.abs(stems["other"] - (mixture - expected.sum(axis=0))).max() < TOLERANCE


@pytest.mark.parametrize("weights", ["triangle", "ramps"])
def test_one_segment_is_held_at_a_time(tmp_path, monkeypatch, weights):
    """Also where a recording ends, with several: one of SCNet has up to 18 MB."""
    alive = []

    def separate(self, mixture):
        alive.append(sum(isinstance(found, Segment) for found in gc.get_objects()))
        return np.zeros((len(STEMS), *mixture.shape), np.float32)

    monkeypatch.setattr(SegmentNetwork, "separate", separate)
    folder = build_segment(tmp_path, weights=f'"{weights}"')
    Separator(folder).separate(recording(4 * SEGMENT), 44100)
    assert len(alive) > 5 and max(alive) == 1, alive


def demixed(mixture: np.ndarray, step: int, separate) -> np.ndarray:
    """What Music-Source-Separation-Training's `demix` says, one segment at a time; `separate` takes (2, SEGMENT)."""
    border, fade = SEGMENT - step, SEGMENT // 10
    num_samples = mixture.shape[1]
    mirrors = num_samples > 2 * border
    padded = np.pad(mixture, ((0, 0), (border, border)), mode="reflect") if mirrors else mixture
    total, count = np.zeros((len(STEMS), *padded.shape)), np.zeros(padded.shape[1])
    for start in range(0, padded.shape[1], step):
        part = padded[:, start : start + SEGMENT]
        length = part.shape[1]
        mode = "reflect" if length > SEGMENT // 2 else "constant"
        stems = separate(np.pad(part, ((0, 0), (0, SEGMENT - length)), mode=mode))
        window = np.ones(SEGMENT)
        window[:fade], window[-fade:] = np.linspace(0, 1, fade), np.linspace(1, 0, fade)
        if start == 0:
            window[:fade] = 1
        elif start + step >= padded.shape[1]:
            window[-fade:] = 1
        total[..., start : start + length] += stems[..., :length] * window[:length]
        count[start : start + length] += window[:length]
    with np.errstate(invalid="ignore"):
        joined = np.nan_to_num(total / count)
    return joined[..., border : border + num_samples] if mirrors else joined


# Shorter than a segment, than two overlaps, just longer; a last segment that is mirrored, or filled with zeros.
@pytest.mark.parametrize("num_samples", [500, 2500, 4000, 4001, 6000, 6001, 9999])
@pytest.mark.parametrize("step", [SEGMENT // 2, SEGMENT // 4])
def test_the_trainers_joints(tmp_path, num_samples, step):
    mixture = recording(num_samples)
    folder = build_segment(tmp_path, weights='"ramps"', segment_stride_samples=step, stride_samples=step // 4,
                           segments_at_once=2)  # fmt: skip
    separator = Separator(folder)
    manifest = load_manifest(folder)
    network = SegmentNetwork(manifest, manifest.settings.networks[0], 1)  # what it gives is tested above
    expected = demixed(mixture, step, network.separate)
    for _ in range(2):  # a stream that has ended begins anew
        stems = separator.separate(mixture, 44100)
        for stem, samples in zip(STEMS, expected, strict=True):
            np.testing.assert_allclose(stems[stem], samples, rtol=0, atol=TOLERANCE)


def test_the_trainers_joints_live(tmp_path):
    """Nothing is mirrored: from where two segments overlap on, the sums of ramps are those of files."""
    mixture = recording(4 * SEGMENT)
    folder = build_segment(tmp_path, weights='"ramps"')
    separator = StreamingSeparator(folder, 44100, 2)
    live = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    whole = Separator(folder).separate(mixture, 44100)
    for stem, samples in zip(STEMS, live, strict=True):
        inner = slice(SEGMENT // 2, 3 * SEGMENT)
        np.testing.assert_allclose(samples[:, inner], whole[stem][:, inner], atol=TOLERANCE)
    with pytest.raises(InputError, match="joins segments as its trainer does, unshifted"):
        Separator(folder, shifts=2).separate(mixture, 44100)


def test_live_is_what_files_get_before_the_end(tmp_path):
    mixture = recording(3 * SEGMENT)
    folder = build_segment(tmp_path)
    separator = StreamingSeparator(folder, 44100, 2)
    live = np.concatenate([separator.process(mixture), separator.finish()], axis=2)
    whole = Separator(folder).separate(mixture, 44100)
    for stem, samples in zip(STEMS, live, strict=True):
        np.testing.assert_allclose(samples[:, : 2 * SEGMENT], whole[stem][:, : 2 * SEGMENT], atol=1e-6)


def test_the_level_counts_only_where_the_manifest_says_so(tmp_path):
    """The network is linear, so both give the same; only one looks at the recording first."""
    mixture = recording(2 * SEGMENT)
    plain, levelled = (build_segment(tmp_path, name=name, level=f'"{name}"') for name in ("none", "recording"))
    assert not StreamingSeparator(plain, 44100, 2, whole=True).needs_prescan
    assert StreamingSeparator(levelled, 44100, 2, whole=True).needs_prescan
    mixture -= mixture.mean()
    first, second = (Separator(folder).separate(mixture, 44100)["vocals"] for folder in (plain, levelled))
    np.testing.assert_allclose(first, second, atol=TOLERANCE)


@pytest.mark.parametrize("window", ["hann", "flat"])
@pytest.mark.parametrize("normalised", [False, True])
def test_centred_transforms(window, normalised):
    """A frame in the middle from the definition; back, everything is there again, up to the ends."""
    num_samples = 20 * HOP
    segment = recording(num_samples)
    spectra = SegmentSpectra(FFT, HOP, num_samples, bins=FFT // 2 + 1, window=window, normalised=normalised,
                             frames="centred")  # fmt: skip
    found = spectra.analyse(segment)
    assert found.shape == (2, 21, FFT // 2 + 1)
    shape = np.hanning(FFT + 1)[:-1] if window == "hann" else np.ones(FFT)
    middle = segment[1, 10 * HOP - FFT // 2 : 10 * HOP + FFT // 2] * shape
    expected = np.exp(-2j * np.pi * np.outer(np.arange(FFT // 2 + 1), np.arange(FFT)) / FFT) @ middle
    assert np.abs(found[1, 10] - expected / (16 if normalised else 1)).max() < 1e-5
    np.testing.assert_allclose(spectra.synthesise(found), segment, atol=TOLERANCE)


def test_manifests_that_are_refused(tmp_path):
    for name, (key, value, words) in {
        "a": ("segment_samples", 4001, "and padding_samples are 4033, should be a multiple of 64"),
        "b": ("frames", '"begun-hops"', "takes fft_samples = 4 hop_samples and no padding_samples"),
        "c": ("window", '"kaiser"', "should be one of: hann, flat"),
        "d": ("stride_samples", 999, "should divide segment_stride_samples = 2000"),
        "e": ("segment_stride_samples", 400, "should be from 500 to 4000"),
        "f": ("network_bins", 130, "should be from 1 to 129"),
        "g": ("normalised", 1, "should be true or false"),
        "h": ("level", '"loud"', "should be one of: recording, none"),
        "i": ("segments_at_once", 9, "should be from 1 to 8"),
        "j": ("networks", '[["network.onnx", "vocals"]]', "give vocals, should give each once of: vocals, drums"),
        "l": ("weights", '"hann"', "should be one of: triangle, ramps"),
        "k": ("hop_samples", 200, "should be from 16 to 128"),
    }.items():
        with pytest.raises(ManifestError, match=words):
            load_manifest(build_segment(tmp_path, name=name, **{key: value}))
