# SPDX-License-Identifier: MIT
"""Files and folders that appear under their names only when they are complete, and what killed runs leave of them.

Work in progress lies beside its target under a name of its own and is locked. A run that is killed loses its lock, so
the next one that writes there can tell what is left over from what another run still writes.
"""

import contextlib
import errno
import logging
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from stemlane.errors import InputError, one_line

try:
    import fcntl

    _CAN_LOCK = True
except ImportError:  # Windows, which opens no folder and renames no open file: what is left over there stays
    _CAN_LOCK = False

_PATTERN = re.compile(r"\.stemlane-[0-9a-f]{16}\.partial")
_LOCK = f".stemlane-{0:016x}.partial"  # left over, it goes as other leftovers do
_LONGEST_WAIT_SECONDS = 5.0  # for a run that puts its files into the same folder, which takes milliseconds
_NOT_GIVEN_BACK: set[Path] = set()  # locks that this process has waited for in vain
_LOG = logging.getLogger(__name__)
_FULL_DISK_BYTES = 1_000_000  # where a library says nothing of the cause: with less than this free it is the disk
_REPLACED = ".replaced"  # inside a staged folder: the files it takes the place of, until all of them are in place
_FOLDERS = threading.Lock()  # recordings side by side make, and take away, the same folders


class Partial:
    """A new empty file or folder beside `target`, locked while this process lives.

    Attributes
    ----------
    path
        Where it is. Move it away with `os.replace`, then call `discard` all the same.
    """

    def __init__(self, target: Path, *, folder: bool):
        self._descriptor: int | None = None
        while True:
            # `target.name` may have the greatest length already, so it is no part of the name.
            self.path = target.with_name(f".stemlane-{secrets.token_hex(8)}.partial")
            try:
                if folder:
                    self.path.mkdir()
                else:
                    self.path.open("xb").close()
                self._descriptor = _locked(self.path, without_locks=True) if _CAN_LOCK else None
            except BaseException:
                self._remove()
                raise
            if self._descriptor is not None or not _CAN_LOCK:
                return

    def discard(self) -> None:
        """Remove what still lies there, and the lock."""
        self._remove()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _remove(self) -> None:
        remove(self.path)


def remove(path: Path) -> None:
    """Remove a file or a folder with all it holds, if it is there and can be removed."""
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _is_locked(descriptor: int, path: Path) -> bool:
    """Lock what is open; false if another process holds it, or it lies at `path` no more. `OSError` without locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except (BlockingIOError, FileNotFoundError):
        return False


def _locked(path: Path, *, without_locks: bool) -> int | None:
    """A locked descriptor of what lies at `path`, or None if it has gone or another process holds it.

    A file system without locks gives an unlocked one if `without_locks`: nothing there is ever taken for left over.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    try:
        if _is_locked(descriptor, path):
            return descriptor
    except OSError:
        if without_locks and path.exists():
            return descriptor
    os.close(descriptor)
    return None


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove what runs that were killed have left in `folders`; what other runs are writing stays."""
    for folder in dict.fromkeys(folders):
        try:
            names = [name for name in os.listdir(folder) if _PATTERN.fullmatch(name)] if _CAN_LOCK else []
        except OSError:
            continue
        for name in names:
            with contextlib.suppress(OSError):
                descriptor = _locked(folder / name, without_locks=False)
                if descriptor is not None:
                    remove(folder / name)
                    os.close(descriptor)


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder of one's own, empty at first; those of processes that were killed are removed."""
    place = Path(tempfile.gettempdir())
    remove_leftovers([place])
    partial = Partial(place / "work", folder=True)
    try:
        partial.path.chmod(0o700)
        yield partial.path
    finally:
        partial.discard()


@contextlib.contextmanager
def staged_files(finals: Sequence[Path], base: Path, check: Callable[[], None] = lambda: None) -> Iterator[list[Path]]:
    """Give a temporary place for each of the files `finals`; all of them appear when the block ends well, or none.

    Folders that are missing are made, and taken away again after an error. Files that were there are replaced together:
    after an error all of them are the old ones.

    Parameters
    ----------
    finals
        Below `base`, all different.
    base
        A folder, which need not be there. What a link below it leads elsewhere is staged there: on another disk no file
        can be given its name from here.
    check
        Raises if files that are there may not be replaced. It is asked last, when no other run on this machine can put
        any there.
    """
    parents = {final.parent for final in finals}
    folders = {folder for final in finals for folder in final.absolute().parents} | {
        base.absolute(),
        *base.absolute().parents,
    }
    partials: dict[Path, Partial] = {}
    made = []
    try:
        with _FOLDERS:
            made = sorted(
                (folder for folder in folders if not os.path.exists(folder)), key=lambda path: -len(path.parts)
            )
            base.mkdir(parents=True, exist_ok=True)
            places = [_stage_of(final.parent, base) for final in finals]
            remove_leftovers(set(places) - {base})
            for place in places:
                if place not in partials:
                    partials[place] = Partial(place / "partial", folder=True)
        stages = [partials[place].path for place in places]
        whole = parents.pop() if len(parents) == 1 else None  # a folder of their own can appear at once
        staged = [
            stage / ("" if whole else str(index)) / final.name
            for index, (stage, final) in enumerate(zip(stages, finals, strict=True))
        ]
        for path in staged:
            path.parent.mkdir(exist_ok=True)
        yield staged
        with _FOLDERS:
            _put(stages, staged, finals, base, whole, check)
        made = []
    except OSError as error:
        raise cannot_write(finals[0] if finals else base, base, error) from None
    finally:
        for partial in partials.values():
            partial.discard()
        with _FOLDERS:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _stage_of(folder: Path, base: Path) -> Path:
    """Where to stage what goes to `folder`: in `base`, or in the last folder on the way that a link leads elsewhere."""
    stage = base
    for step in (*reversed(folder.parents), folder):
        if step.is_relative_to(base) and os.path.isdir(step):
            is_inside = Path(os.path.realpath(step)).is_relative_to(os.path.realpath(stage))
            if not is_inside or os.stat(step).st_dev != os.stat(stage).st_dev:  # or something is mounted there
                stage = step
    return stage


def _put(
    stages: Sequence[Path], staged: Sequence[Path], finals: Sequence[Path], base: Path, whole: Path | None,
    check: Callable[[], None],
) -> None:  # fmt: skip
    """Give staged files their names, in a new folder `whole` if there is one and it is not there yet."""
    with _alone_in([base]):
        if whole is not None and _appears(stages[0], whole):
            return
        for final in finals:
            final.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in([base, *(final.parent for final in finals)]):
        check()
        _move(staged, finals, [stage / _REPLACED for stage in stages])


@contextlib.contextmanager
def _alone_in(folders: Iterable[Path]) -> Iterator[None]:
    """Keep other processes that do the same from putting files into folders, where the system has such locks.

    What is locked is a file of ours in each, since a folder may be locked by whoever started this program. One that
    another run does not give back, because it was stopped, is waited for once, and not without end.
    """
    with contextlib.ExitStack() as stack:
        for folder in sorted({os.path.realpath(folder) for folder in folders}) if _CAN_LOCK else ():
            path = Path(folder, _LOCK)
            descriptor = _lock_file(path)
            if descriptor is not None:
                stack.callback(_give_back, path, descriptor)
        yield


def _lock_file(path: Path) -> int | None:
    """A locked descriptor of a file that is made for it; None if there are no locks, or another run keeps it."""
    until = time.monotonic() + (0.0 if path in _NOT_GIVEN_BACK else _LONGEST_WAIT_SECONDS)
    while True:
        try:  # some network drives lock only what may be written to
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        except OSError:
            return None
        try:
            if _is_locked(descriptor, path):
                _NOT_GIVEN_BACK.discard(path)
                return descriptor
        except OSError:
            _give_back(path, descriptor)
            return None
        os.close(descriptor)
        if time.monotonic() >= until:
            break
        time.sleep(0.01)
    if path not in _NOT_GIVEN_BACK:
        _LOG.warning("%s: another run keeps its lock; going on without", path.parent)
        _NOT_GIVEN_BACK.add(path)
    return None


def _give_back(path: Path, descriptor: int) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
    os.close(descriptor)


def _appears(folder: Path, whole: Path) -> bool:
    """Give a folder its name, unless one of that name is there, which another machine may make at any time."""
    whole.parent.mkdir(parents=True, exist_ok=True)
    try:
        if not os.path.lexists(whole):
            os.replace(folder, whole)
            return True
    except OSError:
        if not whole.is_dir():
            raise
    return False


def _move(staged: Sequence[Path], finals: Sequence[Path], replaced: Sequence[Path]) -> None:
    moved = []
    try:
        for index, (source, final, folder) in enumerate(zip(staged, finals, replaced, strict=True)):
            folder.mkdir(exist_ok=True)
            old = folder / str(index)  # the old file's until all are in place
            moved.append((source, final, old))
            _set_aside(final, old)
            os.replace(source, final)
    except BaseException:
        for source, final, old in moved:
            if os.path.lexists(old):
                os.replace(old, final)
            elif not source.exists():
                final.unlink(missing_ok=True)
        raise


def _set_aside(final: Path, old: Path) -> None:
    """Give a file that is there a second name, or the other one alone where no file can have two; a folder stays."""
    try:
        os.link(final, old, follow_symlinks=False)
    except FileNotFoundError:
        return
    except (OSError, NotImplementedError):
        if os.path.islink(final) or not os.path.isdir(final):
            os.replace(final, old)


def cannot_write(shown: str | PurePath, folder: Path, error: Exception | str) -> InputError:
    """Why a file cannot be written; for a full disk, how much is free, and what to do."""
    reason = error if isinstance(error, str) else _reason(error)
    while not os.path.exists(folder) and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    # Where the system says what is wrong, it is that: /proc has no free space, and is not full.
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT) or (number is None and free < _FULL_DISK_BYTES):
        return InputError(
            f"{shown}: cannot be written, the disk is full ({free / 1e6:.1f} MB are free in {folder}); free some "
            "space there or write elsewhere"
        )
    if isinstance(error, OSError) and error.strerror:
        return InputError(f"{shown}: cannot be written ({reason})")
    return InputError(f"{shown}: cannot be written ({reason}; {free // 1_000_000} MB are free in {folder})")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "error_string", "") or one_line(error)
    return text.strip().rstrip(".")
