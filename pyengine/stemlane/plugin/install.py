# SPDX-License-Identifier: MIT
"""Puts the plugin where hosts look for it, and takes it away; a host sees the old one or the new one, never a part."""

import contextlib
import functools
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from stemlane.contract import PYTHON_KEY
from stemlane.errors import PluginError
from stemlane.plugin import bundle, macos_bundle, places, windows_bundle


def install() -> Path:
    """Install a self-contained bundle into the user's VST3 folder; returns where it is.

    It needs neither this Python nor this package afterwards. An older one is replaced when the new one is complete.
    """
    return _put_in_place(bundle.write)


def install_linked() -> Path:
    """Install the bare bundle, whose engine runs this Python with this package; returns where it is.

    Quicker than `install` while developing, but it stops working when either is moved or deleted.
    """
    return _put_in_place(_write_linked)


def make_bundle(folder: str | Path) -> Path:
    """Write a self-contained `Stemlane.vst3` into `folder`; returns its path."""
    return _put_in_place(bundle.write, Path(folder) / places.BUNDLE_NAME)


def make_bundle_of(folder: str | Path, *, python: str | Path, packages: str | Path) -> Path:
    """Write a self-contained `Stemlane.vst3` of these parts into `folder`; returns its path.

    For Windows, see `windows_bundle.write`; for macOS if the Python has a folder `bin`, see `macos_bundle.write`.
    """
    if not Path(python).is_dir():
        raise PluginError(f"{python}: is no folder; name the one that a Python for Windows or macOS was unpacked into")
    system = macos_bundle if Path(python, "bin").is_dir() else windows_bundle
    write = functools.partial(system.write, python=Path(python), packages=Path(packages))
    return _put_in_place(write, Path(folder) / places.BUNDLE_NAME)


def _write_linked(target: Path) -> None:
    shutil.copytree(places.plugin_path(), target, symlinks=True, ignore=shutil.ignore_patterns("python"))
    configuration = places.engine_configuration(target)
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.write_text(f"{PYTHON_KEY}{places.this_python()}\n", encoding="utf-8")


def _put_in_place(write: Callable[[Path], None], target: Path | None = None) -> Path:
    target = target or places.installed_path()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        _replace_folder(partial, target)
    except shutil.Error as error:  # of a tree: a list of source, target and what went wrong
        raise PluginError(f"{target}: cannot be written ({error.args[0][0][2]})") from None
    except OSError as error:
        raise PluginError(f"{target}: cannot be written ({error.strerror or error})") from None
    finally:
        _remove(partial)
    return target


def _replace_folder(new: Path, target: Path) -> None:
    """Rename `new` to `target`; what was there goes only after that."""
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    if target.is_symlink() or target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:  # an interrupt too
        if old.is_symlink() or old.exists():
            old.rename(target)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
        return
    with contextlib.suppress(OSError):  # read-only folders keep their files
        for folder in (path, *path.rglob("*")):
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def uninstall() -> Path:
    """Remove the installed bundle; returns where it was."""
    target = places.installed_path()
    if not target.is_symlink() and not target.exists():
        raise PluginError(f"{target}: is not there; nothing to uninstall")
    parked = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    try:
        target.rename(parked)  # hosts see it whole or not at all
        _remove(parked)
    except OSError as error:
        raise PluginError(f"{target}: cannot be removed ({error.strerror or error})") from None
    return target
