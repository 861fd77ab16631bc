# SPDX-License-Identifier: MIT
"""Whether a model's files are what its manifest says: by their hashes, or quickly by what was found when these were.

The user's folder has a table of the files whose hashes have been compared, with their sizes and times of change. A file
that still has both is not read again when its model is loaded; every other one is. The table finds damage and files
that were replaced, not somebody who may write to the user's folder: such a one can change the manifest too.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from stemlane.errors import ModelError
from stemlane.manifests.model import Manifest, ModelFile, load_manifest
from stemlane.regular_files import open_regular, read_regular

CHECKED_NAME = "models.checked"
_HIGHEST_BYTES = 8 << 30
_HIGHEST_TABLE_BYTES = 1 << 20
_Mark = tuple[str, int, int]  # SHA-256, size in bytes, time of change in nanoseconds


def verify_model(manifest: Manifest) -> None:
    """Read every file of a model and compare its SHA-256 with the manifest's.

    Raises
    ------
    ModelError
        Naming the first file that is missing or differs.
    """
    for entry in manifest.files:
        _verify(manifest, entry)


def check_model(manifest: Manifest, models: Path) -> None:
    """As `verify_model`, but files in the folder `models` that its table knows as they are now are not read."""
    known = _read_table(models) if manifest.folder.parent == models else {}
    for entry in manifest.files:
        path = manifest.folder / entry.path
        if _mark(path, entry) is None or known.get(_key(manifest, entry)) != _mark(path, entry):
            _verify(manifest, entry)


def remember(models: Path, folders: Iterable[Path]) -> None:
    """Enter the models in `folders`, which have just been verified, into the table of `models`; drop what is gone."""
    table = _read_table(models)
    for folder in folders:
        manifest = load_manifest(folder)
        for entry in manifest.files:
            table[_key(manifest, entry)] = _mark(folder / entry.path, entry)
    lines = [f"{' '.join(map(str, mark))} {key}\n" for key, mark in sorted(table.items())
             if mark is not None and (models / key).is_file()]  # fmt: skip
    partial = models / f".{CHECKED_NAME}.{os.urandom(4).hex()}"
    try:
        partial.write_text("".join(lines), encoding="utf-8")
        os.replace(partial, models / CHECKED_NAME)
    finally:
        partial.unlink(missing_ok=True)


def damaged(manifest: Manifest, entry: ModelFile, found: str) -> ModelError:
    """The error for a file whose SHA-256 is `found`."""
    return ModelError(
        f"model {manifest.name!r}: {manifest.folder / entry.path} is damaged or changed "
        f"(sha256 {found[:12]}…, manifest says {entry.sha256[:12]}…); install the model again"
    )


def _verify(manifest: Manifest, entry: ModelFile) -> None:
    path = manifest.folder / entry.path
    try:
        with open_regular(path, _HIGHEST_BYTES) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"model {manifest.name!r}: {path} cannot be read ({error.strerror}); install the model again"
        ) from None
    if found != entry.sha256:
        raise damaged(manifest, entry, found)


def _key(manifest: Manifest, entry: ModelFile) -> str:
    return f"{manifest.folder.name}/{entry.path}"


def _mark(path: Path, entry: ModelFile) -> _Mark | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return entry.sha256, found.st_size, found.st_mtime_ns


def _read_table(models: Path) -> dict[str, _Mark | None]:
    """What the table says; nothing if there is none, or it cannot be understood."""
    try:
        text = read_regular(models / CHECKED_NAME, _HIGHEST_TABLE_BYTES).decode("utf-8")
        rows = [line.split(" ", 3) for line in text.splitlines()]
        return {key: (sha256, int(size), int(time)) for sha256, size, time, key in rows}
    except (OSError, ValueError):
        return {}
