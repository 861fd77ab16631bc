# SPDX-License-Identifier: MIT
"""What is staged appears together and complete, or not at all; what killed runs left is removed, and nothing else."""

import errno
import os
import signal
import subprocess
import sys

import pytest
from stemlane.errors import InputError
from stemlane.files import staging
from stemlane.files.staging import Partial, remove_leftovers, staged_files


def contents(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_staged_files_appear_together(tmp_path):
    folder = tmp_path / "deep" / "er" / "song"
    with staged_files([folder / "a"], tmp_path / "deep") as [staged]:
        staged.write_text("1", encoding="utf-8")
        assert not folder.exists()
    assert contents(folder) == {"a": "1"}
    with staged_files([folder / "a", folder / "b"], tmp_path / "deep") as staged:  # a second time into the same place
        for path, text in zip(staged, "23", strict=True):
            path.write_text(text, encoding="utf-8")
        assert contents(folder) == {"a": "1"}
    assert contents(folder) == {"a": "2", "b": "3"}
    others = [tmp_path / "deep" / name / "song" for name in ("vocals", "drums")]  # alike but for their folders
    with staged_files(others, tmp_path / "deep") as staged:
        for path, text in zip(staged, "45", strict=True):
            path.write_text(text, encoding="utf-8")
    assert [path.read_text(encoding="utf-8") for path in others] == ["4", "5"]
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["drums", "er", "vocals"]


def test_staging_leaves_no_folder_after_an_error(tmp_path):
    finals = [tmp_path / "deep" / "er" / "song" / "a"]
    with pytest.raises(ValueError, match="on purpose"), staged_files(finals, tmp_path / "deep") as [staged]:
        staged.write_text("1", encoding="utf-8")
        raise ValueError("on purpose")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("", encoding="utf-8")
    with (
        pytest.raises(InputError, match="cannot be written"),
        staged_files([tmp_path / "file" / "a"], tmp_path / "file"),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_old_files_stay_if_not_all_new_ones_can_take_their_place(tmp_path, monkeypatch):
    target = tmp_path / "song"
    target.mkdir()
    for name in ("a", "c"):
        (target / name).write_text("old", encoding="utf-8")
    moves = []
    replace = os.replace

    def fails_the_third_time(source, final):
        moves.append(final)
        if len(moves) == 3:
            raise KeyboardInterrupt
        replace(source, final)

    monkeypatch.setattr(staging.os, "replace", fails_the_third_time)
    with pytest.raises(KeyboardInterrupt), staged_files([target / name for name in "abc"], tmp_path) as staged:
        for path in staged:
            path.write_text("new", encoding="utf-8")
    assert contents(target) == {"a": "old", "c": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["song"]


@pytest.fixture(params=["linked", "mounted"])
def base(request, tmp_path, monkeypatch):
    """A folder whose `other` lies on another disk: nothing can be renamed to and from there, or have a second name."""
    base, disk = tmp_path / "out", tmp_path / ("disk" if request.param == "linked" else "out/other")
    base.mkdir()
    disk.mkdir()
    if request.param == "linked":
        (base / "other").symlink_to(disk)

    def is_there(path):
        return os.path.realpath(path).startswith(str(disk))

    def within_one(original):
        def move(source, final, **options):
            if len({is_there(os.path.dirname(path)) for path in (source, final)}) > 1:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))
            return original(source, final, **options)

        return move

    def stat(path, *arguments, original=os.stat, **options):
        found = list(original(path, *arguments, **options))
        found[2] += not isinstance(path, int) and is_there(path)  # st_dev
        return os.stat_result(found)

    for name in ("replace", "rename", "link"):
        monkeypatch.setattr(os, name, within_one(getattr(os, name)))
    if request.param == "mounted":  # a link may lead to where the same disk is mounted once more
        monkeypatch.setattr(os, "stat", stat)
    return base


@pytest.mark.parametrize("finals", [["other/a"], ["other/song/a", "other/song/b"], ["other/song/a", "here/b", "c"]])
def test_another_disk_below_the_folder_has_a_stage_of_its_own(tmp_path, base, finals):
    """New files there, and such as take the place of others; after an error all are the old ones."""
    left = base / "other" / ".stemlane-0123456789abcdef.partial"
    paths = [base / name for name in finals]
    for text in "12":
        left.write_text("of a run that was killed")
        with staged_files(paths, base) as staged:
            for path in staged:
                path.write_text(text)
        assert [path.read_text() for path in paths] == [text] * len(paths)
        assert [path for path in tmp_path.rglob("*") if path.name.startswith(".")] == []
    paths[-1].unlink()
    paths[-1].mkdir()  # in the way of the last one
    with pytest.raises(InputError, match="cannot be written"), staged_files(paths, base) as staged:
        for path in staged:
            path.write_text("3")
    assert [path.read_text() for path in paths[:-1]] == ["2"] * (len(paths) - 1)


KILLED = """
import os, signal, sys
from pathlib import Path
from stemlane.files.staging import Partial
partials = [Partial(Path(sys.argv[1]) / name, folder=folder) for name, folder in (("file", False), ("folder", True))]
(partials[1].path / "vocals.wav").write_text("half", encoding="utf-8")
print("ready", flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.readline()
"""


def run(folder, ending):
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), ending], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".stemlane-not-a-partial").write_text("mine", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".stemlane-0123456789abcdef.partial").symlink_to(tmp_path / "elsewhere")
    kept = sorted(tmp_path.iterdir())
    with run(tmp_path, "killed") as process:
        assert process.wait(60) == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == len(kept) + 2
    with run(tmp_path, "goes on") as process:
        process.stdout.readline()
        mine = Partial(tmp_path / "x", folder=True)
        remove_leftovers([tmp_path, tmp_path / "none"])
        left = sorted(set(tmp_path.iterdir()) - set(kept))
        assert len(left) == 3 and mine.path in left  # of the run that goes on, and of this one
        mine.discard()
        process.stdin.close()
    remove_leftovers([tmp_path])
    assert sorted(tmp_path.iterdir()) == kept


def test_a_folder_that_another_machine_makes_at_the_last_moment(tmp_path, monkeypatch):
    """Between the look whether it is there and the rename, which nothing can hold together on a shared disk."""
    final = tmp_path / "song" / "vocals.wav"
    with staged_files([final], tmp_path) as [staged]:
        staged.write_bytes(b"ours")
        final.parent.mkdir()
        final.write_bytes(b"theirs")
        monkeypatch.setattr("os.path.lexists", lambda path: False)
    assert final.read_bytes() == b"ours" and [path.name for path in tmp_path.iterdir()] == ["song"]


def test_without_locks_nothing_is_opened_that_will_be_renamed(tmp_path, monkeypatch):
    """Windows opens no folder, and gives no file a new name while it is open."""

    def refused(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(staging, "_CAN_LOCK", False)
    monkeypatch.setattr(staging, "_locked", refused)
    folder = tmp_path / "song"
    for texts in ("12", "34"):
        with staged_files([folder / "a", folder / "b"], tmp_path) as staged:
            for path, text in zip(staged, texts, strict=True):
                path.write_text(text, encoding="utf-8")
        assert contents(folder) == dict(zip("ab", texts, strict=True))
    partial = Partial(tmp_path / "file", folder=False)
    os.replace(partial.path, tmp_path / "file")
    partial.discard()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "song"]


def test_files_are_replaced_under_a_lock_that_other_runs_wait_for(tmp_path, monkeypatch):
    """Also where both reach a folder under another name; each asks once more whether it may, when it has the lock."""
    (tmp_path / "out" / "song").mkdir(parents=True)
    (tmp_path / "linked").symlink_to("out")
    is_held = []

    def note(step):
        for folder in (tmp_path / "out", tmp_path / "out" / "song"):
            descriptor = staging._lock_file(folder / staging._LOCK)
            is_held.append((step, folder.name, descriptor is None))
            if descriptor is not None:
                os.close(descriptor)
                (folder / staging._LOCK).unlink()

    original = staging._move
    monkeypatch.setattr(staging, "_LONGEST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(staging, "_move", lambda *arguments: (note("move"), original(*arguments)))
    with staged_files([tmp_path / "linked" / "song" / "a"], tmp_path / "linked", check=lambda: note("check")) as staged:
        staged[0].write_text("new")
    assert is_held == [(step, name, True) for step in ("check", "move") for name in ("out", "song")]
    is_held.clear()
    note("after")
    assert not any(held for *_, held in is_held)
    assert (tmp_path / "out" / "song" / "a").read_text() == "new"


def test_a_folder_that_whoever_started_it_has_locked_is_written_to(tmp_path):
    """As by `flock out stemlane separate ... -o out`: the lock is inherited, and would be waited for without end."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    staging.fcntl.flock(descriptor, staging.fcntl.LOCK_EX)
    with staged_files([tmp_path / "a", tmp_path / "b" / "c"], tmp_path) as staged:
        for path in staged:
            path.write_text("new")
    os.close(descriptor)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "c"]


def test_a_run_that_never_ends_is_waited_for_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(staging, "_LONGEST_WAIT_SECONDS", 0.05)
    stopped = staging._lock_file(tmp_path / staging._LOCK)
    waits = []
    monkeypatch.setattr(staging.time, "sleep", waits.append)
    for _ in range(3):
        with staged_files([tmp_path / "a"], tmp_path) as staged:
            staged[0].write_text("new")
        waits.append("end")
    assert waits[waits.index("end") :] == ["end"] * 3  # waited for once
    assert caplog.text.count("another run keeps its lock") == 1
    os.close(stopped)
    assert (tmp_path / "a").read_text() == "new"
    staging.remove_leftovers([tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.fixture(params=[errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL])
def no_second_names(request, monkeypatch):
    """A file system that refuses a second name for a file, each with another word."""

    def link(source, *_arguments, **_options):
        os.lstat(source)
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.usefixtures("no_second_names")
def test_where_no_file_has_two_names_all_are_replaced_or_none(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("old")
    with staged_files([tmp_path / "a", tmp_path / "b"], tmp_path) as staged:
        for path in staged:
            path.write_text("new")
    assert [(tmp_path / name).read_text() for name in ("a", "b")] == ["new", "new"]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "song").write_text("mine")
    with (
        pytest.raises(InputError, match="cannot be written"),
        staged_files([tmp_path / "a", tmp_path / "d", tmp_path / "c"], tmp_path) as staged,
    ):
        for path in staged:
            path.write_text("newer")
    assert (tmp_path / "a").read_text() == "new" and (tmp_path / "c" / "song").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_a_lock_that_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    """One run has opened the file; its holder removes it, and another run makes and locks a new one."""
    path = tmp_path / staging._LOCK
    holder, flock, others = staging._lock_file(path), staging.fcntl.flock, []

    def late(descriptor, how):
        if not others:
            others.append(0)
            staging._give_back(path, holder)
            others[0] = os.open(path, os.O_RDWR | os.O_CREAT)
            flock(others[0], how)
        return flock(descriptor, how)

    monkeypatch.setattr(staging.fcntl, "flock", late)
    monkeypatch.setattr(staging, "_LONGEST_WAIT_SECONDS", 0.05)
    assert staging._lock_file(path) is None
    os.close(others[0])


def test_a_disk_without_locks_keeps_no_file_of_ours(tmp_path, monkeypatch):
    def flock(_descriptor, _how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(staging.fcntl, "flock", flock)
    for _ in range(2):
        with staged_files([tmp_path / "out" / "song" / "a", tmp_path / "out" / "b"], tmp_path / "out") as staged:
            for path in staged:
                path.write_text("new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "out", "song"]


def test_a_refusal_at_the_last_moment_leaves_what_was_there(tmp_path):
    def refuse():
        raise InputError("no")

    for name in ("a", "b/c"):
        with (
            pytest.raises(InputError, match="no"),
            staged_files([tmp_path / name, tmp_path / "d"], tmp_path, refuse) as s,
        ):
            for path in s:
                path.write_text("new")
    assert list(tmp_path.iterdir()) == []
