# SPDX-License-Identifier: MIT
"""Evaluation: SDR against closed forms, the two bounds, and what counts as a song."""

import json
import re

import numpy as np
import pytest
import soundfile
from stemlane.audio_checks import rechunk
from stemlane.engine.separator import Separator
from stemlane.errors import InputError, ModelError
from stemlane.evaluation import comparison, scores, songs, tables
from support.tiny_models import build_model

RATE = 8000


def song_folder(folder, stems, rate=RATE):
    folder.mkdir(parents=True)
    for name, samples in stems.items():
        soundfile.write(folder / f"{name}.wav", samples.T, rate, subtype="FLOAT")
    return folder


def noise(seed, seconds=3.5, level=0.1):
    return (np.random.default_rng(seed).standard_normal((2, int(seconds * RATE))) * level).astype(np.float32)


def frames(stems):
    return rechunk([stems], RATE)


def test_sdr_of_a_scaled_stem_is_known():
    truth = np.stack([noise(1), noise(2)])
    first, second = scores.measure(frames(truth), frames(truth * np.array([0.9, 1.5])[:, None, None]))
    # s - 0.9 s = 0.1 s: 20 dB; s - 1.5 s: 6.02 dB
    assert first.sdr_db == pytest.approx(20, abs=1e-4) and first.median_sdr_db == pytest.approx(20, abs=1e-4)
    assert second.sdr_db == pytest.approx(20 * np.log10(2), abs=1e-4)


def test_median_is_over_sounding_seconds_and_the_sum_over_all():
    truth = np.stack([noise(1, 5), noise(2, 5)])
    truth[0, :, RATE : 2 * RATE] = 0  # a silent second, with an estimate in it
    error = np.full(truth.shape, 0.1)
    error[:, :, 4 * RATE :] = 0.5
    estimate = truth * (1 - error)
    estimate[0, :, RATE : 2 * RATE] = 0.01
    result = scores.measure(frames(truth), frames(estimate))[0]
    assert result.median_sdr_db == pytest.approx(20, abs=1e-4)  # of 20, 20, 20 and 6
    squares = truth[0].astype(float) ** 2
    expected = 10 * np.log10(squares.sum() / ((truth[0] - estimate[0]).astype(float) ** 2).sum())
    assert result.sdr_db == pytest.approx(expected, abs=1e-4)


def test_silent_stems_have_no_sdr_but_a_leak():
    truth = np.stack([noise(1), np.zeros_like(noise(1))])
    estimate = np.stack([truth[0], 0.01 * truth[0]])
    sounding, silent = scores.measure(frames(truth), frames(estimate))
    assert sounding.sdr_db == 200 and sounding.leak_db is None  # exact
    assert silent.sdr_db is None and silent.median_sdr_db is None
    assert silent.leak_db == pytest.approx(-40, abs=1e-4)


def test_ideal_mask_separates_what_does_not_overlap():
    time = np.arange(int(2.7 * RATE)) / RATE
    low, high = (np.stack([np.sin(2 * np.pi * f * time)] * 2) for f in (440, 2500))
    truth = np.stack([low, high]).astype(np.float32)
    pieces = list(scores.ideal_ratio_mask(rechunk([truth], 1000)))
    estimate = np.concatenate(pieces, axis=2)
    assert estimate.shape == truth.shape
    inner = slice(2048, -2048)  # the edges are clicks, which overlap in frequency
    np.testing.assert_allclose(estimate[..., inner], truth[..., inner], atol=1e-4)  # Hann side lobes, -80 dB
    np.testing.assert_allclose(estimate.sum(axis=0), truth.sum(axis=0), atol=1e-6)  # masks sum to one; float32


def test_score():
    assert scores.score(5.0, -3.0, 10.0) == 0.5  # silence is the base
    assert scores.score(4.0, 4.0, 12.0) == 0.0
    assert scores.score(12.0, 4.0, 12.0) == 1.0
    assert scores.score(5.5, 4.0, 7.0) == 0.5
    assert scores.score(5.5, 4.0, 6.99) is None and scores.score(1.5, -3.0, 2.99) is None


def test_a_stem_that_the_ideal_mask_hardly_helps_has_no_score(tmp_path):
    """The mixture is the voice but for 40 dB: what the tiny model makes of it would have a score of -2700."""
    song_folder(tmp_path / "song", {"vocals": noise(1), "drums": noise(2, level=0.001)})
    [table] = comparison.run(tmp_path / "song", [str(build_model(tmp_path / "models", sample_rate=RATE))])
    rows, name = table["rows"], "tiny"
    base, ideal, result = (rows[row]["results"][0].sdr_db for row in ("mixture", "ideal mask", name))
    assert 0.01 < ideal - base < 0.02 and (result - base) / (ideal - base) < -2000
    assert rows[name]["scores"][0] is None and rows[name]["mean_score"] == rows[name]["scores"][1]
    text = tables.as_text([table])
    assert f"{result:.2f} ({rows[name]['results'][0].median_sdr_db:.1f})  " in text
    assert "1 = the ideal mask; none where that is less than 3 dB better." in text


def test_songs_are_folders_with_stems(tmp_path):
    one = song_folder(tmp_path / "b" / "one", {"vocals": noise(1), "other": noise(2)})
    two = song_folder(tmp_path / "a", {"drums": noise(1), "bass": noise(2), "noise": noise(3)})
    song_folder(tmp_path / "c", {"vocals": noise(1)})
    found = songs.find_songs(tmp_path)
    assert [song.folder for song in found] == [two, one]
    assert set(found[0].files) == {"drums", "bass"}
    assert [song.folder for song in songs.find_songs(one)] == [one]
    soundfile.write(one / "vocals.flac", noise(1).T, RATE)
    with pytest.raises(InputError, match="two files for 'vocals'"):
        songs.find_songs(tmp_path)
    for folder, words in ((tmp_path / "c", "holds no song"), (tmp_path / "none", "no such folder")):
        with pytest.raises(InputError, match=words):
            songs.find_songs(folder)


def test_songs_are_called_by_their_place(tmp_path, monkeypatch):
    """Two may have one name, and the folder that was named may have none."""
    model = build_model(tmp_path / "models", name="m")
    for album in ("one", "two"):
        song_folder(tmp_path / "songs" / album / "intro", {"vocals": noise(1), "other": noise(2)})
    monkeypatch.chdir(tmp_path / "songs" / "two" / "intro")
    both = ["one/intro", "two/intro"]
    for folder, names in ((tmp_path / "songs", both), (".", ["intro"]), ("../..", both)):
        assert [table["song"] for table in comparison.run(folder, [str(model)])] == names


def test_truth_the_model_does_not_know_is_residual(tmp_path):
    stems = {name: noise(seed, 2.5) for seed, name in enumerate(("vocals", "piano", "guitar"))}
    stems["guitar"] = stems["guitar"][:, :5000]  # shorter files end early
    song = songs.find_songs(song_folder(tmp_path / "song", stems))[0]
    rate, num_channels, blocks = songs.read_truth(song, ("vocals", "other"), "other")
    truth = np.concatenate(list(blocks), axis=2)
    assert (rate, num_channels, truth.shape) == (RATE, 2, (2, 2, 20000))
    np.testing.assert_array_equal(truth[0], stems["vocals"])
    expected = stems["piano"].copy()
    expected[:, :5000] += stems["guitar"]
    np.testing.assert_array_equal(truth[1], expected)


def test_files_that_differ_in_rate_are_refused(tmp_path):
    folder = song_folder(tmp_path / "song", {"vocals": noise(1)})
    soundfile.write(folder / "other.wav", noise(2).T, 2 * RATE)
    with pytest.raises(InputError, match="differ in rate or channels"):
        songs.read_truth(songs.find_songs(folder)[0], ("vocals", "other"), "other")


def test_tables(tmp_path):
    voice = noise(1)
    stems = {"vocals": voice, "drums": noise(2, level=0.05), "other": noise(3, level=0.02)}
    song_folder(tmp_path / "song", stems)
    models = [build_model(tmp_path / "models", name=name, sample_rate=RATE) for name in ("mix", "live")]
    table = comparison.run(tmp_path, [str(model) for model in models])[0]
    assert (table["song"], table["seconds"]) == ("song", pytest.approx(3.5))
    assert list(table["rows"]) == ["mixture", "ideal mask", "mix", "live"]
    # The tiny model gives half the mixture as vocals: the error is half the voice less half of the rest.
    rest = stems["drums"] + stems["other"]
    expected = 10 * np.log10((voice**2).sum() / ((0.5 * voice - 0.5 * rest) ** 2).sum())
    for model in ("mix", "live"):
        assert table["rows"][model]["results"][0].sdr_db == pytest.approx(expected, abs=1e-3)
    assert table["rows"]["mix"]["scores"][2] is None and table["rows"]["mix"]["results"][2].sdr_db is None
    text = tables.as_text([table])
    assert "leak" in text and "ideal mask" in text
    json.dumps([table], default=vars)


def test_columns_stay_apart_whatever_is_in_them():
    result = scores.StemResult(sdr_db=-123.456, median_sdr_db=-123.4, leak_db=None)
    name = "a-model-with-a-long-name"
    row = {"results": [result] * 2, "scores": [-1234.56, None], "mean_score": None}
    stems = ["lead-vocals-and-all-their-echoes", "other"]
    lines = tables.as_text([{"song": "s", "seconds": 1.0, "stems": stems, "rows": {name: row}}]).splitlines()
    assert lines[1].split("  ")[-1] == "mean" and re.split(r" {2,}", lines[1].strip()) == [*stems, "mean"]
    assert re.split(r" {2,}", lines[2]) == [name, "-123.46 (-123.4) -1234.56", "-123.46 (-123.4)", "-123.46"]
    assert len(lines[1]) == len(lines[2])


def ideally_masked(truth):
    """The stems' shares of the energies, on the mixture's frames of 2048 samples, all frames of a song added up."""
    window = np.hanning(2049)[:-1]
    truth = np.pad(truth.astype(np.float64), ((0, 0), (0, 0), (2048, 4096)))
    found, weight = np.zeros_like(truth), np.zeros(truth.shape[2])
    for start in range(0, truth.shape[2] - 2047, 512):
        spectra = np.fft.rfft(truth[:, :, start : start + 2048] * window)
        energies = np.abs(spectra) ** 2
        masked = energies / np.maximum(energies.sum(axis=0), 1e-20) * spectra.sum(axis=0)
        found[:, :, start : start + 2048] += window * np.fft.irfft(masked)
        weight[start : start + 2048] += window**2
    return found[:, :, 2048:-4096] / weight[2048:-4096]


def test_bounds_of_real_music(shared_audio, tiny_models, tmp_path):
    """Of 15 s in which the bass ends and the voice begins, against their definitions."""
    [song] = songs.find_songs(shared_audio / "songs" / "validation")
    stems = {name: soundfile.read(path, 15 * 44100, 35 * 44100)[0].T for name, path in song.files.items()}
    folder = song_folder(tmp_path / "song", stems, 44100)
    found = comparison.evaluate_song(songs.find_songs(folder)[0], [Separator("mix")])
    truth = np.stack([stems[name] for name in found["stems"]])
    mixture = np.broadcast_to(truth.sum(axis=0), truth.shape)
    for row, estimate in (("mixture", mixture), ("ideal mask", ideally_masked(truth))):
        signal, error = (np.square(values).sum(axis=(1, 2)) for values in (truth, truth - estimate))
        expected = 10 * np.log10(signal / error)
        results = found["rows"][row]["results"]
        np.testing.assert_allclose([result.sdr_db for result in results], expected, atol=1e-3)  # the mask is float32


@pytest.mark.parametrize("others", [{}, {"drums": 0 * noise(2)}], ids=["alone", "all others silent"])
def test_a_stem_that_is_the_whole_mixture_has_no_score(tmp_path, others):
    song_folder(tmp_path / "song", {"vocals": noise(1), "bass": 0 * noise(3), **others})
    model = build_model(tmp_path / "models", sample_rate=RATE)
    [table] = comparison.run(tmp_path / "song", [str(model)])
    row = table["rows"]["tiny"]
    assert row["scores"] == [None] * 4 and row["mean_score"] is None
    # Half of it is found: the error is the other half.
    assert row["results"][0].sdr_db == pytest.approx(20 * np.log10(2), abs=1e-2)
    assert "6.02" in tables.as_text([table])


def test_true_stems_that_are_cut_off_are_said_once(tmp_path, tiny_models):
    folder = song_folder(tmp_path / "song", {"vocals": noise(1), "drums": noise(2)})
    (folder / "drums.wav").write_bytes((folder / "drums.wav").read_bytes()[:-1000])
    said = []
    comparison.run(folder, ["mix"], warn=said.append)
    assert len(said) == 1 and said[0].startswith(f"{folder}/drums.wav: is cut off, 1000 of ")


def test_groups_by_stems(tmp_path, tiny_models):
    song_folder(tmp_path / "song", {"vocals": noise(1), "drums": noise(2)})
    two_stems = build_model(tmp_path / "models", name="two", stems=("vocals", "other"), masks=(0.5,))
    tables = comparison.run(tmp_path / "song", ["mix", str(two_stems)])
    assert [table["stems"] for table in tables] == [["vocals", "drums", "bass", "other"], ["vocals", "other"]]


def test_windows_are_compared_with_the_model_itself(tmp_path, monkeypatch):
    stems = {"vocals": noise(1), "drums": noise(2), "other": noise(3)}
    song_folder(tmp_path / "song", stems)
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path / "models"))
    build_model(tmp_path / "models", name="m", sample_rate=RATE, stems=("vocals", "other"), masks=(0.5,))
    build_model(tmp_path / "models", name="m-1.5s", sample_rate=RATE, stems=("vocals", "other"), masks=(0.45,))
    [table] = comparison.run(tmp_path, ["m"], [1.5])
    row = table["rows"]["m-1.5s"]
    assert row["against"] == "m" and "against" not in table["rows"]["m"]
    # 0.45 of the mixture against 0.5 of it: an error of a tenth. The rest is 0.55 against 0.5.
    for result in row["window_results"]:
        assert result.sdr_db == pytest.approx(20, abs=1e-3)
    assert all(table["rows"][name]["processor_seconds"] > 0 for name in ("m", "m-1.5s"))
    text = tables.as_text([table])
    assert "m-1.5s: against the stems of m vocals 20.00 dB, other 20.00 dB" in text
    assert "s of one core for a second of music" in text
    json.dumps([table], default=vars)
    with pytest.raises(ModelError, match="no model called 'm-3s'"):
        comparison.run(tmp_path, ["m"], [3.0])
    with pytest.raises(InputError, match="--window needs --model"):
        comparison.run(tmp_path, None, [3.0])
