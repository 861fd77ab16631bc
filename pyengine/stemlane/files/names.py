# SPDX-License-Identifier: MIT
"""Which recordings are meant, and where their results go.

Whatever a recording is called, results stay inside the folder that was asked for, and no two share a name.
"""

import glob
import os
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from stemlane.errors import InputError
from stemlane.files.addresses import Address, Place, place
from stemlane.files.formats import ENDINGS
from stemlane.files.stores import files_at

TEMPLATE = "{track}/{stem}.{ext}"
WHOLE_TEMPLATE = "{track}.{ext}"  # of what holds all stems
# Fields of a template; those on the right are what Spleeter calls them, and Demucs the last.
_FIELDS = {"track": "filename", "stem": "instrument", "ext": "codec", "model": None, "type": "trackext"}
_FIELD_NAMES = {**{name: name for name in _FIELDS}, **{alias: name for name, alias in _FIELDS.items() if alias}}


@dataclass(frozen=True)
class Recording:
    """A file to be separated.

    Attributes
    ----------
    path
        Where it is: a path, or an address in a store.
    track
        What its results are called: its name without ending, below the folder it was found in.
    given
        What messages call it, if it is a copy.
    """

    path: Place
    track: str
    given: Place | None = None

    @property
    def shown(self) -> Place:
        """What messages call it."""
        return self.given or self.path


def track_name(path: str | PurePath) -> str:
    """The name of a recording without its ending, as that of a folder or file: never empty, `.` or `..`.

    >>> track_name("a/song.v1.wav"), track_name("...wav"), track_name("..wav")
    ('song.v1', '___wav', '__wav')
    """
    path = Path(path)
    return path.stem if path.stem.strip(".") else path.name.replace(".", "_") or "_"


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


def check_template(template: str, num_stems: int) -> str:
    """`template` if it names a place inside a folder for every stem, else `InputError` saying what it should be."""
    try:
        fields = {field for _, field, spec, conversion in string.Formatter().parse(template) if field is not None}
        plain = not any(spec or conversion for _, _, spec, conversion in string.Formatter().parse(template))
    except ValueError:
        fields, plain = {""}, False
    known = ", ".join(f"{{{name}}}" for name in _FIELDS)
    if not plain or fields - set(_FIELD_NAMES):
        raise InputError(f"--name {template!r}: should be like {TEMPLATE}, of text and {known}")
    if num_stems > 1 and not fields & {"stem", "instrument"}:
        raise InputError(f"--name {template!r}: {num_stems} stems would go to one file; it needs {{stem}}")
    parts = PurePosixPath(template).parts
    if not parts or PurePosixPath(template).is_absolute() or ".." in parts or template.endswith("/"):
        raise InputError(f"--name {template!r}: should name a file below the output folder, like {TEMPLATE}")
    return template


def output_path(folder: Place, template: str, recording: Recording, stem: str, *, ext: str, model: str) -> Place:
    """Where one stem of a recording goes: always below `folder`."""
    values = {
        "track": recording.track, "stem": stem, "ext": ext, "model": model,
        "type": recording.path.suffix.removeprefix(".").lower(),
    }  # fmt: skip
    text = template.format(**{name: values[meaning] for name, meaning in _FIELD_NAMES.items()})
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts:  # a check of our own work: no value holds such parts
        raise InputError(f"{recording.path}: its stems would leave {folder}")
    return folder / path


def check_distinct(places: Sequence[tuple[Place, Place]]) -> None:
    """Raise `InputError` if two recordings of (recording, output) pairs would write one file."""
    owners: dict[Place, Place] = {}
    for recording, output in places:
        owner = owners.setdefault(output, recording)
        if owner != recording:
            if PurePath(str(owner)).suffix == PurePath(str(recording)).suffix:
                remedy = "name the folder above both, whose folders are kept below the output folder"
            else:
                remedy = "--name '{track}.{type}/{stem}.{ext}' tells them apart by their endings"
            raise InputError(
                f"{owner} and {recording} would both go to {output}; {remedy}, or separate them into two folders"
            )
