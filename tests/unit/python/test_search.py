# SPDX-License-Identifier: MIT
"""A search takes songs: it knows the stems that other runs have made, and says which folders it cannot look into."""

import json
import os

import pytest
import stemlane
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.files.search import find_recordings
from support.command_line import everything_in, noise, write


@pytest.fixture
def song(tmp_path, tiny_models, monkeypatch):
    write(tmp_path / "song.wav", noise(2, 5000))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "song.wav"


def paths(*inputs):
    return [str(found.path) for found in find_recordings(inputs)]


@pytest.mark.parametrize("options", [
    {}, {"name": "{track} ({stem}).{ext}"}, {"file_format": "mp3", "name": "sub/{stem}/{track}.{ext}"},
    {"file_format": "stem.mp4"},
])  # fmt: skip
def test_stems_of_other_runs_are_no_songs(song, tmp_path, capsys, options):
    stemlane.separate_file("song.wav", "earlier", **options)
    write(tmp_path / "earlier" / "vocals.wav", noise(1, 100))  # called like a stem, and none
    assert paths(".") == ["song.wav", "earlier/vocals.wav"]
    assert main(["separate", ".", "-o", "later", "--stems", "vocals"]) == 0
    num_stems = 1 if options.get("file_format") == "stem.mp4" else 4
    assert f"stems of earlier runs are left out: {num_stems}, such as earlier/" in capsys.readouterr().err
    assert everything_in(tmp_path / "later") == ["earlier", "earlier/vocals", "earlier/vocals/vocals.wav", "song",
                                                 "song/vocals.wav"]  # fmt: skip


def test_who_names_a_stem_means_it(song):
    stemlane.separate_file("song.wav", "earlier", stems=["vocals"])
    for named in ("earlier/song/vocals.wav", "earlier/*/*.wav"):
        assert paths(named) == ["earlier/song/vocals.wav"]
    with pytest.raises(
        InputError, match="^earlier: holds nothing but stems that Stemlane has made, such as earlier/song/"
    ):
        paths("earlier")


def test_stems_in_a_store_are_known_by_their_receipts(song, memory):
    memory.put_file("song.wav", "/music/song.wav")
    memory.put_file("song.wav", "/music/earlier/song/bass.wav")  # no receipt names it
    stemlane.separate_file("song.wav", "memory://music/earlier", stems=["vocals", "drums"])
    assert paths("memory://music") == ["memory://music/earlier/song/bass.wav", "memory://music/song.wav"]
    assert paths("memory://music/earlier/song/*.wav")[-1] == "memory://music/earlier/song/vocals.wav"


@pytest.fixture
def locked(song, tmp_path, monkeypatch):
    """A folder beside the song that nobody may list; root, who runs tests, may list what others may not."""
    write(tmp_path / "locked" / "b.wav", noise(1, 100))
    write(tmp_path / "locked.wav", noise(1, 100))  # would be of the folder's name
    original = os.scandir

    def scandir(path="."):
        if os.path.basename(os.path.normpath(path)) == "locked":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return tmp_path / "locked"


def test_a_locked_folder_is_a_failure_and_the_rest_goes_on(locked, tmp_path, capsys):
    assert main(["separate", ".", "--stems", "vocals", "--json", "--status", "status"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["input"], line["state"]) for line in lines] == [
        ("locked.wav", "done"), ("song.wav", "done"), ("locked", "failed"),
    ]  # fmt: skip
    assert lines[-1]["problem"] == "locked: cannot be searched (Permission denied)"
    assert len((tmp_path / "status").read_text().splitlines()) == 3
    assert all((tmp_path / "stems" / name / "vocals.wav").is_file() for name in ("locked", "song"))


def test_a_locked_folder_that_is_named_says_so(locked, capsys):
    assert main(["separate", "locked"]) == 1
    assert capsys.readouterr().err == "stemlane: locked: cannot be searched (Permission denied)\n"


@pytest.mark.parametrize("pattern, found, num_locked", [
    ("*/*.wav", [], 1), ("**/*.wav", ["locked.wav", "song.wav"], 1), ("**/b.wav", ["locked/b.wav"], 1),
    ("loc*d/*.wav", [], 1), ("locked/*.wav", [], 1), ("**", ["locked.wav", "song.wav"], 1),
    ("*.wav", ["locked.wav", "song.wav"], 0),
    ("*/b.wav", ["locked/b.wav"], 0),  # where nothing must be listed
])  # fmt: skip
@pytest.mark.parametrize("above", ["", "{}/", "./", "{}*/"])
def test_a_locked_folder_that_a_pattern_would_look_into(locked, tmp_path, pattern, found, num_locked, above):
    above = above.format(tmp_path)
    recordings = find_recordings([f"{above}{pattern}"])
    read = [os.path.relpath(each.path) for each in recordings if not each.problem]
    failed = [(os.path.relpath(each.path), each.problem) for each in recordings if each.problem]
    assert sorted(read) == found
    assert failed == [("locked", "cannot be searched (Permission denied)")] * num_locked
