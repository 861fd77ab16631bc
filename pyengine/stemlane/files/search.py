# SPDX-License-Identifier: MIT
"""Which recordings are meant by files, folders, patterns and addresses."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath, PurePosixPath

from stemlane.errors import InputError
from stemlane.files.addresses import Address, Place, place
from stemlane.files.formats import ENDINGS
from stemlane.files.names import Recording, track_name
from stemlane.files.stores import files_at


def find_recordings(inputs: Iterable[str | PurePath], *, leave_out: Place | None = None) -> list[Recording]:
    """The recordings named by files, folders (searched recursively) and patterns such as `*.mp3`.

    Addresses in stores are all three as well. One that ends like an audio file is taken for a file without a look.

    Parameters
    ----------
    inputs
        A file that is named need not exist yet: it is missed when its turn comes.
    leave_out
        A folder that no search goes into, that of the results.

    Raises
    ------
    InputError
        If a folder or pattern holds no recording.
    """
    found: dict[str, Recording] = {}
    for entry in inputs:
        recordings = list(_recordings_of(place(entry), leave_out))
        if not recordings:
            raise InputError(f"{entry}: no audio file is there; it should end in one of: {' '.join(sorted(ENDINGS))}")
        for recording in recordings:
            found.setdefault(_real(recording.path), recording)
    return list(found.values())


def _real(path: Place) -> str:
    return str(path) if isinstance(path, Address) else os.path.realpath(path)


def _recordings_of(path: Place, leave_out: Place | None) -> Iterator[Recording]:
    if isinstance(path, Address):
        yield from _recordings_at(path, leave_out)
    elif os.path.isdir(path):
        yield from _search(path, leave_out)
    elif not os.path.lexists(path) and glob.has_magic(os.fspath(path)):
        for match in map(Path, sorted(glob.glob(os.fspath(path), recursive=True))):
            if match.is_dir():
                yield from _search(match, leave_out)
            elif match.suffix.lower() in ENDINGS:
                yield Recording(match, track_name(match))
    else:
        yield Recording(path, track_name(path))


def _recordings_at(address: Address, leave_out: Place | None) -> Iterator[Recording]:
    has_magic = glob.has_magic(str(address))
    if address.suffix.lower() in ENDINGS and not has_magic:
        yield Recording(address, track_name(address))
        return
    base = next(folder for folder in (address, *address.parents) if not glob.has_magic(str(folder)))
    for file in files_at(address):
        if file == address:  # who names a file means it
            yield Recording(file, track_name(file))
        elif file.suffix.lower() in ENDINGS and leave_out not in file.parents:
            inner = file.relative_to(base)
            if not any(part.startswith(".") for part in inner.parts):
                folder = PurePosixPath() if has_magic else inner.parent
                yield Recording(file, (folder / track_name(file)).as_posix())


def _search(folder: Path, leave_out: Place | None) -> Iterator[Recording]:
    """Audio files in a folder and those inside it, in order. Names with a dot in front are hidden and stay so."""
    unwanted = None if leave_out is None else _real(leave_out)
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and os.path.realpath(here / name) != unwanted
        )
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in ENDINGS:
                yield Recording(here / name, (here.relative_to(folder) / track_name(name)).as_posix())
