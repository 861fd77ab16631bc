# SPDX-License-Identifier: MIT
"""Stem files read: evaluated, mixed, separated again; others' names understood, damage refused."""

import json

import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.evaluation.songs import find_songs, song_seconds
from stemlane.files.library import separate_file
from stemlane.files.rendering import render_file
from stemlane.files.stem_files import STEMS, stream_names, streams_by_stem
from support.audio_files import RATE
from support.stem_files import five, renamed, samples_of, stem_file
from support.tiny_models import build_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("models"))


def test_evaluate_reads_the_same_as_from_a_folder(tmp_path, tiny_models, capsys):
    samples = five(3 * RATE)
    song = tmp_path / "a" / "song.stem.mp4"
    song.parent.mkdir()
    stem_file(song, samples)
    folder = tmp_path / "b" / "song"
    folder.mkdir(parents=True)
    for name, stem in zip(STEMS, samples[1:], strict=True):
        soundfile.write(folder / f"{name}.flac", stem.T, RATE, subtype="PCM_24")
    tables = []
    for place in (tmp_path / "a", tmp_path / "b"):
        assert main(["evaluate", str(place), "--model", "mix", "--json"]) == 0
        (table,) = json.loads(capsys.readouterr().out)
        tables.append(table["rows"]["mixture"])
    assert tables[0] == tables[1]
    assert song_seconds(find_songs(song)[0]) == 3


def test_names_of_others_are_understood(tmp_path):
    path = stem_file(tmp_path / "a.stem.mp4", five(5000))
    for names, found in (
        (["Drums", "Bass", "Synths", "Vox"], {"drums": 1, "bass": 2, "other": 3, "vocals": 4}),
        (["vocals", "INSTRUMENTS", "bass", "Percussion"], {"vocals": 1, "other": 2, "bass": 3, "drums": 4}),
    ):
        assert streams_by_stem(renamed(path, names)) == found
    odd = renamed(path, ["Kick", "Bass", "Pad\x1b[2J", "Vox"])
    with pytest.raises(
        InputError, match="its stems are Kick, Bass, Pad.*, Vox; they should be drums, bass, other, vocals"
    ):
        find_songs(odd)


def test_render_mixes_the_stems_of_the_file(tmp_path, tiny_models, capsys):
    samples = five(20_000)
    path = stem_file(tmp_path / "a.stem.mp4", samples)
    out = tmp_path / "out.wav"
    assert main(["render", str(path), "-o", str(out), "--gain", "vocals=-inf", "--gain", "drums=-6"]) == 0
    wanted = 10 ** (-6 / 20) * samples[1] + samples[2] + samples[3]
    np.testing.assert_allclose(samples_of(out), wanted, atol=1e-6)  # sums of float32
    automation = tmp_path / "a.json"
    automation.write_text(json.dumps([{"time": 0, "stem": "bass", "gain_db": 0, "shape": "stepped"},
                                      {"time": 10_000 / RATE, "stem": "bass", "gain_db": -60}]))  # fmt: skip
    assert main(["render", str(path), "-o", str(out), "--automation", str(automation)]) == 0
    found, step = samples_of(out), 10_000 // 512 * 512
    np.testing.assert_allclose(found[:, :step], samples[1:].sum(axis=0)[:, :step], atol=1e-6)
    np.testing.assert_allclose(found[:, step + 512 :], samples[[1, 3, 4]].sum(axis=0)[:, step + 512 :], atol=1e-6)
    assert main(["render", str(path), "-o", str(out), "--gain", "piano=-3"]) == 1
    assert "the stem file has no stem 'piano', it has: drums, bass, other, vocals; or output" in capsys.readouterr().err
    # With a model, it is the mixture that is separated.
    assert main(["render", str(path), "-o", str(out), "--model", "live", "--gain", "vocals=0"]) == 0
    np.testing.assert_allclose(samples_of(out), samples[0], atol=1e-6)


def test_a_focus_that_would_change_the_stems_of_a_file_is_refused(tmp_path):
    path, out = stem_file(tmp_path / "a.stem.mp4", five(20_000)), tmp_path / "mix.wav"
    for focus in (None, {}, {"vocals": 50}, {"vocals": "50 %", "drums": 50.0}):
        out.unlink(missing_ok=True)
        render_file(path, out, focus=focus)
        assert out.exists()
    for focus, words in [
        ({"vocals": 0}, "has its own stems, which no focus changes; leave it out, or name a model"),
        ({"vocals": 50, "bass": "0"}, "has its own stems, which no focus changes"),
        ({"piano": 50}, "focus names 'piano', but .*a.stem.mp4 has: drums, bass, other, vocals"),
        ({"vocals": 101}, "focus of vocals is 101, should be a number from 0 to 100"),
        (0, "focus is 0, should be a dictionary"),
        (False, "focus is False, should be a dictionary"),
    ]:
        with pytest.raises(InputError, match=words):
            render_file(path, out, focus=focus)


def test_separate_reads_the_mixture(tmp_path, model):
    samples = five(9000)
    path = stem_file(tmp_path / "a.stem.mp4", samples)
    outputs = separate_file(path, tmp_path / "out", model=model).outputs
    np.testing.assert_allclose(sum(samples_of(stem) for stem in outputs.values()), samples[0], atol=1e-6)


def test_files_that_are_none(tmp_path):
    path = stem_file(tmp_path / "a.stem.mp4", five(5000))
    data = path.read_bytes()
    at = data.rindex(b"stem", 0, data.rindex(b'"version"'))
    broken = tmp_path / "broken.stem.mp4"
    for changed, words in (
        (data.replace(data[at : at + 4], b"none"), "it names no stems"),
        (data.replace(b'"version"', b'"version"}'), "what names its stems is damaged"),
        (data.replace(b'"stems": [', b'"stemz": ['), "it should name 4 stems"),
        (data.replace(b'"name": "Bass"', b'"name": 12    '), "it should name 4 stems"),
        (data[: len(data) // 2], "it names no stems"),
        (b"", "it names no stems"),
    ):
        broken.write_bytes(changed)
        with pytest.raises(InputError) as caught:
            find_songs(broken)
        assert words in str(caught.value)
    with pytest.raises(InputError, match="cannot be read .No such file"):
        stream_names(tmp_path / "missing.stem.mp4")


@pytest.mark.parametrize("seed", range(30))
def test_damaged_boxes_are_walked_through_in_bounds(tmp_path, seed):
    random = np.random.default_rng(seed)
    path = stem_file(tmp_path / "a.stem.mp4", five(3000))
    data = bytearray(path.read_bytes())
    moov = data.rindex(b"moov") - 4
    for position in random.integers(moov, len(data), 5):
        data[position] = random.integers(256)
    path.write_bytes(data)
    try:
        find_songs(path)
    except InputError as error:
        assert "\n" not in str(error)
