# SPDX-License-Identifier: MIT
"""Finds what is in the way of results before any work is done for them."""

import os
from collections.abc import Iterable
from pathlib import PurePath

from stemlane.errors import InputError
from stemlane.files.addresses import Address, Place
from stemlane.files.stores import check_writable
from stemlane.files.writing import check_file_target


def check_place(path: str | PurePath, files: Iterable[Place]) -> None:
    """Raise `InputError` if one of `files` cannot be written, or is the recording at `path`.

    Folders that are missing are made later, so it is the last one that is there which must allow it.
    """
    for file in files:
        if isinstance(file, Address):
            check_writable(file)
            if file == path:
                raise _lost(file)
            continue
        folder = file.parent
        while not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        if not os.path.isdir(folder):
            raise InputError(f"{folder}: is not a folder, so {file} cannot be written")
        check_file_target(file if folder == file.parent else folder / file.name, file)
        if os.path.exists(file) and os.path.exists(path) and file.samefile(path):
            raise _lost(file)


def _lost(file: Place) -> InputError:
    return InputError(f"{file}: is the recording itself and would be lost; write to another place")
