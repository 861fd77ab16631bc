# SPDX-License-Identifier: MIT
"""Files and batches of the library: parts, sums, levels, what is there already, side by side, interruptions."""

import os
import threading

import numpy as np
import pytest
import soundfile
import stemlane
from stemlane.errors import InputError
from stemlane.files import separating
from support.audio_files import RATE, decoded, music, vbr_mp3
from support.tiny_models import build_model

NUM_SAMPLES = 60_000


@pytest.fixture
def song(tmp_path, tiny_models):
    soundfile.write(tmp_path / "song.wav", music(NUM_SAMPLES).T, RATE, subtype="FLOAT")
    return tmp_path / "song.wav"


@pytest.fixture
def songs(tmp_path, tiny_models):
    """A folder of six recordings, one of them damaged, one no audio at all."""
    folder = tmp_path / "in"
    for index in range(4):
        (folder / "deep").mkdir(parents=True, exist_ok=True)
        place = folder / "deep" if index % 2 else folder
        soundfile.write(place / f"{index}.wav", music(20_000 + 5000 * index, seed=index).T, RATE, subtype="FLOAT")
    broken = music(20_000)
    broken[0, 15_000] = np.nan
    soundfile.write(folder / "2nan.wav", broken.T, RATE, subtype="FLOAT")
    (folder / "page.mp3").write_text("<html>", encoding="utf-8")
    return folder


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_stems_of_a_file_add_up(song, tmp_path):
    done = stemlane.separate_file(song, tmp_path / "out")
    assert list(done.outputs) == ["vocals", "drums", "bass", "other"] and done.warnings == [] and not done.problem
    assert done.outputs["vocals"] == tmp_path / "out" / "song" / "vocals.wav"
    assert done.seconds == pytest.approx(NUM_SAMPLES / RATE)
    np.testing.assert_allclose(sum(map(read, done.outputs.values())), music(NUM_SAMPLES), atol=1e-6)


def test_progress_cancels(song, tmp_path):
    class CancelledError(Exception):
        pass

    def stop(*_):
        raise CancelledError

    for cancelled in (
        lambda: stemlane.separate_file(song, tmp_path / "out", progress=stop),
        lambda: stemlane.Separator("live").separate(music(NUM_SAMPLES), RATE, progress=stop),
        lambda: stemlane.render(music(NUM_SAMPLES), RATE, progress=stop),
    ):
        with pytest.raises(CancelledError):
            cancelled()
    assert contents(tmp_path / "out") == {}
    assert not any(thread.name == "stemlane-ahead" for thread in threading.enumerate())


@pytest.mark.parametrize("stem, rest", [("vocals", "instrumental"), ("drums", "no_drums"), ("other", "no_other")])
def test_two_stems(song, tmp_path, stem, rest):
    outputs = stemlane.separate_file(song, tmp_path / "out", two_stems=stem).outputs
    assert list(outputs) == [stem, rest]
    whole = stemlane.separate_file(song, tmp_path / "all").outputs
    np.testing.assert_array_equal(read(outputs[stem]), read(whole[stem]))
    np.testing.assert_allclose(read(outputs[rest]), music(NUM_SAMPLES) - read(whole[stem]), atol=1e-6)


@pytest.mark.parametrize("start, duration, part", [
    (0.5, None, slice(22_050, None)),
    (0.25, 0.5, slice(11_025, 33_075)),
    (0, 0.1, slice(0, 4410)),
    (1.0, 99, slice(44_100, None)),
])  # fmt: skip
def test_parts_are_exact_to_the_sample(song, tmp_path, start, duration, part):
    outputs = stemlane.separate_file(song, tmp_path, start_seconds=start, duration_seconds=duration).outputs
    np.testing.assert_allclose(sum(map(read, outputs.values())), music(NUM_SAMPLES)[:, part], atol=1e-6)


def test_parts_of_an_mp3_of_variable_bit_rate(tmp_path, tiny_models):
    path = vbr_mp3(tmp_path / "a.mp3", music(300_000))
    outputs = stemlane.separate_file(path, tmp_path, start_seconds=3, duration_seconds=2).outputs
    expected = decoded(path)[:, 3 * RATE : 5 * RATE]
    np.testing.assert_allclose(sum(map(read, outputs.values())), expected, atol=1e-6)


def test_a_part_behind_the_end(song, tmp_path):
    with pytest.raises(InputError, match="song.wav: has nothing from 5 s on; it is 1.36 s long"):
        stemlane.separate_file(song, tmp_path / "out", start_seconds=5)
    assert not (tmp_path / "out").exists()


def test_levels_above_full_scale(tmp_path, tiny_models):
    loud = 5 * music(NUM_SAMPLES)
    soundfile.write(tmp_path / "loud.wav", loud.T, RATE, subtype="FLOAT")
    stems = {"vocals": loud / 2, "other": loud / 8}  # the tiny model's shares
    peak = np.abs(stems["vocals"]).max()
    options = {"stems": ["vocals", "other"], "file_format": "flac"}
    cut = stemlane.separate_file(tmp_path / "loud.wav", tmp_path / "cut", **options)
    np.testing.assert_allclose(read(cut.outputs["vocals"]), np.clip(stems["vocals"], -1, 1), atol=2**-22)
    assert len(cut.warnings) == 1 and f"vocals.flac: clipped, its peak was {peak:.2f}" in cut.warnings[0]
    softer = stemlane.separate_file(tmp_path / "loud.wav", tmp_path / "softer", clip="rescale", **options)
    factor = (1 - 2**-15) / peak
    for stem, path in softer.outputs.items():  # one factor, so that they still add up
        np.testing.assert_allclose(read(path), stems[stem] * factor, atol=1e-6)
    assert softer.warnings == [
        f"{tmp_path}/loud.wav: its stems are {-20 * np.log10(factor):.2f} dB softer, the peak was {peak:.2f}"
    ]
    clamped = stemlane.separate_file(tmp_path / "loud.wav", tmp_path / "wav", clip="clamp", stems=["vocals"])
    np.testing.assert_allclose(read(clamped.outputs["vocals"]), np.clip(stems["vocals"], -1, 1), atol=1e-6)
    assert [path.name for path in (tmp_path / "softer" / "loud").iterdir() if path.suffix != ".flac"] == []


def test_tags_go_over_to_the_stems(tmp_path, tiny_models):
    with soundfile.SoundFile(tmp_path / "a.flac", "w", RATE, 2) as file:
        file.title, file.artist, file.album = "Größe", "Ähre", "Öl"
        file.write(music(20_000).T)
    for file_format in ("wav", "flac", "mp3", "m4a", "opus", "ogg"):
        path = stemlane.separate_file(tmp_path / "a.flac", tmp_path, file_format=file_format).outputs["vocals"]
        with stemlane.files.reading.AudioInput(path) as file:
            found = [file.tags.get(name) for name in ("title", "artist", "album")]
        assert found == ["Größe (vocals)", "Ähre", "Öl"], file_format


@pytest.mark.parametrize("file_format", ["wav", "flac", "mp3", "m4a", "opus", "ogg"])
def test_what_is_there_is_known_by_what_was_asked_not_by_its_name(song, tmp_path, tiny_models, file_format):
    out = tmp_path / "out"

    def again(**options):
        request = {"file_format": file_format, "stems": ["vocals", "bass"], "skip_existing": True, "overwrite": True}
        return stemlane.separate_file(song, out, **request | options).skipped

    assert not again() and again() and again(stems=["bass", "vocals"])
    for options in ({"model": "live"}, {"duration_seconds": 0.5}, {"clip": "clamp"}, {"start_seconds": 0.1}):
        assert not again(**options), options
        assert not again(), options  # what is there now is something else
    assert again()
    (out / "song" / f"bass.{file_format}").write_bytes(b"")
    assert not again() and again()
    soundfile.write(song, music(NUM_SAMPLES, seed=5).T, RATE, subtype="FLOAT")
    assert not again() and again()
    assert not again(skip_existing=False)


def test_one_recording_that_fails_leaves_the_others_alone(songs, tmp_path):
    seen = []
    outcomes = stemlane.separate_many([songs], tmp_path / "out", stems=["vocals"], report=seen.append)
    assert [outcome.path.name for outcome in outcomes] == ["0.wav", "2.wav", "2nan.wav", "page.mp3", "1.wav", "3.wav"]
    assert seen == outcomes
    assert [bool(outcome.problem) for outcome in outcomes] == [False, False, True, True, False, False]
    assert all(path.is_file() for outcome in outcomes for path in outcome.outputs.values())
    assert [len(outcome.outputs) for outcome in outcomes] == [1, 1, 0, 0, 1, 1]
    assert "sample 15000 of channel 0 is nan" in outcomes[2].problem and "cannot be read" in outcomes[3].problem
    expected = ["0/vocals.wav", "2/vocals.wav", "deep/1/vocals.wav", "deep/3/vocals.wav"]
    assert list(contents(tmp_path / "out")) == expected


@pytest.mark.parametrize("jobs", [2, 3, 8])
def test_side_by_side_is_the_same(songs, tmp_path, jobs):
    one = stemlane.separate_many([songs], tmp_path / "one")
    many = stemlane.separate_many([songs], tmp_path / "many", jobs=jobs)
    assert list(contents(tmp_path / "one")) == list(contents(tmp_path / "many"))
    for path in contents(tmp_path / "one"):  # samples: libsndfile writes the time into its header
        np.testing.assert_array_equal(read(tmp_path / "one" / path), read(tmp_path / "many" / path))
    assert [outcome.problem for outcome in one] == [outcome.problem for outcome in many]


def test_networks_are_loaded_once_for_each_job(songs, tmp_path, monkeypatch):
    from stemlane.engine import separator as separator_module

    loads = []
    original = separator_module.StreamingSeparator
    monkeypatch.setattr(
        separator_module, "StreamingSeparator", lambda *args, **rest: loads.append(args) or original(*args, **rest)
    )
    with stemlane.Separator("mix") as separator:
        for _ in range(3):
            stemlane.separate_many([songs], tmp_path / "out", model=separator, jobs=4)
        assert 1 <= len(loads) <= 4
        assert repr(separator) == "Separator('mix') of vocals, drums, bass, other at 44100 Hz"
    assert separator._idle == []


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_interruption_leaves_whole_recordings_only(songs, tmp_path, jobs):
    def interrupt(outcome):
        if not outcome.problem:  # side by side, the damaged recording may be the first to end
            raise KeyboardInterrupt

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        stemlane.separate_many([songs], tmp_path / "out", jobs=jobs, report=interrupt)
    names = ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]
    folders = [path for path in (tmp_path / "out").rglob("*") if path.is_dir() and path.name != "deep"]
    assert folders and all(sorted(os.listdir(folder)) == names for folder in folders)
    assert set(threading.enumerate()) <= before
    done = stemlane.separate_many([songs], tmp_path / "out", skip_existing=True)
    assert sum(outcome.skipped for outcome in done) == len(folders)


def test_what_breaks_a_library_breaks_one_recording(songs, tmp_path, monkeypatch):
    original = separating.separate_recording

    def fails(recording, *arguments, **options):
        if recording.path.name in ("1.wav", "2.wav"):
            raise (ZeroDivisionError("x") if recording.path.name == "1.wav" else MemoryError)
        return original(recording, *arguments, **options)

    monkeypatch.setattr(separating, "separate_recording", fails)
    problems = {done.path.name: done.problem for done in stemlane.separate_many([songs], tmp_path / "out")}
    assert problems["1.wav"].endswith("1.wav: unexpected: ZeroDivisionError: x")
    assert problems["2.wav"].endswith(
        "2.wav: there is not enough memory: close other programs, or choose a smaller model"
    )
    assert not problems["0.wav"] and not problems["3.wav"]


@pytest.mark.parametrize("options, words", [
    ({"stems": ["vocals"], "two_stems": "vocals"}, "stems and two stems were both asked for"),
    ({"stems": "vocals"}, "stems is 'vocals', should be a list of names"),
    ({"stems": ["piano"]}, "model 'mix' has no stem 'piano', it has: vocals, drums, bass, other"),
    ({"two_stems": "piano"}, "; 'stemlane models list --available' says what other models have"),
    ({"stems": ["vocal"]}, "no stem 'vocal', did you mean 'vocals'? It has: vocals, drums, bass, other"),
    ({"name": "{track}.{ext}"}, "4 stems would go to one file"),
    ({"start_seconds": -1}, "start is -1, should be seconds from 0 on"),
    ({"start_seconds": float("nan")}, "start is nan"),
    ({"duration_seconds": 0}, "duration is 0, should be seconds above 0"),
    ({"clip": "loud"}, "clip is 'loud', should be one of: report, rescale, clamp"),
    ({"jobs": 0}, "0 jobs, should be from 1 to 32"),
])  # fmt: skip
def test_requests_that_cannot_be(song, tmp_path, options, words):
    with pytest.raises(InputError) as caught:
        stemlane.separate_many([song], tmp_path / "out", **options)
    assert words in str(caught.value) and not (tmp_path / "out").exists()


def test_templates_may_mix_recordings_in_folders(songs, tmp_path):
    stemlane.separate_many([songs], tmp_path / "out", name="{stem}/{track}.{ext}", stems=["bass", "drums"], jobs=3)
    names = [f"{stem}/{track}.wav" for stem in ("bass", "drums") for track in ("0", "2", "deep/1", "deep/3")]
    assert list(contents(tmp_path / "out")) == names


def test_a_model_of_two_stems_and_its_own_names(tmp_path, song):
    from support.tiny_spleeter import build_spleeter

    model = build_spleeter(tmp_path / "models", stems=("vocals", "other"))
    assert list(stemlane.separate_file(song, tmp_path / "a", model=model).outputs) == ["vocals", "accompaniment"]
    outputs = stemlane.separate_file(song, tmp_path / "b", model=model, two_stems="accompaniment").outputs
    assert list(outputs) == ["accompaniment", "no_accompaniment"]
    other = build_model(tmp_path / "models", name="mine", stems=("vocals", "other"), masks=(0.5,))
    assert list(stemlane.separate_file(song, tmp_path / "c", model=other).outputs) == ["vocals", "other"]
