# SPDX-License-Identifier: MIT
"""Stems of another recording, or of another part of the same one, are not replaced unless that is asked for."""

import contextlib
import json
import shlex
import shutil
import threading
from pathlib import Path

import fsspec
import numpy as np
import pytest
import soundfile
import stemlane
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.files import cluster, reading, separating
from stemlane.files.addresses import Address
from stemlane.files.marks import Mark
from stemlane.files.names import Recording, output_path
from stemlane.files.request import Request
from stemlane.files.search import find_recordings
from support.command_line import RATE, noise, write
from support.tiny_models import build_model


@pytest.fixture
def two(tmp_path, tiny_models):
    """Two recordings of one name, in two folders."""
    for name, seed in (("first", 1), ("second", 2)):
        samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, RATE)).astype(np.float32)
        write(tmp_path / name / "song.wav", samples)
    return tmp_path / "first" / "song.wav", tmp_path / "second" / "song.wav"


def vocals(folder):
    return soundfile.read(folder / "song" / "vocals.wav", dtype="float32")[0].T


def half(path):
    """The tiny model's vocals."""
    return soundfile.read(path, dtype="float32")[0].T / 2


@pytest.mark.parametrize("option", [[], ["--skip-existing"]])
def test_a_song_of_the_same_name_keeps_its_stems(two, tmp_path, capsys, option):
    out = tmp_path / "out"
    assert main(["separate", str(two[0]), "-o", str(out)]) == 0
    before = {path: path.read_bytes() for path in (out / "song").iterdir()}
    capsys.readouterr()
    assert main(["separate", str(two[1]), "-o", str(out), *option]) == 1
    assert capsys.readouterr().err == (
        f"stemlane: {two[1]}: {out}/song/vocals.wav holds a stem of another recording; use another -o or "
        "--name '{parent}/{track}/{stem}.{ext}' to keep both, or --overwrite\n"
    )
    assert {path: path.read_bytes() for path in (out / "song").iterdir()} == before
    # Each remedy works as it is written, and one that was taken is not named again.
    name = ["--name", "{parent}/{track}/{stem}.{ext}"]
    assert main(["separate", str(two[1]), "-o", str(out), *option, *name]) == 0
    np.testing.assert_allclose(vocals(out / "second"), half(two[1]), atol=1e-6)
    shutil.copytree(two[0].parent, tmp_path / "third" / "second")
    capsys.readouterr()
    assert main(["separate", str(tmp_path / "third" / "second" / "song.wav"), "-o", str(out), *option, *name]) == 1
    assert "another recording; use another -o or --name to keep both, or --overwrite\n" in capsys.readouterr().err
    assert main(["separate", str(two[1]), "-o", str(out), *option, "--overwrite"]) == 0
    np.testing.assert_array_equal(vocals(out), vocals(out / "second"))


def test_a_part_keeps_the_whole_and_the_whole_a_part(two, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["separate", str(two[0]), "-o", str(out), "--stems", "vocals"]
    for options, others, words in (
        ([], ["--start", "0.5"], "holds a stem of the whole recording; use another -o or --name to keep both"),
        (
            ["--start", "0.25", "--duration", "0.5", "--overwrite"],
            ["--skip-existing"],
            "another part of it, 0.25 s to 0.75 s",
        ),
        (
            ["--start", "0.5", "--overwrite"],
            ["--start", "0.5", "--duration", "0.1"],
            "another part of it, 0.5 s to its end",
        ),
    ):
        assert main([*command, *options]) == 0
        before = vocals(out)
        capsys.readouterr()
        assert main([*command, *others]) == 1
        assert words in capsys.readouterr().err
        np.testing.assert_array_equal(vocals(out), before)


@pytest.mark.parametrize("file_format", ["wav", "flac", "ogg", "mp3", "m4a", "opus", "stem.mp4"])
def test_parts_that_reach_behind_the_end_are_one(two, tmp_path, file_format):
    """The recording is 1 s long."""
    options = {"file_format": file_format, "start_seconds": 0.25}
    for there, others in (
        (None, {None: True, 0.75: True, 1.25: True, 0.7: False}),
        (0.75, {None: True, 7: True, 0.7: False}),
        (1.25, {None: True, 7: True, 0.7: False}),
        (0.7, {None: False, 0.75: False, 1.25: False, 0.7: True}),
    ):
        for other, may in others.items():
            stemlane.separate_file(two[0], tmp_path, duration_seconds=there, overwrite=True, **options)
            with contextlib.nullcontext() if may else pytest.raises(InputError, match="holds a stem of another part"):
                stemlane.separate_file(two[0], tmp_path, duration_seconds=other, **options)


@pytest.mark.parametrize("ending", ["wav", "mp3"])
@pytest.mark.parametrize("folder", ["disk", "memory://out"])
def test_a_part_that_is_the_whole_is_the_whole(tmp_path, tiny_models, memory, folder, ending):
    """To the sample, also where the length is an estimate: without Xing's header it is 72 samples too short."""
    song, out = tmp_path / f"song.{ending}", str(tmp_path / "out") if folder == "disk" else folder
    loud, soft = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 2, RATE // 2)).astype(np.float32)
    soundfile.write(song, np.concatenate([loud, soft / 100], axis=1).T, RATE)
    if ending == "mp3":
        song.write_bytes(song.read_bytes().replace(b"Info", bytes(4)).replace(b"Xing", bytes(4)))
    with reading.AudioInput(song) as file:
        length = sum(block.shape[1] for block in file)
    options = {"stems": ["vocals"], "skip_existing": True}
    for first, then, is_same in ((length, None, True), (None, length, True), (length + 1, length, True),
                                 (length - 1, None, False), (None, length - 1, False)):  # fmt: skip
        first, then = (samples and samples / RATE for samples in (first, then))
        stemlane.separate_file(
            song, out, duration_seconds=first, **options | {"skip_existing": False, "overwrite": True}
        )
        if is_same:
            done = stemlane.separate_file(song, out, duration_seconds=then, **options)
            assert done.skipped and done.seconds == 0  # nothing is separated
            stemlane.separate_file(song, out, duration_seconds=then, stems=["vocals"])
        else:
            with pytest.raises(InputError, match="holds a stem of (another part of it|the whole recording)"):
                stemlane.separate_file(song, out, duration_seconds=then, **options)


def test_whole_numbers_are_the_same_part(two, tmp_path):
    options = {"skip_existing": True, "stems": ["vocals"]}
    assert not stemlane.separate_file(two[0], tmp_path, start_seconds=0, duration_seconds=1, **options).skipped
    for start, duration in ((0.0, 1.0), (np.float32(0), np.int64(1))):
        assert stemlane.separate_file(
            two[0], tmp_path, start_seconds=start, duration_seconds=duration, **options
        ).skipped


def test_the_same_recording_replaces_its_stems(two, tmp_path):
    """With another model or format, edited in its place, or moved."""
    out = tmp_path / "out"
    stemlane.separate_file(two[0], out)
    stemlane.separate_file(two[0], out, model="live", bits="16", stems=["vocals"])
    shutil.copy(two[0], tmp_path / "song.wav")
    stemlane.separate_file(tmp_path / "song.wav", out)  # a copy elsewhere
    shutil.copy(two[1], tmp_path / "song.wav")
    stemlane.separate_file(tmp_path / "song.wav", out)  # edited
    np.testing.assert_allclose(vocals(out), half(two[1]), atol=1e-6)
    assert stemlane.separate_file(two[1], out, skip_existing=True).skipped  # the same content in a third place


@pytest.mark.parametrize("content", ["audio", "6 channels", "7 kHz", "text"])
def test_what_is_no_stem_is_kept(two, tmp_path, content):
    """Whether it is audio that Stemlane reads or not."""
    place = tmp_path / "out" / "song" / "vocals.wav"
    write(place, noise(1, 100))
    if content == "text":
        place.write_text("notes")
    elif content != "audio":
        channels, rate = (6, RATE) if content == "6 channels" else (2, 7000)
        soundfile.write(place, np.zeros((100, channels)), rate)
    before = place.read_bytes()
    with pytest.raises(
        InputError, match=r"song/vocals.wav already exists and is not a stem of it; use another -o or --name '"
    ):
        stemlane.separate_file(two[0], tmp_path / "out")
    assert place.read_bytes() == before and list(place.parent.iterdir()) == [place]
    stemlane.separate_file(two[0], tmp_path / "out", overwrite=True)
    place.write_bytes(b"")  # nothing is lost
    stemlane.separate_file(two[0], tmp_path / "out", model="live")
    assert len(vocals(tmp_path / "out").T) == RATE


def test_a_stem_that_cannot_be_read_now_is_kept(two, tmp_path, monkeypatch):
    """Such as one on a network that does not answer."""
    stemlane.separate_file(two[0], tmp_path / "out")
    before = vocals(tmp_path / "out")
    opened = reading._opened

    def unreachable(path, shown):
        if path.name == "vocals.wav":
            raise InputError(f"{shown}: cannot be read (Input/output error)")
        return opened(path, shown)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "_opened", unreachable)
        with pytest.raises(InputError, match="already exists and is not a stem of it"):
            stemlane.separate_file(two[1], tmp_path / "out")
    np.testing.assert_array_equal(vocals(tmp_path / "out"), before)


@pytest.mark.parametrize("source", ["song/vocals.wav", "song.stem.mp4"])
def test_a_remix_of_stems_is_no_stem(two, tmp_path, source):
    """It is kept where a stem would go, and a search finds it."""
    out = tmp_path / "out"
    stemlane.separate_file(two[0], out, file_format="stem.mp4" if source.endswith("mp4") else "wav")
    mix = tmp_path / "mixes" / "song" / "vocals.wav"
    mix.parent.mkdir(parents=True)
    assert main(["render", str(out / source), "-o", str(mix), "--gain", "output=-3"]) == 0
    assert [found.path for found in find_recordings([tmp_path / "mixes"])] == [mix]
    with pytest.raises(InputError, match="already exists and is not a stem of it"):
        stemlane.separate_file(two[0], tmp_path / "mixes")


def test_a_worker_of_a_cluster_overwrites_what_it_is_told_to(two, tmp_path, monkeypatch):
    stemlane.separate_file(two[0], tmp_path / "out")
    separator = stemlane.Separator()
    monkeypatch.setattr(cluster, "_separator", lambda job: separator)  # which a real worker keeps
    for overwrite, words in ((False, "another recording"), (True, "")):
        job = cluster.Job.of(separator, tmp_path / "out", Request.of(), skip_existing=False, overwrite=overwrite)
        assert words in cluster.separate_on_worker(job, Recording(two[1], "song")).problem
        assert np.allclose(vocals(tmp_path / "out"), half(two[overwrite]), atol=1e-6)


@pytest.mark.parametrize("given, named", [
    ("{stem}.{ext}", "{track}/{stem}.{ext}"), ("{parent}/{stem}.{ext}", "{track}/{parent}/{stem}.{ext}"),
    ("{filename}/{stem}.{ext}", "{parent}/{filename}/{stem}.{ext}"), ("it's {stem}.{ext}", "{track}/it's {stem}.{ext}"),
])  # fmt: skip
def test_the_name_that_would_keep_both_is_made_of_the_one_given(two, tmp_path, given, named):
    write(
        tmp_path / "out" / output_path(Path(), given, Recording(two[0], "song"), "bass", ext="wav", model="x"),
        noise(1, 100),
    )
    with pytest.raises(InputError) as caught:
        stemlane.separate_file(two[0], tmp_path / "out", name=given)
    remedy = str(caught.value).partition("use another -o or --name ")[2].partition(" to keep both, or --overwrite")[0]
    assert shlex.split(remedy) == [named]  # as a shell takes it
    stemlane.separate_file(two[0], tmp_path / "out", name=named)


def test_a_refusal_is_not_repeated(two, tmp_path, monkeypatch):
    """What may pass is, such as a disk that does not answer."""
    stemlane.separate_file(two[0], tmp_path / "out")
    monkeypatch.setattr("stemlane.files.workers.BACK_OFF_SECONDS", 0.0)
    inputs = [two[1], tmp_path / "absent.wav"]
    stemlane.separate_many(inputs, tmp_path / "out", retries=2, status=tmp_path / "status")
    lines = [json.loads(line) for line in (tmp_path / "status").read_text().splitlines()]
    assert [line["attempt"] for line in lines if line["input"] == str(two[1])] == [1]
    assert [line["attempt"] for line in lines if line["input"] == str(inputs[1])] == [1, 2, 3]


@pytest.mark.parametrize("file_format", ["flac", "ogg", "mp3", "m4a", "opus", "stem.mp4"])
def test_every_format_says_what_it_is_of(two, tmp_path, file_format):
    stemlane.separate_file(two[0], tmp_path, file_format=file_format, start_seconds=0.125)
    with pytest.raises(InputError, match="another recording"):
        stemlane.separate_file(two[1], tmp_path, file_format=file_format, start_seconds=0.125)
    with pytest.raises(InputError, match=r"a stem of another part of it, 0.125 s to its end"):
        stemlane.separate_file(two[0], tmp_path, file_format=file_format)


def test_a_batch_goes_on_past_what_would_be_lost(two, tmp_path):
    stemlane.separate_file(two[0], tmp_path / "out")
    write(two[1].with_name("b.wav"), noise(1, 5000))
    outcomes = stemlane.separate_many([two[1].parent], tmp_path / "out")
    assert [(outcome.path.name, "another recording" in outcome.problem) for outcome in outcomes] == [
        ("b.wav", False), ("song.wav", True),
    ]  # fmt: skip


def test_in_a_store_the_receipt_says_it(two, memory):
    stemlane.separate_file(two[0], "memory://out")
    before = memory.cat_file("/out/song/vocals.wav")
    for options in ({}, {"stems": ["vocals"]}, {"two_stems": "vocals"}):  # each has a receipt of another name
        with pytest.raises(InputError, match="memory://out/song/.*.wav holds a stem of another recording"):
            stemlane.separate_file(two[1], "memory://out", **options)
        with pytest.raises(InputError, match="memory://out/song/.*.wav holds a stem of the whole recording"):
            stemlane.separate_file(two[0], "memory://out", start_seconds=0.5, **options)
    assert memory.cat_file("/out/song/vocals.wav") == before
    stemlane.separate_file(two[1], "memory://out", overwrite=True)
    assert memory.cat_file("/out/song/vocals.wav") != before


@pytest.mark.parametrize("name", ["{track}/{stem}.{ext}", "{stem}/{track}.{ext}"])
def test_in_a_store_a_model_with_other_stems_says_it_too(two, memory, tmp_path, name):
    """It writes vocals and guitar, this one no guitar."""
    model = build_model(tmp_path, name="two", masks=(0.5,), stems=("vocals", "guitar"), residual="guitar")
    stemlane.separate_file(two[0], "memory://out", model=model, name=name)
    vocals = name.format(track="song", stem="vocals", ext="wav")
    with pytest.raises(InputError, match=f"memory://out/{vocals} holds a stem of another recording"):
        stemlane.separate_file(two[1], "memory://out", name=name)
    memory.rm_file(f"/out/{vocals}")  # its receipt keeps no other
    stemlane.separate_file(two[1], "memory://out", name=name)


@pytest.mark.parametrize("folder", ["disk", "memory://out"])
def test_stems_that_appear_meanwhile_are_kept(two, memory, tmp_path, folder):
    """Those of a run that began later and ended sooner."""
    out = str(tmp_path / "out") if folder == "disk" else folder
    store, path = fsspec.core.url_to_fs(f"{out}/song/vocals.wav")
    faster = iter([two[1]])

    def progress(num_samples, total):
        for path in faster:
            stemlane.separate_file(path, out)

    with pytest.raises(InputError, match=r"song/vocals\.wav holds a stem of another recording"):
        stemlane.separate_file(two[0], out, progress=progress)
    with store.open(path) as file:
        np.testing.assert_allclose(soundfile.read(file, dtype="float32")[0].T, half(two[1]), atol=1e-6)


def test_of_two_at_once_in_one_folder_one_is_kept(two, tmp_path, monkeypatch):
    """Whose places differ by a link, so that the batch takes them for two."""
    out = tmp_path / "out"
    (out / "second").mkdir(parents=True)
    (out / "first").symlink_to("second")
    both, checked = threading.Barrier(2), set()
    original = separating.check_nothing_is_lost

    def check(recording, *arguments):
        original(recording, *arguments)
        if recording not in checked:
            checked.add(recording)
            both.wait(60)  # both have found nothing in their way

    monkeypatch.setattr(separating, "check_nothing_is_lost", check)
    outcomes = stemlane.separate_many([tmp_path], out, jobs=2)
    failed, done = sorted(outcomes, key=lambda outcome: not outcome.problem)
    assert "holds a stem of another recording" in failed.problem and not done.problem
    np.testing.assert_allclose(vocals(out / "second"), half(done.path), atol=1e-6)


def test_marks_read_what_they_write():
    for end in (None, 2.5, 1e16):
        mark = Mark("0" * 24, "a" * 16, "b" * 16, 1e-05, end)
        assert Mark.read(str(mark)) == mark
    for text in ("", "stemlane " + "0" * 24, f"{mark} ", f"{mark}"[1:]):
        assert Mark.read(text) is None


@pytest.mark.parametrize("path, parent", [
    (Path("a/b/song.wav"), "b"), (Path("/song.wav"), "_"), (Path("a/../song.wav"), None),
    (Address("s3://bucket/song.wav"), "bucket"), (Address("memory://song.wav"), "memory"),
])  # fmt: skip
def test_the_folder_of_a_recording_is_always_a_name(path, parent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = output_path(tmp_path, "{parent}/{stem}", Recording(path, "song"), "x", ext="wav", model="mix")
    assert found == tmp_path / (parent or tmp_path.name) / "x"
