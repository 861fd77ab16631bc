# SPDX-License-Identifier: MIT
"""Which recordings are meant, and where their stems go: never outside the folder, never two to one place."""

from pathlib import Path

import pytest
from stemlane.errors import InputError
from stemlane.files.names import Recording, check_distinct, check_template, output_path
from stemlane.files.search import find_recordings


@pytest.fixture
def music(tmp_path, monkeypatch):
    """A folder with recordings, and things that are none."""
    names = (
        "b.wav",
        "a.MP3",
        "sub/c.flac",
        "sub/deep/d.m4a",
        "out/b/vocals.wav",
        ".hidden/e.wav",
        "sub/.f.wav",
        "t.txt",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*inputs, **options):
    return [(str(recording.path), recording.track) for recording in find_recordings(inputs, **options)]


def test_folders_are_searched_to_the_bottom_and_results_left_out(music):
    expected = [("a.MP3", "a"), ("b.wav", "b"), ("sub/c.flac", "sub/c"), ("sub/deep/d.m4a", "sub/deep/d")]
    assert found(".", leave_out=music / "out") == expected
    assert found("sub") == [("sub/c.flac", "c"), ("sub/deep/d.m4a", "deep/d")]
    assert ("out/b/vocals.wav", "out/b/vocals") in found(".")


def test_patterns_files_and_the_same_file_twice(music):
    assert found("*.wav", "b.wav", music / "b.wav") == [("b.wav", "b")]
    assert found("**/*.*", leave_out=Path("out"))[:2] == [("a.MP3", "a"), ("b.wav", "b")]
    assert found("absent.wav") == [("absent.wav", "absent")]  # is missed when its turn comes
    assert found("t.txt") == [("t.txt", "t")]  # who names a file means it
    (music / "[1].wav").touch()
    assert found("[1].wav") == [("[1].wav", "[1]")]  # a file of that name, no pattern


@pytest.mark.parametrize("entry", ["*.ogg", "empty"])
def test_folders_and_patterns_without_recordings(music, entry):
    (music / "empty").mkdir()
    with pytest.raises(InputError, match="no audio file is there; it should end in one of: .aac "):
        find_recordings([entry])


@pytest.mark.parametrize("template, path", [
    ("{track}/{stem}.{ext}", "deep/song/vocals.flac"),
    ("{stem}/{track}.{ext}", "vocals/deep/song.flac"),
    ("{model}/{track}.{type}_{stem}.{ext}", "mix/deep/song.mp3_vocals.flac"),
    ("{filename}/{instrument}.{codec}", "deep/song/vocals.flac"),  # as Spleeter calls them
    ("{foldername}-{filename}/{parent}.{stem}", "deep-deep/song/deep.vocals"),
])  # fmt: skip
def test_templates(template, path):
    check_template(template, 4)
    recording = Recording(Path("in/deep/song.MP3"), "deep/song")
    found = output_path(Path("out"), template, recording, "vocals", ext="flac", model="mix")
    assert found == Path("out") / path


@pytest.mark.parametrize("template, words", [
    ("{track}.{ext}", "2 stems would go to one file; it needs {stem}"),
    ("../{stem}.{ext}", "should name a file below the output folder"),
    ("/tmp/{stem}.{ext}", "should name a file below the output folder"),
    ("a/../../{stem}", "should name a file below the output folder"),
    ("{stem}/", "should name a file below the output folder"),
    ("{artist}/{stem}", "should be like {track}/{stem}.{ext}, of text and {track}, {stem}, {ext}, {model}, {type}"),
    ("{stem.__class__}", "should be like"),
    ("{stem!r}", "should be like"),
    ("{stem:>1000000000}", "should be like"),
    ("{stem", "should be like"),
    ("{}", "should be like"),
    ("{0}", "should be like"),
])  # fmt: skip
def test_templates_that_cannot_be(template, words):
    with pytest.raises(InputError) as caught:
        check_template(template, 2)
    assert words in str(caught.value) and repr(template) in str(caught.value)


@pytest.mark.parametrize("template", ["{stem}{ext}", "{track}/{stem}", "{stem}.mp3", "{stem}wav"])
def test_templates_without_the_format_s_ending(template):
    check_template(template, 2)
    with pytest.raises(InputError, match="has no ending, or another than the format's; it needs .{ext}"):
        check_template(template, 2, "wav")


WHOLE = "{track}/{stem}.{ext}"
FOLDER = "name the folder above both, whose folders are kept below the output folder, or "


@pytest.mark.parametrize("template, paths, tracks, remedy", [
    (WHOLE, ("a.wav", "a.mp3"), "aa", "{type}/{track}/{stem}.{ext}"),
    ("{filename}.{codec}", ("a.wav", "a.mp3"), "aa", "{type}/{filename}.{codec}"),
    ("{track}.{type}.{ext}", ("1/a.wav", "2/a.wav"), "aa", "{parent}/{track}.{type}.{ext}"),
    (WHOLE, ("1/x/a.wav", "2/x/a.wav"), "aa", FOLDER),
    ("{stem}.{ext}", ("a.wav", "b.wav"), "ab", "{track}/{stem}.{ext}"),
    ("{parent}/{stem}.{ext}", ("1/a.wav", "1/a.mp3"), "aa", "{type}/{parent}/{stem}.{ext}"),
    ("{stem}.{ext}", ("1/x/a.wav", "2/x/a.wav"), "aa", ""),
])  # fmt: skip
def test_two_recordings_for_one_place(template, paths, tracks, remedy):
    """What is said to tell them apart does."""
    recordings = [Recording(Path(path), track) for path, track in zip(paths, tracks, strict=True)]

    def places(template):
        return [(each, output_path(Path("o"), template, each, "vocals", ext="wav", model="x")) for each in recordings]

    with pytest.raises(InputError) as caught:
        check_distinct(places(template), template)
    output = places(template)[0][1]
    words = f"--name '{remedy}' tells them apart, or " if remedy.startswith("{") else remedy
    assert str(caught.value) == (
        f"{paths[0]} and {paths[1]} would both go to {output}; {words}separate them into two folders"
    )
    if words != remedy:
        check_distinct(places(remedy), remedy)
