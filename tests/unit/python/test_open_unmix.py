# SPDX-License-Identifier: MIT
"""Open-Unmix models: ends and length are the original's, windows do not show, streams come as late as stated."""

import hashlib

import numpy as np
import onnx
import pytest
from stemlane.catalog.install import add_model
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ManifestError, ModelError
from stemlane.manifests.model import load_manifest
from support.slow_wiener import slowly_refined
from support.tiny_spleeter import FFT, HOP, REACH_FRAMES, build_spleeter, slow_open_unmix, tiny_masks
from support.tiny_spleeter import open_unmix_signals as signals_of
from support.tiny_spleeter import open_unmix_spectra as spectra_of

# float32 transforms; at the very end a sample is divided by as little as a quarter of the usual sum of windows
TOLERANCE = 1e-5
WINDOWS = [
    {"segment_frames": 64, "stride_frames": 32, "crossfade_frames": 8},
    {"segment_frames": 64, "stride_frames": 27, "crossfade_frames": 0},
    {"segment_frames": 41, "stride_frames": 35, "crossfade_frames": 2},
]


def model(folder, **settings):
    return build_spleeter(folder, kind="open-unmix", **settings)


def noise(num_samples: int, num_channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(num_samples)
    return rng.uniform(-0.5, 0.5, (num_channels, num_samples)).astype(np.float32)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("num_samples", [2, 100, HOP - 1, HOP, FFT // 2 + 1, 31 * HOP, 32 * HOP, 35 * HOP + 1, 20011])
def test_the_original_from_the_first_sample_to_the_last(tmp_path, window, num_samples):
    folder = model(tmp_path, **window)
    settings = load_manifest(folder).settings
    assert min(settings.context_before_frames, settings.context_after_frames) >= REACH_FRAMES
    mixture = noise(num_samples)
    stems = Separator(folder).separate(mixture, 44100)
    expected = slow_open_unmix(mixture, steepness=1.0, num_masks=2)
    for stem, values in zip(("vocals", "drums"), expected, strict=True):
        assert stems[stem].shape == mixture.shape
        np.testing.assert_allclose(stems[stem], values, rtol=0, atol=TOLERANCE)


def test_one_sample(tmp_path):
    stems = Separator(model(tmp_path, steepness=0)).separate(np.full((1, 1), 0.5), 44100)
    assert stems["vocals"] == pytest.approx(0.5, abs=1e-6) and stems["drums"] == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_live_stream_differs_at_the_end_alone(tmp_path, window):
    folder = model(tmp_path, **window)
    manifest = load_manifest(folder)
    separator = StreamingSeparator(manifest, 44100, 2)
    mixture = noise(20000)
    first = separator.process(mixture)
    strides = 20000 // manifest.stride_samples
    assert first.shape[2] == strides * manifest.stride_samples - manifest.delay_samples
    stems = np.concatenate([first, separator.finish()], axis=2)
    expected = slow_open_unmix(mixture, steepness=1.0, num_masks=2)
    end = 20000 - FFT // 2 - (REACH_FRAMES + 2) * HOP
    np.testing.assert_allclose(stems[:, :, :end], expected[:, :, :end], rtol=0, atol=TOLERANCE)
    separator.reset()
    cuts = np.sort(np.random.default_rng(3).integers(0, 20000, 40))
    pieces = [separator.process(block) for block in np.split(mixture, cuts, axis=1)]
    np.testing.assert_array_equal(np.concatenate([*pieces, separator.finish()], axis=2), stems)


@pytest.mark.parametrize("wiener_frames", [7, 35, 101])
def test_wiener_blocks_lie_where_they_lie_in_a_single_window(tmp_path, wiener_frames):
    """Blocks are counted from the recording's first frame, wherever segments begin; or are whole segments."""
    by_segment = wiener_frames > 35
    settings = {
        "wiener_iterations": 1,
        "stride_frames": 35,
        "segment_frames": 101,
    }  # 33 frames ahead, 2 before the first
    cut = model(tmp_path, name="cut", wiener_frames=wiener_frames, **settings)
    settings |= {"stride_frames": 350, "segment_frames": 390}
    one = model(tmp_path, name="one", wiener_frames=35 if by_segment else wiener_frames, **settings)
    mixture = noise(30000)
    found, expected = (Separator(folder).separate(mixture, 44100)["vocals"] for folder in (cut, one))
    difference = np.abs(found - expected).max()
    assert 1e-4 < difference < 0.1 if by_segment else difference < TOLERANCE


def slowly_blended(mixture, separate, *, segment_frames, stride_frames, crossfade_frames, blends=True):
    """A recording of which each segment is separated alone, by `separate` of its spectra, in float64.

    Segment s ends with frame (s + 1) stride - 3, the last one with the recording, of which it keeps all.
    """
    spectra = spectra_of(mixture)
    num_frames, rest = spectra.shape[1], segment_frames - stride_frames - crossfade_frames
    num_segments = mixture.shape[1] // (stride_frames * HOP) + 1
    stems = np.zeros((2, *spectra.shape), complex)
    for segment in range(num_segments):
        first = (segment + 1) * stride_frames - 2 - segment_frames
        is_last = segment == num_segments - 1
        heard = slice(max(first, 0), num_frames if is_last else first + segment_frames)
        found, kept = separate(spectra[:, heard]), first + rest - rest // 2
        for frame in range(max(kept, 0), num_frames if is_last else kept + stride_frames + crossfade_frames):
            weight = min((frame - kept + 0.5) / crossfade_frames, 1) if blends else 1
            stems[:, :, frame] *= 1 - weight
            stems[:, :, frame] += weight * found[:, :, frame - heard.start]
    return signals_of(stems, mixture.shape[1])


@pytest.mark.parametrize("iterations", [0, 1])
@pytest.mark.parametrize("window", [(64, 56, 8), (64, 44, 18)], ids=str)
def test_segments_that_disagree_are_blended(tmp_path, window, iterations):
    """With less context than masks depend on; the filter knows a segment alone. The level changes over time."""
    window = dict(zip(("segment_frames", "stride_frames", "crossfade_frames"), window, strict=True))
    folder = model(tmp_path, wiener_iterations=iterations, **window)
    mixture = noise(20_011) * (0.1 + np.abs(np.sin(np.arange(20_011) / 900))).astype(np.float32)

    def separate(spectra):
        estimates = spectra * tiny_masks(np.abs(spectra), 1.0, 3)
        return (slowly_refined(spectra, estimates, 1, 1e-10) if iterations else estimates)[:2]

    found = Separator(folder).separate(mixture, 44100)
    expected, unblended = (slowly_blended(mixture, separate, **window, blends=blends) for blends in (True, False))
    assert np.abs(unblended - expected).max() > 50 * TOLERANCE
    np.testing.assert_allclose([found["vocals"], found["drums"]], expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("settings, words", [
    ({"stride_frames": 2}, "stride_frames is 2, should be from 3 to 4096"),
    ({"stride_frames": 32, "crossfade_frames": 8, "wiener_iterations": 1, "wiener_frames": 30},
     "crossfade_frames is 8, should be 0 where wiener_frames are at most stride_frames"),
    ({"wiener_iterations": 11}, "wiener_iterations is 11, should be from 0 to 10"),
    ({"wiener_iterations": 1, "wiener_frames": 65}, "wiener_frames is 65, should be from 1 to 64"),
])  # fmt: skip
def test_manifests_that_cannot_be(tmp_path, settings, words):
    with pytest.raises(ManifestError, match=words):
        load_manifest(model(tmp_path, **settings))


def test_a_network_that_takes_one_number_of_frames_alone(tmp_path, monkeypatch):
    """A recording's ends need fewer: such a network is refused when it is added."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = model(tmp_path, name="rigid", stride_frames=32, crossfade_frames=8)
    network = onnx.load(folder / "network.onnx")
    network.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 64
    before = hashlib.sha256((folder / "network.onnx").read_bytes()).hexdigest()
    onnx.save(network, folder / "network.onnx")
    after = hashlib.sha256((folder / "network.onnx").read_bytes()).hexdigest()
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(ModelError, match=r"'rigid' does not run: .* does not take an input of \(1, 2, 30, 257\)"):
        add_model(str(folder))
