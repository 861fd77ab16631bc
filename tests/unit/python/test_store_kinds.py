# SPDX-License-Identifier: MIT
"""What stores that are no object stores do each in its own way: renames, logins, names, errors."""

import errno

import fsspec
import pytest
import soundfile
import stemlane
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.utils import infer_storage_options
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.files import stores
from stemlane.files.addresses import Address
from stemlane.files.rendering import render_file
from stemlane.files.search import find_recordings
from support.audio_files import RATE, music


@pytest.fixture
def song(tmp_path, memory, tiny_models):
    """A recording on the disk."""
    path = tmp_path / "what? [live] *.wav"
    soundfile.write(path, music(20_000).T, RATE)
    return path


def test_names_may_hold_what_patterns_do(song, memory):
    """Such as a song's "[live]": a store without a rename of its own copies, and must not search."""
    for skipped in (False, True):
        assert stemlane.separate_file(song, "memory://out", stems=["bass"], skip_existing=True).skipped is skipped
    assert sorted(memory.find("/out")) == [f"/out/what? [live] */{name}" for name in (".bass.wav.json", "bass.wav")]


@pytest.mark.parametrize("says_so", [True, False])
def test_a_store_that_gives_no_taken_name_is_written_to_again(song, memory, monkeypatch, says_so):
    """Such as SMB, and WebHDFS, whose answer nobody looks at."""

    def mv(self, old, new):
        if not self.exists(new):
            self.cp_file(old, new)
            self.rm_file(old)
        elif says_so:
            raise FileExistsError(new)

    monkeypatch.setattr(type(memory), "mv", mv)
    options = {"name": "a/{stem}.{ext}", "stems": ["bass"], "bits": "16"}
    for model in ("default", "live"):
        stemlane.separate_file(song, "memory://out", model=model, **options)
        stemlane.separate_file(song, f"memory://{model}", model=model, **options)
        assert sorted(memory.find("/out")) == ["/out/a/.bass.wav.json", "/out/a/bass.wav"]
        assert memory.cat_file("/out/a/bass.wav") == memory.cat_file(f"/{model}/a/bass.wav")
    assert stemlane.separate_file(song, "memory://out", model="live", skip_existing=True, **options).skipped


def test_a_rename_that_fails_says_why(song, memory, monkeypatch):
    def mv(self, old, new):
        raise PermissionError("not yours")

    monkeypatch.setattr(type(memory), "mv", mv)
    with pytest.raises(InputError, match="bass.wav.json: cannot be written .PermissionError: not yours"):
        stemlane.separate_file(song, "memory://out", stems=["bass"])
    assert memory.find("/out") == []


def test_a_file_stays_where_renames_are_refused(song, memory, monkeypatch):
    """Such as on a server that lets one write and delete, but not rename."""
    memory.pipe_file("/out/mix.wav", b"somebody's")

    def mv(self, old, new):
        raise PermissionError("not you")

    monkeypatch.setattr(type(memory), "mv", mv)
    for _ in range(2):
        with pytest.raises(InputError, match="memory://out/mix.wav: cannot be written .PermissionError: not you"):
            render_file(song, "memory://out/mix.wav")
        assert memory.find("/out") == ["/out/mix.wav"] and memory.cat_file("/out/mix.wav") == b"somebody's"


def test_a_rename_that_fails_half_way_leaves_the_old_file(song, memory, monkeypatch):
    """The store gives no taken name, and none at all for what is new."""
    memory.pipe_file("/out/mix.wav", b"somebody's")

    def mv(self, old, new):
        if self.exists(new) or (new.endswith("mix.wav") and not old.endswith(".stemlane-old")):
            raise FileExistsError(new)
        self.cp_file(old, new)
        self.rm_file(old)

    monkeypatch.setattr(type(memory), "mv", mv)
    with pytest.raises(InputError, match="memory://out/mix.wav: cannot be written .FileExistsError"):
        render_file(song, "memory://out/mix.wav")
    assert memory.find("/out") == ["/out/mix.wav"] and memory.cat_file("/out/mix.wav") == b"somebody's"


def test_a_file_that_cannot_be_put_back_is_named(song, memory, monkeypatch):
    """The connection goes in the middle of it."""
    memory.pipe_file("/out/mix.wav", b"somebody's")

    def mv(self, old, new):
        if not new.endswith(".stemlane-old"):
            raise ConnectionError("gone")
        self.cp_file(old, new)
        self.rm_file(old)

    monkeypatch.setattr(type(memory), "mv", mv)
    with pytest.raises(InputError, match="gone; the file that was there is /out/mix.wav.stemlane-old now"):
        render_file(song, "memory://out/mix.wav")
    assert memory.cat_file("/out/mix.wav.stemlane-old") == b"somebody's"


def test_a_store_that_takes_no_pattern_for_a_name_is_searched(song, memory, monkeypatch):
    """SMB says of such a name that it is invalid, not that nothing is there."""
    memory.put_file(str(song), "/in/a.wav")
    info = type(memory).info

    def no_patterns(self, path, **options):
        if "*" in path:
            raise OSError("STATUS_OBJECT_NAME_INVALID")
        return info(self, path, **options)

    monkeypatch.setattr(type(memory), "info", no_patterns)
    assert [str(found.path) for found in find_recordings(["memory://in/*.wav"])] == ["memory://in/a.wav"]


def test_a_bucket_that_is_not_there_is_said_to_be_missing(song, memory, monkeypatch):
    """And no file of it is."""

    def put_file(self, *arguments, **options):
        raise FileNotFoundError("the specified bucket does not exist")

    monkeypatch.setattr(stores, "_OBJECT_STORES", frozenset({"memory"}))
    monkeypatch.setattr(type(memory), "put_file", put_file)
    with pytest.raises(InputError, match="^memory://bucket/mix.wav: no such bucket or folder$"):
        render_file(song, "memory://bucket/mix.wav")


class NasError(OSError):
    """As SMB's: its number says that nothing is there, its type does not."""


class NasFileSystem(MemoryFileSystem):
    """A server as SFTP's and SMB's are: one logs in, and whatever else an address holds counts as part of that."""

    protocol = "nas"

    def __init__(self, host, username, password):
        super().__init__()
        if (host, username, password) != ("box", "me", "secret"):
            raise PermissionError("who is that?")

    @classmethod
    def _strip_protocol(cls, path):
        return infer_storage_options(path)["path"].rstrip("/")

    @staticmethod
    def _get_kwargs_from_urls(path):
        return {name: value for name, value in infer_storage_options(path).items() if name not in ("path", "protocol")}

    def info(self, path, **options):
        try:
            return super().info(path, **options)
        except FileNotFoundError:
            raise NasError(errno.ENOENT, "status 0xc0000034") from None

    def cat_file(self, path, **options):
        self.info(path)
        return super().cat_file(path, **options)


@pytest.fixture
def nas(memory, tiny_models, tmp_path):
    """A server whose names and passwords come in addresses, and a song on it."""
    fsspec.register_implementation("nas", NasFileSystem, clobber=True)
    soundfile.write(tmp_path / "song.wav", music(20_000).T, RATE)
    for name in ("in/song.wav", "in/a [live]/Which? #1 50%.wav"):
        memory.put_file(str(tmp_path / "song.wav"), f"/{name}")
    return memory


def test_names_may_hold_what_addresses_do(nas):
    """Such as # and ?: in an address they would begin what is asked of a web page, or where in it."""
    for skipped in (False, True):
        outcomes = stemlane.separate_many(
            ["nas://me:secret@box/in"], "nas://me:secret@box/out", stems=["bass"], skip_existing=True
        )
        assert [(outcome.problem, outcome.skipped) for outcome in outcomes] == [("", skipped)] * 2
    assert [name for name in sorted(nas.find("/out")) if name.endswith("bass.wav")] == [
        "/out/a [live]/Which? #1 50%/bass.wav", "/out/song/bass.wav"
    ]  # fmt: skip


def test_nobody_is_shown_a_password(nas, capsys, tmp_path):
    """Neither on the screen nor in what is written."""
    here = "nas://me:secret@box"
    status = tmp_path / "status.jsonl"
    calls = (
        ["separate", f"{here}/in", "-o", f"{here}/out", "--stems", "bass", "--status", str(status), "-v"],
        ["separate", f"{here}/in", "-o", f"{here}/out", "--stems", "bass", "--json", "--skip-existing"],
        ["separate", f"{here}", "-o", f"{here}/again", "--stems", "bass"],
        ["render", f"{here}/in/song.wav", "-o", f"{here}/mix.wav"],
    )
    for call in calls:
        assert main(call) == 0
    failing = (
        ["separate", f"{here}/in/absent.wav", "-o", f"{here}/out"],
        ["separate", f"{here}/nothing", "-o", f"{here}/out"],
        ["separate", f"{here}/in::zip://x.wav", "-o", f"{here}/out"],
        ["render", f"{here}/in/absent.wav", "-o", f"{here}/mix.wav"],
        ["render", f"{here}/in/song.wav", "-o", f"{here}/mix.xyz"],
        ["render", f"{here}/in/song.wav", "-o", f"{here}/mix"],
    )
    for call in failing:
        assert main(call) == 1
    shown = "".join(capsys.readouterr())
    written = b"".join(nas.cat_file(name) for name in nas.find("/"))
    assert "nas://me@box/in/absent.wav: no such file" in shown and b"nas://me@box/out/song/bass.wav" in written
    for text in (shown, status.read_text(), written.decode("latin-1")):
        assert "me@box" in text and "secret" not in text


def test_a_server_that_lets_nobody_in_says_so(nas, tmp_path):
    """Before any work is done."""
    with pytest.raises(InputError, match="nas://me@box: cannot be reached .PermissionError: who is"):
        stemlane.separate_file(tmp_path / "song.wav", "nas://me:wrong@box/out", stems=["bass"])


def test_a_mix_does_not_go_onto_its_recording(nas, capsys):
    before = nas.cat_file("/in/song.wav")
    assert main(["render", "nas://me:secret@box/in/song.wav", "-o", "nas://me:secret@box/in/song.wav"]) == 1
    assert "nas://me@box/in/song.wav: is the recording itself and would be lost" in capsys.readouterr().err
    assert nas.cat_file("/in/song.wav") == before


def test_the_folder_of_a_recording_does_not_tell_a_password(nas, capsys):
    """It is a field of names."""
    nas.pipe_file("/top.wav", nas.cat_file("/in/song.wav"))
    call = ["separate", "nas://me:secret@box/top.wav", "-o", "nas://me:secret@box/out", "--stems", "bass"]
    assert main([*call, "--name", "{parent}/{track}/{stem}.{ext}"]) == 0
    assert nas.isfile("/out/me@box/top/bass.wav") and "secret" not in "".join(capsys.readouterr())


def test_names_in_a_store_that_are_patterns_too_can_be_named(nas):
    """As on a disk: what is there is meant."""
    song = "nas://me:secret@box/in/a [live]/Which? #1 50%.wav"
    outcome = stemlane.separate_file(song, "nas://me:secret@box/out", stems=["bass"])
    assert str(outcome.outputs["bass"]) == "nas://me@box/out/Which? #1 50%/bass.wav"


def test_what_has_come_since_a_search_is_seen(song, memory, monkeypatch):
    """S3's file system answers from the list that a search has seen, until it is told to forget it."""
    lists, store = {}, type(memory)
    find, info, get_file = store.find, store.info, store.get_file

    def remembering_find(self, path, **options):
        return lists.setdefault(path, find(self, path, **options))

    def remembered_info(self, path, **options):
        if any(path.startswith(f"{folder}/") and path not in names for folder, names in lists.items()):
            raise FileNotFoundError(path)
        return info(self, path, **options)

    def get_file_meanwhile(self, *arguments, **options):
        self.pipe_file("/in/out/song/bass.wav", b"somebody's")
        return get_file(self, *arguments, **options)

    memory.put_file(str(song), "/in/song.wav")
    monkeypatch.setattr(store, "find", remembering_find)
    monkeypatch.setattr(store, "info", remembered_info)
    monkeypatch.setattr(store, "get_file", get_file_meanwhile)
    monkeypatch.setattr(store, "invalidate_cache", lambda self, path=None: lists.clear())
    (outcome,) = stemlane.separate_many(["memory://in"], "memory://in/out", stems=["bass"])
    assert "bass.wav already exists and is not a stem of it" in outcome.problem
    assert memory.cat_file("/in/out/song/bass.wav") == b"somebody's"


@pytest.mark.parametrize("receipt", [b"[" * 200_000, b'{"versions": ' * 100_000, b"[" + b"0," * 600_000, b""])
def test_a_receipt_that_is_none_says_nothing(nas, receipt):
    """Whoever may write there."""
    nas.pipe_file("/in/.song.wav.json", receipt)
    for name in ("song", "other"):
        nas.pipe_file(f"/out/song/.{name}.wav.json", receipt)
    outcomes = stemlane.separate_many(["nas://me:secret@box/in"], "nas://me:secret@box/out", stems=["bass"])
    assert [outcome.problem for outcome in outcomes] == ["", ""]


def test_a_receipt_is_read_up_to_a_size(memory):
    receipt = b'{"request": "r", "versions": {"memory://out/x.wav": "v"}}'
    for padding, is_read in ((0, True), (1 << 20, False)):
        memory.pipe_file("/out/.x.wav.json", receipt + b" " * padding)
        assert (stores.receipt_of(Address("memory://out/x.wav")) is not None) is is_read
