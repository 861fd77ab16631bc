# SPDX-License-Identifier: MIT
"""Recordings and results in stores, tried in fsspec's memory: found, fetched, sent whole, known again."""

import json
import sys

import numpy as np
import pytest
import soundfile
import stemlane
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.files import stores
from stemlane.files.addresses import place
from stemlane.files.search import find_recordings
from support.audio_files import RATE, music


@pytest.fixture
def store(memory, tmp_path, monkeypatch):
    """An empty one; temporary folders are made in one of the test's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    yield memory
    assert [path.name for path in (tmp_path / "temporary").iterdir() if path.name != "dask-scratch-space"] == []


@pytest.fixture
def songs(store, tmp_path):
    """Three recordings and other things in the store; the same three on the disk."""
    for index, name in enumerate(("a.wav", "deep/b.flac", "deep/c.wav")):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, music(20_000, seed=index).T, RATE, subtype="PCM_24")
        store.put_file(str(path), f"/music/in/{name}")
    for name in ("note.txt", ".hidden/x.wav", "deep/.y.wav", "out/a/vocals.wav"):
        store.pipe_file(f"/music/in/{name}", b"x")
    return tmp_path / "in"


def names(*inputs, **options):
    return [(str(found.path), found.track) for found in find_recordings(inputs, **options)]


def samples(path, store):
    with store.open(path) as file:
        return soundfile.read(file, dtype="float32", always_2d=True)[0]


def test_folders_patterns_and_files_of_a_store(songs):
    inside = [("memory://music/in/a.wav", "a"), ("memory://music/in/deep/b.flac", "deep/b"),
              ("memory://music/in/deep/c.wav", "deep/c")]  # fmt: skip
    assert names("memory://music/in", leave_out=place("memory://music/in/out")) == inside
    assert ("memory://music/in/out/a/vocals.wav", "out/a/vocals") in names("memory://music/in")
    assert names("memory://music/in/*/*.wav", leave_out=place("memory://music/in/out")) == [
        ("memory://music/in/deep/c.wav", "c")
    ]
    assert names("memory://music/in/note.txt") == [("memory://music/in/note.txt", "note")]  # who names a file means it
    assert names("memory://music/in/a.wav", "memory://music/in/*.wav") == [inside[0]]
    with pytest.raises(InputError, match="memory://music/none: no audio file is there"):
        names("memory://music/none")


def test_no_look_is_taken_at_names_that_end_like_audio(store, monkeypatch):
    """A list of a million names would be a million questions."""
    monkeypatch.setattr("stemlane.files.search.files_at", None)
    assert names("memory://x/absent.wav") == [("memory://x/absent.wav", "absent")]


def test_stems_in_a_store_are_those_of_the_disk(songs, store, tmp_path, tiny_models):
    stemlane.separate_many([songs], tmp_path / "out", file_format="flac", jobs=2)
    outcomes = stemlane.separate_many(
        ["memory://music/in/a.wav", "memory://music/in/deep"], "memory://stems", file_format="flac", jobs=2
    )
    assert [outcome.problem for outcome in outcomes] == ["", "", ""] and outcomes[0].seconds == 20_000 / RATE
    assert str(outcomes[0].outputs["bass"]) == "memory://stems/a/bass.flac"
    for stem in ("vocals", "drums", "bass", "other"):
        for there, here in (("a", "a"), ("b", "deep/b"), ("c", "deep/c")):
            expected = soundfile.read(tmp_path / "out" / here / f"{stem}.flac", dtype="float32")[0]
            np.testing.assert_array_equal(samples(f"/stems/{there}/{stem}.flac", store), expected)
    found = [name for name in store.find("/stems") if not name.endswith(".flac")]
    # Receipts, and no part of anything.
    assert found == [
        f"/stems/{track}/.{stem}.flac.json" for track in "abc" for stem in ("bass", "drums", "other", "vocals")
    ]


def test_from_the_disk_to_a_store_and_back(songs, store, tmp_path, tiny_models):
    stemlane.separate_file(songs / "a.wav", "memory://stems", stems=["vocals"])
    stemlane.separate_file("memory://stems/a/vocals.wav", tmp_path / "again", stems=["drums"])
    first, _ = soundfile.read(tmp_path / "again/vocals/drums.wav", dtype="float32")
    np.testing.assert_allclose(first, 0.5 * 0.25 * samples("/music/in/a.wav", store), atol=1e-6)  # the model's shares


def test_what_is_there_is_known_by_its_receipt(songs, store, tiny_models):
    def again(**options):
        request = {"stems": ["vocals", "bass"], "skip_existing": True, "name": "{stem}/{track}.{ext}"} | options
        return stemlane.separate_file("memory://music/in/a.wav", "memory://out", **request).skipped

    assert not again() and again() and again(stems=["bass", "vocals"])
    assert not again(model="live") and not again()  # what is there now is something else
    assert not again(stems=["vocals"], clip="clamp") and not again()  # one of the two was replaced
    store.pipe_file("/out/vocals/a.wav", b"")  # nothing is lost
    assert not again() and again()
    store.rm_file("/out/bass/a.wav")
    assert not again() and again()
    store.copy("/music/in/deep/c.wav", "/music/in/a.wav")
    assert not again() and again()


def test_a_store_that_says_the_size_alone_has_the_file_read(songs, store, tiny_models, monkeypatch):
    monkeypatch.setattr(stores, "_VERSIONS", ())

    def again():
        return stemlane.separate_file("memory://a.wav", "memory://out", stems=["bass"], skip_existing=True).skipped

    data = bytearray(store.cat_file("/music/in/a.wav"))
    store.pipe_file("/a.wav", bytes(data))
    assert not again() and again()
    data[-1] ^= 1  # as long as before
    store.pipe_file("/a.wav", bytes(data))
    assert not again() and again()


@pytest.mark.parametrize("is_object_store", [False, True])
@pytest.mark.parametrize("is_first", [True, False])
def test_whenever_a_run_is_killed_the_next_one_knows_what_is_there(
    songs, store, tiny_models, monkeypatch, is_first, is_object_store
):  # fmt: skip
    """Killed behind every change to the store: no other song may take the place, and its own is made again."""
    if is_object_store:
        monkeypatch.setattr(stores, "_OBJECT_STORES", {"memory"})
    left, song = [], "memory://music/in/a.wav"  # how many changes until it dies, as many items; none if it lives

    def dies(original):
        def change(*arguments, **options):
            original(*arguments, **options)
            if left and not (left.pop() or left):
                raise KeyboardInterrupt

        return change

    for name in ("put_file", "cp_file", "_rm"):
        monkeypatch.setattr(type(store), name, dies(getattr(type(store), name)))
    request = {"stems": ["vocals", "bass"], "skip_existing": True, "bits": "16"}
    stemlane.separate_file(song, "memory://whole", **request)
    expected = {path.replace("whole", "out"): store.cat_file(path) for path in store.find("/whole/a")}
    stems = [path for path in expected if path.endswith(".wav")]
    for num_changes in range(1, 99):
        if store.exists("/out"):
            store.rm("/out", recursive=True)
        if not is_first:
            stemlane.separate_file(song, "memory://out", model="live", **request)
        left += [None] * num_changes
        try:
            stemlane.separate_file(song, "memory://out", **request)
        except KeyboardInterrupt:
            pass
        else:
            left.clear()
            break
        if any(store.exists(path) for path in stems):
            with pytest.raises(InputError, match="holds a stem of another recording"):
                stemlane.separate_file("memory://music/in/deep/c.wav", "memory://out", name="a/{stem}.{ext}", **request)
        is_whole = stemlane.separate_file(song, "memory://out", **request).skipped
        assert is_whole <= (num_changes >= 6)  # two receipts, two stems, two receipts: no sooner
        assert {path: store.cat_file(path) for path in stems} == {path: expected[path] for path in stems}
        assert stemlane.separate_file(song, "memory://out", **request).skipped
    assert num_changes >= 7


def test_files_of_ones_own_in_a_store_are_kept(songs, store, tiny_models):
    """As on a disk: one that was there before, a stem that was changed, and one whose receipt cannot be read."""
    stemlane.separate_file("memory://music/in/a.wav", "memory://out", stems=["drums", "bass"])
    mine = {"/out/a/vocals.wav": b"a take", "/out/a/bass.wav": b"edited", "/out/a/.drums.wav.json": b"{"}
    for path, data in mine.items():
        store.pipe_file(path, data)
    for options in ({}, {"skip_existing": True}, {"two_stems": "vocals"}):
        for stems in ["vocals"], ["bass"], ["drums"]:
            with pytest.raises(
                InputError,
                match=rf"a.wav: memory://out/a/{stems[0]}.wav already exists and is not a stem of it; use another -o",
            ):
                wanted = {"two_stems": stems[0]} if "two_stems" in options else options | {"stems": stems}
                stemlane.separate_file("memory://music/in/a.wav", "memory://out", **wanted)
    assert {path: store.cat_file(path) for path in mine} == mine
    stemlane.separate_file("memory://music/in/a.wav", "memory://out", overwrite=True)
    assert stemlane.separate_file("memory://music/in/a.wav", "memory://out", skip_existing=True).skipped


def test_a_receipt_that_cannot_be_read_just_now_is_asked_for_again(songs, store, tiny_models, monkeypatch):
    """It may be there, so nothing is called a file of one's own, which no further attempt would change."""
    stemlane.separate_file("memory://music/in/a.wav", "memory://out")
    original, failures = type(store).cat_file, [TimeoutError("the network is down")]

    def cat_file(self, path, **options):
        if failures:
            raise failures.pop()
        return original(self, path, **options)

    monkeypatch.setattr(type(store), "cat_file", cat_file)
    with pytest.raises(InputError, match=r"^memory://out/a/.bass.wav.json: cannot be read .TimeoutError: the network"):
        stemlane.separate_file("memory://music/in/a.wav", "memory://out", stems=["bass"])
    monkeypatch.setattr("stemlane.files.workers.BACK_OFF_SECONDS", 0.0)
    failures.append(TimeoutError("the network is down"))
    [outcome] = stemlane.separate_many(["memory://music/in/a.wav"], "memory://out", retries=1, stems=["bass"])
    assert not outcome.problem and not failures


@pytest.mark.parametrize("said, is_content", [
    ({"mtime": 1.5}, False), ({"LastModified": "today"}, False), ({"ETag": '"5f0c-2a"'}, False),
    ({"etag": "CJ=", "md5Hash": "a"}, True), ({"ETag": "a", "Content-MD5": "b"}, True), ({}, True),
])  # fmt: skip
def test_songs_of_one_size_and_time_are_two(store, tiny_models, tmp_path, monkeypatch, said, is_content):
    """A store that states no hash says of both the same; one that does says the same of one song in two places."""
    for folder, seed in (("first", 1), ("second", 2), ("third", 1)):
        soundfile.write(tmp_path / "song.wav", music(20_000, seed=seed).T, RATE)
        store.put_file(str(tmp_path / "song.wav"), f"/{folder}/song.wav")
    original = type(store).info

    def info(self, path, **options):
        found = original(self, path, **options)
        if path.endswith("/song.wav"):
            content = {name: str(hash(self.cat_file(path))) for name in said if "md5" in name.lower()}
            found = {name: found[name] for name in ("name", "size", "type")} | said | content
        return found

    monkeypatch.setattr(type(store), "info", info)
    for options in ({}, {"skip_existing": True}):
        stemlane.separate_file("memory://first/song.wav", "memory://out", **options)
        before = store.cat_file("/out/song/vocals.wav")
        with pytest.raises(InputError, match=r"out/song/vocals.wav holds a stem of another recording"):
            stemlane.separate_file("memory://second/song.wav", "memory://out", **options)
        assert store.cat_file("/out/song/vocals.wav") == before
    assert stemlane.separate_file("memory://first/song.wav", "memory://out", skip_existing=True).skipped
    if is_content:
        assert stemlane.separate_file("memory://third/song.wav", "memory://out", skip_existing=True).skipped


@pytest.mark.parametrize("num_sent", [0, 1, 2, 3, 4, 5])
def test_an_upload_that_fails_leaves_no_part(songs, store, tiny_models, monkeypatch, num_sent):
    stemlane.separate_file("memory://music/in/a.wav", "memory://out", stems=["vocals", "bass"])
    before, count = store.cat_file("/out/a/vocals.wav"), iter(range(99))
    original = type(store).put_file

    def put_file(self, local, path, **options):
        if next(count) == num_sent:
            self.pipe_file(path, b"half")
            raise TimeoutError("the network is down")
        original(self, local, path, **options)

    monkeypatch.setattr(type(store), "put_file", put_file)
    with pytest.raises(InputError, match="memory://out/a/.*: cannot be written .TimeoutError: the network is down"):
        stemlane.separate_file("memory://music/in/a.wav", "memory://out", stems=["vocals", "bass"], clip="clamp")
    assert sorted(path for path in store.find("/out") if not path.endswith(".json")) == [
        "/out/a/bass.wav", "/out/a/vocals.wav",
    ]  # fmt: skip
    assert all(data != b"half" for data in map(store.cat_file, store.find("/out")))
    assert (store.cat_file("/out/a/vocals.wav") == before) == (num_sent < 3)  # two receipts go first
    stems = {"stems": ["vocals", "bass"], "skip_existing": True, "clip": "clamp"}
    for is_there in (False, True):
        assert stemlane.separate_file("memory://music/in/a.wav", "memory://out", **stems).skipped is is_there


def test_object_stores_get_each_object_once(songs, store, tiny_models, monkeypatch):
    """Where an upload shows only when it is complete, it goes to its own name; a rename would be a copy."""
    monkeypatch.setattr(stores, "_OBJECT_STORES", {"memory"})
    monkeypatch.setattr(type(store), "mv", None)
    stemlane.separate_file("memory://music/in/a.wav", "memory://out", stems=["vocals"])
    receipt = json.loads(store.cat_file("/out/a/.vocals.wav.json"))
    assert receipt["request"].startswith("stemlane ") and list(receipt["versions"]) == ["memory://out/a/vocals.wav"]


def test_messages_name_the_address(store, songs, tiny_models, tmp_path, monkeypatch):
    store.pipe_file("/music/page.mp3", b"<html>")
    for path, words in (("memory://music/none.wav", "no such file"), ("memory://music/page.mp3", "cannot be read as")):
        with pytest.raises(InputError, match=f"^{path}: {words}"):
            stemlane.separate_file(path, tmp_path / "out")
    loud = 5 * music(20_000)
    soundfile.write(tmp_path / "loud.wav", loud.T, RATE, subtype="FLOAT")
    store.put_file(str(tmp_path / "loud.wav"), "/loud.wav")
    done = stemlane.separate_file("memory://loud.wav", "memory://out", file_format="flac", stems=["vocals"])
    assert done.warnings[0].startswith("memory://out/loud/vocals.flac: clipped, its peak was ")
    for folder, words in (
        ("https://x.invalid/out", "^https://x.invalid/out/a/vocals.wav: can only be read; write to a folder"),
        ("nonsense://x/out", "^nonsense://x: Protocol not known"),
    ):
        with pytest.raises(InputError, match=words):
            stemlane.separate_many([songs / "a.wav"], folder)
    store.pipe_file("/a/vocals.wav", b"x")
    with pytest.raises(InputError, match="memory://a/vocals.wav: is the recording itself"):
        stemlane.separate_file("memory://a/vocals.wav", "memory://", name="a/{stem}.{ext}", stems=["vocals"])
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InputError, match=r"^memory://a.wav: addresses need fsspec; run 'pip install fsspec'$"):
        stemlane.separate_file("memory://a.wav", tmp_path / "out")


def test_a_mix_comes_from_a_store_and_goes_there(songs, store, tiny_models, tmp_path, capsys):
    song, out = "memory://music/in/a.wav", "memory://mixes/deep/a.flac"
    assert main(["render", song, "-o", out, "--gain", "vocals=-6"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert main(["render", str(songs / "a.wav"), "-o", str(tmp_path / "a.flac"), "--gain", "vocals=-6"]) == 0
    store.get_file("/mixes/deep/a.flac", str(tmp_path / "sent.flac"))
    assert (tmp_path / "sent.flac").read_bytes() == (tmp_path / "a.flac").read_bytes()
    assert store.find("/mixes") == ["/mixes/deep/a.flac"]
    capsys.readouterr()
    for arguments, words in (
        (["memory://music/absent.wav", "-o", out], "memory://music/absent.wav: no such file"),
        ([song, "-o", "https://x.invalid/a.wav"], "https://x.invalid/a.wav: can only be read"),
        ([song, "-o", "memory://mixes/a.txt"], "memory://mixes/a.txt: "),
    ):
        assert main(["render", *arguments]) == 1
        assert capsys.readouterr().err.startswith(f"stemlane: {words}")


def test_a_cluster_reads_and_writes_a_store(songs, store, tiny_models):
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as cluster:
        outcomes = stemlane.separate_many(
            ["memory://music/in/deep"], "memory://out", stems=["vocals"], dask=cluster.scheduler_address
        )
    assert [str(outcome.outputs["vocals"]) for outcome in outcomes] == [f"memory://out/{t}/vocals.wav" for t in "bc"]
    np.testing.assert_allclose(
        samples("/out/c/vocals.wav", store), 0.5 * samples("/music/in/deep/c.wav", store), atol=1e-6
    )
