# SPDX-License-Identifier: MIT
"""Outlines of recordings: the largest sample of each part, in bounded memory, however the recording comes."""

import numpy as np
import pytest
import soundfile
import stemlane
from stemlane.files.outlines import outlines
from stemlane.files.reading import AudioInput
from stemlane.files.waveform import MOST_COLUMNS, Waveform


def noise(num_samples, num_channels=2):
    return np.random.default_rng(47).uniform(-1, 1, (num_channels, num_samples)).astype(np.float32)


def slow(samples):
    """The same with all of the recording at hand."""
    width = 1
    while width * MOST_COLUMNS < samples.shape[1]:
        width *= 2
    return [
        round(100 * float(np.abs(samples[:, start : start + width]).max()))
        for start in range(0, samples.shape[1], width)
    ]


@pytest.mark.parametrize("num_samples", [0, 1, 399, 400, 401, 800, 801, 12_345, 102_400, 102_401])
@pytest.mark.parametrize("block_samples", [1, 7, 400, 4096, 200_000])
def test_any_blocks_give_the_largest_sample_of_each_part(num_samples, block_samples):
    samples, waveform = noise(num_samples), Waveform()
    for start in range(0, num_samples, block_samples):
        waveform.add(samples[:, start : start + block_samples])
        waveform.add(samples[:, :0])
    assert waveform.percent() == slow(samples)
    assert len(waveform.percent()) <= MOST_COLUMNS and (num_samples < 200 or len(waveform.percent()) >= 200)
    assert waveform.peak == float(np.abs(samples).max(initial=0))


def test_a_single_sample_is_where_it_was():
    """Hours later, too: 3 h at 48 kHz are 518 400 000 samples, which 2 ** 21 a column hold."""
    waveform, silence = Waveform(), np.zeros((1, 48_000 * 60), np.float32)
    for minute in range(180):
        block = silence.copy()
        block[0, 1234] = -0.5 if minute == 100 else 0
        waveform.add(block)
    assert waveform.width_samples == 2**21
    assert np.flatnonzero(waveform.percent()).tolist() == [(100 * 48_000 * 60 + 1234) // 2**21]
    assert max(waveform.percent()) == 50 and waveform.peak == 0.5


def test_full_scale_is_the_most_that_is_drawn():
    waveform = Waveform()
    waveform.add(np.array([[0.004, -3.0, np.nan, np.inf]], np.float32))
    assert waveform.percent() == [0, 100, 0, 100]


@pytest.mark.parametrize("options", [{}, {"file_format": "flac"}, {"clip": "rescale", "bits": 16}, {"clip": "clamp"}])
def test_stems_come_with_the_outline_of_what_was_written(tmp_path, tiny_models, options):
    song = tmp_path / "song.wav"
    soundfile.write(song, 1.4 * noise(30_000).T, 44100, subtype="FLOAT")
    (outcome,) = stemlane.separate_many([song], tmp_path / "out", **options)
    assert set(outcome.waveforms) == set(outcome.outputs)
    for stem, path in outcome.outputs.items():
        written = slow(soundfile.read(path, always_2d=True, dtype="float32")[0].T)
        # Dither and rounding may carry a value over half a per cent.
        np.testing.assert_allclose(outcome.waveforms[stem], np.minimum(written, 100), atol=1)


@pytest.mark.parametrize("clip", ["report", "rescale"])
def test_a_stem_file_has_the_outline_of_its_mixture(tmp_path, tiny_models, clip):
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(30_000).T, 44100, subtype="FLOAT")
    outcome = stemlane.separate_file(song, tmp_path / "out", file_format="stem.mp4", bits="24", clip=clip)
    with AudioInput(outcome.outputs["stems"]) as file:
        written = slow(np.concatenate(list(file), axis=1))
    assert set(outcome.waveforms) == {"stems"}
    np.testing.assert_allclose(outcome.waveforms["stems"], np.minimum(written, 100), atol=1)
    again = stemlane.separate_file(
        song, tmp_path / "out", file_format="stem.mp4", bits="24", clip=clip, skip_existing=True
    )
    assert again.skipped and again.waveforms == {}
    np.testing.assert_allclose(outlines(again)["stems"], outcome.waveforms["stems"], atol=1)
    again.outputs["stems"].write_bytes(b"damaged")
    assert outlines(again) == {}
