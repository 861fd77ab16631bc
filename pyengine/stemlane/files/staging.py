# SPDX-License-Identifier: MIT
"""Files and folders that appear under their names only when they are complete, and what killed runs leave of them.

Work in progress lies beside its target under a name of its own and is locked. A run that is killed loses its lock, so
the next one that writes there can tell what is left over from what another run still writes.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from stemlane.errors import InputError, one_line

try:
    import fcntl

    _CAN_LOCK = True
except ImportError:  # Windows: what is left over there stays
    _CAN_LOCK = False

_PATTERN = re.compile(r"\.stemlane-[0-9a-f]{16}\.partial")
_FULL_DISK_BYTES = 1_000_000  # libsndfile says nothing of the cause; with less than this free it is the disk
_REPLACED = ".replaced"  # inside a staged folder: the files it takes the place of, until all of them are in place


class Partial:
    """A new empty file or folder beside `target`, locked while this process lives.

    Attributes
    ----------
    path
        Where it is. Move it away with `os.replace`, then call `discard` all the same.
    """

    def __init__(self, target: Path, *, folder: bool):
        self._descriptor = None
        while self._descriptor is None:
            # `target.name` may have the greatest length already, so it is no part of the name.
            self.path = target.with_name(f".stemlane-{secrets.token_hex(8)}.partial")
            try:
                if folder:
                    self.path.mkdir()
                else:
                    self.path.open("xb").close()
                self._descriptor = _locked(self.path, wait=True)
            except BaseException:
                self._remove()
                raise

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


def _locked(path: Path, *, wait: bool) -> int | None:
    """A locked descriptor of what lies at `path`, or None if it has gone or another process holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    try:
        if _CAN_LOCK:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        if os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            return descriptor
    except OSError:
        if wait and path.exists():  # a file system without locks: nothing there is ever taken for left over
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
                descriptor = _locked(folder / name, wait=False)
                if descriptor is not None:
                    remove(folder / name)
                    os.close(descriptor)


@contextlib.contextmanager
def staged_folder(target: str | Path) -> Iterator[Path]:
    """Give a temporary folder whose files move into `target` when the block ends well; after an error nothing is left.

    Folders missing on the way to `target` are made, and taken away again after an error. Files that were in `target`
    are replaced together: after an error all of them are the old ones.
    """
    target = Path(target).absolute()
    made = [folder for folder in target.parents if not folder.exists()]  # deepest first
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Partial(target, folder=True)
        yield partial.path
        if target.is_dir():
            _move_into(partial.path, target)
        else:
            os.replace(partial.path, target)
        made = []
    except OSError as error:
        raise cannot_write(target, target.parent, error) from None
    finally:
        if partial is not None:
            partial.discard()
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _move_into(staged: Path, target: Path) -> None:
    names = [path.name for path in staged.iterdir()]
    replaced = staged / _REPLACED
    replaced.mkdir()
    moved = []
    try:
        for name in names:
            # The old file keeps a second name until all are in place, if the file system has such a thing.
            with contextlib.suppress(FileNotFoundError, NotImplementedError, PermissionError):
                os.link(target / name, replaced / name, follow_symlinks=False)
            moved.append(name)
            os.replace(staged / name, target / name)
    except BaseException:
        for name in moved:
            if (replaced / name).is_symlink() or (replaced / name).exists():
                os.replace(replaced / name, target / name)
            elif not (staged / name).exists():
                (target / name).unlink(missing_ok=True)
        raise


def cannot_write(shown: str | Path, folder: Path, error: Exception | str) -> InputError:
    """Why a file cannot be written; for a full disk, how much is free, and what to do."""
    reason = error if isinstance(error, str) else _reason(error)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or free < _FULL_DISK_BYTES:
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
