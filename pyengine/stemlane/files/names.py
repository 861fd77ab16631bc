# SPDX-License-Identifier: MIT
"""What recordings are called, and where their results go.

Whatever a recording is called, results stay inside the folder that was asked for, and no two share a name.
"""

import os
import shlex
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from stemlane.errors import InputError
from stemlane.files.addresses import Address, Place

TEMPLATE = "{track}/{stem}.{ext}"
WHOLE_TEMPLATE = "{track}.{ext}"  # of what holds all stems
# Fields of a template; those on the right are what Spleeter calls them, and Demucs the last.
_FIELDS = {
    "track": "filename", "stem": "instrument", "ext": "codec", "model": None, "type": "trackext",
    "parent": "foldername",
}  # fmt: skip
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
    problem
        Why it is known already that it cannot be read, or nothing.
    """

    path: Place
    track: str
    given: Place | None = None
    problem: str = ""

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


def check_template(template: str, num_stems: int, ext: str = "") -> str:
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
    if ext and not template.lower().endswith((".{ext}", ".{codec}", f".{ext}")):
        raise InputError(f"--name {template!r}: has no ending, or another than the format's; it needs .{{ext}}")
    return template


def output_path(folder: Place, template: str, recording: Recording, stem: str, *, ext: str, model: str) -> Place:
    """Where one stem of a recording goes: always below `folder`."""
    values = _values(recording) | {"stem": stem, "ext": ext, "model": model}
    text = template.format(**{name: values[meaning] for name, meaning in _FIELD_NAMES.items()})
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts:  # a check of our own work: no value holds such parts
        raise InputError(f"{recording.path}: its stems would leave {folder}")
    return folder / path


def _values(recording: Recording) -> dict[str, str]:
    """What the fields of a template say of a recording."""
    kind = recording.path.suffix.removeprefix(".").lower()
    return {"track": recording.track, "parent": _parent_name(recording.shown), "type": kind}


def _parent_name(path: Place) -> str:
    """The name of the folder a recording lies in, as that of a folder: never empty, `.` or `..`."""
    parent = path.parent.name if isinstance(path, Address) else os.path.basename(os.path.dirname(os.path.abspath(path)))
    return parent.replace(":", "") or "_"


def lacks(template: str, field: str) -> bool:
    """Whether a template that was checked has no such field.

    >>> lacks("{filename}/{stem}.{ext}", "track"), lacks("{filename}/{stem}.{ext}", "parent")
    (False, True)
    """
    return all(_FIELD_NAMES.get(name or "") != field for _, name, _, _ in string.Formatter().parse(template))


def check_distinct(places: Sequence[tuple[Recording, Place]], template: str) -> None:
    """Raise `InputError` if two recordings of (recording, output) pairs would write one file; it says what helps."""
    owners: dict[Place, Recording] = {}
    for recording, output in places:
        owner = owners.setdefault(output, recording)
        if owner != recording:
            these, others = _values(owner), _values(recording)
            field = next((name for name in these if these[name] != others[name] and lacks(template, name)), "")
            if field:
                remedy = f"--name {shlex.quote(f'{{{field}}}/{template}')} tells them apart, or "
            elif lacks(template, "track"):
                remedy = ""
            else:
                remedy = "name the folder above both, whose folders are kept below the output folder, or "
            raise InputError(
                f"{owner.shown} and {recording.shown} would both go to {output}; {remedy}separate them into two folders"
            )
