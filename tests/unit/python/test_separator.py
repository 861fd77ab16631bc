# SPDX-License-Identifier: MIT
"""Separating whole recordings: all stems, their sum, and what is refused."""

import numpy as np
import pytest
from stemlane.audio_checks import rechunk
from stemlane.engine import separator as separator_module
from stemlane.engine.separator import BLOCK_SAMPLES, Separator
from stemlane.errors import InputError
from support.tiny_models import build_model


@pytest.fixture
def separator(tmp_path):
    return Separator(build_model(tmp_path))


@pytest.mark.parametrize("num_samples", [1, 100, BLOCK_SAMPLES - 1, BLOCK_SAMPLES, BLOCK_SAMPLES + 1, 50000])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_every_stem_has_its_share(separator, num_channels, num_samples):
    mixture = np.random.default_rng(29).uniform(-1, 1, (num_channels, num_samples))
    stems = separator.separate(mixture, 44100)
    assert list(stems) == ["vocals", "drums", "bass", "other"]
    for stem, mask in zip(stems.values(), (0.5, 0.25, 0.125, 0.125), strict=True):
        assert stem.dtype == np.float32
        np.testing.assert_allclose(stem, mask * mixture, atol=1e-6)  # float32 transforms


def test_residual_comes_where_the_manifest_lists_it(tmp_path):
    separator = Separator(build_model(tmp_path, stems=("drums", "other", "vocals"), masks=(0.75, 0.125)))
    mixture = np.random.default_rng(31).uniform(-1, 1, (2, 3000)).astype(np.float32)
    stems = separator.separate(mixture, 44100)
    assert list(stems) == ["drums", "other", "vocals"]
    for stem, mask in zip(stems.values(), (0.75, 0.125, 0.125), strict=True):
        np.testing.assert_allclose(stem, mask * mixture, atol=1e-6)


def test_progress_adds_up(separator):
    done = []
    separator.separate(np.zeros((1, 40000), np.float32), 44100, progress=done.append)
    assert sum(done) == 40000 and len(done) > 2


@pytest.mark.parametrize(
    "mixture, rate, words",
    [
        (np.zeros(1000, np.float32), 44100, r"shape \(1000,\), should be \(channels, samples\)"),
        (np.zeros((1000, 2), np.float32), 44100, "pass its transpose"),
        ("song.flac", 44100, "mixture is the path 'song.flac', should be an array; separate_file takes paths"),
        (np.zeros((8, 1000), np.float32), 44100, "8 channels: only mono or stereo"),
        (np.zeros((2, 0), np.float32), 44100, "0 samples"),
        (np.zeros((2, 10), np.int16), 44100, "int16, should be floating point"),
        (np.zeros((2, 10), np.float32), 4000, "sample rate is 4000 Hz, should be from 8000"),
        (np.array([[0, 0, 0], [0, np.nan, 0]]), 44100, "sample 1 of channel 1 is nan"),
        (np.array([[0, 0, -np.inf]]), 44100, "sample 2 of channel 0 is -inf"),
        (np.array([[0, 1e39, 0]]), 44100, "sample 1 of channel 0 is inf"),
    ],
)
def test_refusals_name_the_value(separator, mixture, rate, words):
    with pytest.raises(InputError, match=words):
        separator.separate(mixture, rate)


def test_networks_are_loaded_once_and_shared_with_nobody(separator, monkeypatch):
    loads = []
    original = separator_module.StreamingSeparator
    monkeypatch.setattr(
        separator_module, "StreamingSeparator", lambda *args, **whole: loads.append(args) or original(*args, **whole)
    )
    mixture = np.random.default_rng(53).uniform(-1, 1, (2, 20000)).astype(np.float32)
    blocks = np.split(mixture, 10, axis=1)
    first = separator.separate(mixture, 44100)
    one, two = separator.separate_blocks(blocks, 44100, 2), separator.separate_blocks(blocks, 44100, 2)
    pieces = [(next(one), next(two)), *zip(one, two, strict=True)]  # side by side
    assert len(loads) == 2
    for each in zip(*pieces, strict=True):
        np.testing.assert_array_equal(np.concatenate(each, axis=2), np.stack(list(first.values())))
    given_up = separator.separate_blocks(blocks, 44100, 2)
    next(given_up)
    given_up.close()
    np.testing.assert_array_equal(separator.separate(mixture, 44100)["vocals"], first["vocals"])
    assert len(loads) == 2


def test_few_networks_are_kept(separator):
    mixture = np.zeros((2, 2000), np.float32)
    for rate in (22050, 32000, 44100, 48000, 96000):
        separator.separate(mixture, rate)
        separator.separate(mixture[:1], rate)
    assert [(stream.sample_rate, stream.num_channels) for stream in separator._idle] == [(96000, 2), (96000, 1)]


def test_blocks_that_float32_cannot_hold_are_named(separator):
    blocks = [np.zeros((1, 10)), np.array([[0, 1e39]])]
    with pytest.raises(InputError, match="sample 11 of channel 0 is inf"):
        list(separator.separate_blocks(blocks, 44100, 1))


def test_no_blocks_give_no_stems(separator):
    assert list(separator.separate_blocks([], 44100, 2)) == []


@pytest.mark.parametrize("sizes", [[], [5], [0, 3, 0, 0, 9, 1], [4, 4], [2, 1, 1, 8]])
def test_rechunk_keeps_every_sample(sizes):
    stream = np.arange(sum(sizes))[None]
    pieces = np.split(stream, np.cumsum(sizes)[:-1], axis=1) if sizes else []
    cut = list(rechunk(pieces, 4))
    assert [piece.shape[1] for piece in cut[:-1]] == [4] * (len(cut) - 1)
    np.testing.assert_array_equal(np.concatenate([np.zeros((1, 0)), *cut], axis=1), stream)
