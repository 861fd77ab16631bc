# SPDX-License-Identifier: MIT
"""HTDemucs's front end and manifest: in time, live as in files, silent in silence, transforms that undo each other."""

import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from stemlane.engine.spectral.segment_spectra import SegmentSpectra
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ManifestError
from stemlane.manifests.model import load_manifest
from support import htdemucs_case as case
from support.tiny_htdemucs import SEGMENT, build


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return build(tmp_path_factory.mktemp("htdemucs"))


def live(folder, mixture: np.ndarray, block_samples: int) -> np.ndarray:
    separator = StreamingSeparator(folder, case.SAMPLE_RATE, len(mixture))
    starts = range(0, mixture.shape[1], block_samples)
    pieces = [separator.process(mixture[:, start : start + block_samples]) for start in starts]
    for number in range(1, len(pieces) + 1):  # never later than promised
        num_in = min(number * block_samples, mixture.shape[1])
        assert sum(piece.shape[2] for piece in pieces[:number]) >= num_in - separator.max_lag_samples
    return np.concatenate([*pieces, separator.finish()], axis=2)


@pytest.mark.parametrize("window", [0, 1])
def test_live_is_what_files_get(folders, window):
    """Before the end, where files get another last segment; the level that is assumed changes hardly anything.

    A constant offset, which files have taken away, changes more: these recordings have none.
    """
    manifest = load_manifest(folders[window])
    segment = manifest.settings.segment_samples
    mixture = case.recording(3 * SEGMENT + 1234)
    mixture -= mixture.mean()
    stems = live(folders[window], mixture, 7001)
    np.testing.assert_array_equal(live(folders[window], mixture, 50_000), stems)
    whole = Separator(folders[window]).separate(mixture, case.SAMPLE_RATE)
    inner = slice(0, 3 * SEGMENT - segment)
    for stem, samples in zip(manifest.separated_stems, stems, strict=True):
        assert np.sqrt(np.mean(samples**2)) > 0.01
        # The networks' epsilon of 1e-5, at most ten times as large for the music's level as for the assumed one's.
        assert np.abs(samples - whole[stem])[:, inner].max() < 2e-4, stem


def test_the_level_is_learnt(folders):
    """Files: a louder recording gives stems that are louder by as much, far below where the epsilon matters."""
    mixture = case.recording(SEGMENT)
    separator = Separator(folders[0])
    loud, quiet = (separator.separate(mixture * gain, case.SAMPLE_RATE) for gain in (1, np.float32(2**-20)))
    for stem, samples in loud.items():
        # The deviation of 1e-7 is joined by the original's 1e-8.
        assert np.abs(quiet[stem] * 2**20 - samples).max() < 0.2 * np.abs(samples).max(), stem
        level = np.sqrt(np.mean((quiet[stem] * 2**20) ** 2) / np.mean(samples**2))
        assert 0.8 < level < 1.2, stem


@pytest.mark.parametrize("shifts, num_samples", [
    (0, SEGMENT // 3), (0, 2 * SEGMENT), (0, 3 * SEGMENT + 77), (3, SEGMENT // 3), (3, 2 * SEGMENT),
])  # fmt: skip
def test_files_are_the_same_with_any_number_of_threads(folders, monkeypatch, num_samples, shifts):
    """However many threads compute a segment."""
    mixture = case.recording(num_samples)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(Separator(folders[0], shifts=shifts).separate(mixture, case.SAMPLE_RATE))
    for stem, samples in found[0].items():
        assert np.any(samples)
        np.testing.assert_array_equal(found[1][stem], samples)
        np.testing.assert_array_equal(found[2][stem], samples)


def test_silence_and_mono(folders):
    silence = np.zeros((2, 2 * SEGMENT), np.float32)
    assert not live(folders[0], silence, 9000).any()
    stems = Separator(folders[0]).separate(silence, 48000)
    assert not any(stem.any() for stem in stems.values())
    mono = case.recording(SEGMENT)[:1]
    stems = Separator(folders[0]).separate(mono, 48000)
    assert all(stem.shape == mono.shape for stem in stems.values())
    np.testing.assert_allclose(sum(stems.values()), mono, atol=1e-6)


def test_shifts_on_the_command_line(folders, tmp_path):
    mixture = case.recording(SEGMENT)
    soundfile.write(tmp_path / "song.wav", mixture.T, case.SAMPLE_RATE, subtype="FLOAT")
    arguments = ["separate", str(tmp_path / "song.wav"), "-o", str(tmp_path), "--model", str(folders[1])]
    assert main([*arguments, "--shifts", "2"]) == 0
    shifted, plain = (Separator(folders[1], shifts=shifts).separate(mixture, case.SAMPLE_RATE) for shifts in (2, 0))
    for stem, samples in shifted.items():
        found, _ = soundfile.read(tmp_path / "song" / f"{stem}.wav", dtype="float32", always_2d=True)
        np.testing.assert_array_equal(found.T, samples)
        assert np.abs(samples - plain[stem]).max() > 1e-3


@pytest.mark.parametrize("num_samples", [4096, 5000, 4097])
def test_transforms_undo_each_other(num_samples):
    """But near the ends, where the original too leaves out the frames that hang over, and for the highest bin."""
    times = np.arange(num_samples)
    segment = np.stack([np.sin(0.1 * times), 0.5 * np.cos(1.3 * times)]).astype(np.float32)
    spectra = SegmentSpectra(1024, 256, num_samples, bins=512)
    found = spectra.synthesise(spectra.analyse(segment))
    assert found.shape == segment.shape
    inner = slice(1024, -1024)
    np.testing.assert_allclose(found[:, inner], segment[:, inner], atol=2e-6)  # float32


def test_manifests_that_are_refused(folders, tmp_path):
    text = (folders[0] / "manifest.toml").read_text(encoding="utf-8")

    def refused(old: str, new: str, words: str) -> None:
        assert old in text
        (tmp_path / "manifest.toml").write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(ManifestError, match=words):
            load_manifest(tmp_path)

    refused("fft_samples = 256", "fft_samples = 260", "fft_samples is 260, should be a multiple of 8")
    refused("stride_samples = 11025", "stride_samples = 11024", "should divide segment_stride_samples = 33075")
    refused("segment_stride_samples = 33075", "segment_stride_samples = 20000", "should be from 22050 to 44100")
    refused('"bass"]]', '"bass", "piano"]]', "give vocals, drums, bass, piano, should give each once of: vocals, drums")
    refused('[["network.onnx"', '[["other.onnx"', "names 'other.onnx', which is not among the")
    refused('[["network.onnx", "vocals", "drums", "bass"]]', "[[3]]", "should hold lists of a file and the stems")
