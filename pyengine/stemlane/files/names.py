# SPDX-License-Identifier: MIT
"""Where the results of a recording go: whatever it is called, they stay inside the folder that was asked for."""

from collections.abc import Sequence
from pathlib import Path

from stemlane.errors import InputError


def track_name(path: str | Path) -> str:
    """The name of a recording without its ending, as that of a folder or file: never empty, `.` or `..`.

    >>> track_name("a/song.v1.wav"), track_name("...wav"), track_name("..wav")
    ('song.v1', '___wav', '__wav')
    """
    path = Path(path)
    return path.stem if path.stem.strip(".") else path.name.replace(".", "_") or "_"


def output_folders(inputs: Sequence[str | Path], folder: str | Path) -> list[Path]:
    """Where the stems of every input go: `folder`/<name without ending>; `InputError` if two would go to one place."""
    targets: dict[Path, str | Path] = {}
    for path in inputs:
        target = Path(folder) / track_name(path)
        if target in targets:
            raise InputError(f"{targets[target]} and {path} would both go to {target}; separate them into two folders")
        targets[target] = path
    return list(targets)
