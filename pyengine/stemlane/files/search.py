# SPDX-License-Identifier: MIT
"""Which recordings are meant by files, folders, patterns and addresses."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath, PurePosixPath

from stemlane.errors import InputError
from stemlane.files.addresses import Address, Place, place
from stemlane.files.formats import ENDINGS
from stemlane.files.marks import mark_in
from stemlane.files.names import Recording, track_name
from stemlane.files.stores import files_at, holds_something, stems_of


def find_recordings(
    inputs: Iterable[str | PurePath], *, leave_out: Place | None = None, left_out: list[Place] | None = None
) -> list[Recording]:
    """The recordings named by files, folders (searched recursively) and patterns such as `*.mp3`.

    A search leaves out the stems that Stemlane has made, wherever they lie; a file that is named is always taken. A
    folder that cannot be searched is a recording with a problem.

    Addresses in stores are all three as well. One that ends like an audio file is taken for a file without a look.

    Parameters
    ----------
    inputs
        A file that is named need not exist yet: it is missed when its turn comes.
    leave_out
        A folder that no search goes into, that of the results.
    left_out
        The stems that a search leaves out are added to it.

    Raises
    ------
    InputError
        If a folder or pattern holds no recording.
    """
    found: dict[str, Recording] = {}
    for entry in inputs:
        stems: list[Place] = []
        where = place(entry)
        recordings = list(_recordings_of(where, leave_out, stems))
        shown = where if isinstance(where, Address) else entry
        if not recordings and stems:
            raise InputError(
                f"{shown}: holds nothing but stems that Stemlane has made, such as {stems[0]}; name the files to "
                "separate them again"
            )
        if not recordings:
            raise InputError(f"{shown}: no audio file is there; it should end in one of: {' '.join(sorted(ENDINGS))}")
        for recording in recordings:
            found.setdefault(_real(recording.path), recording)
        if left_out is not None:
            left_out += stems
    return list(found.values())


def _real(path: Place) -> str:
    return path.url if isinstance(path, Address) else os.path.realpath(path)


def _recordings_of(path: Place, leave_out: Place | None, stems: list[Place]) -> Iterator[Recording]:
    """What an argument means; the stems that a search leaves out are added to `stems`."""
    if isinstance(path, Address):
        yield from _recordings_at(path, leave_out, stems)
    elif os.path.isdir(path):
        yield from _search(path, leave_out, stems)
    elif not os.path.lexists(path) and glob.has_magic(os.fspath(path)):
        for match in map(Path, sorted(glob.glob(os.fspath(path), recursive=True))):
            if match.is_dir():
                yield from _search(match, leave_out, stems)
            elif match.suffix.lower() in ENDINGS:
                yield Recording(match, track_name(match))
        for error in _locked_in(os.fspath(path)):
            yield _unsearched(error)
    else:
        yield Recording(path, track_name(path))


def _recordings_at(address: Address, leave_out: Place | None, stems: list[Place]) -> Iterator[Recording]:
    has_magic = glob.has_magic(str(address)) and not _is_file(address)
    if address.suffix.lower() in ENDINGS and not has_magic:
        yield Recording(address, track_name(address))
        return
    base = next(folder for folder in (address, *address.parents) if not glob.has_magic(str(folder)))
    files = [file for file in files_at(address) if leave_out not in file.parents]
    made = set() if has_magic else stems_of(files)
    for file in files:
        if file == address:  # a file that is named is always taken
            yield Recording(file, track_name(file))
        elif file in made:
            stems.append(file)
        elif file.suffix.lower() in ENDINGS:
            inner = file.relative_to(base)
            if not any(part.startswith(".") for part in inner.parts):
                folder = PurePosixPath() if has_magic else inner.parent
                yield Recording(file, (folder / track_name(file)).as_posix())


def _is_file(address: Address) -> bool:
    """Whether a store has a file whose name is also a pattern; some take no such name, and say so in their own way."""
    try:
        return holds_something(address)
    except InputError:
        return False


def _search(folder: Path, leave_out: Place | None, stems: list[Place]) -> Iterator[Recording]:
    """Audio files in a folder and those inside it, in order. Names with a dot in front are hidden and stay so."""
    unwanted = None if leave_out is None else _real(leave_out)
    locked: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=locked.append):
        here = Path(root)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and os.path.realpath(here / name) != unwanted
        )
        for name in sorted(names):
            if name.startswith(".") or Path(name).suffix.lower() not in ENDINGS:
                continue
            if mark_in(here / name):
                stems.append(here / name)
            else:
                yield Recording(here / name, (here.relative_to(folder) / track_name(name)).as_posix())
    for error in locked:
        yield _unsearched(error)


def _locked_in(pattern: str) -> Iterator[OSError]:
    """Why folders cannot be read whose names a pattern would be compared with; `glob` says nothing of them."""
    while glob.has_magic(pattern):
        above, name = os.path.split(pattern)
        compared = pattern if name == "**" else above or os.curdir
        for folder in glob.glob(os.path.join(compared, ""), recursive=True) if glob.has_magic(name) else ():
            try:
                os.scandir(folder).close()
            except OSError as error:
                yield error
        pattern = above


def _unsearched(error: OSError) -> Recording:
    return Recording(Path(error.filename), "", problem=f"cannot be searched ({error.strerror})")
