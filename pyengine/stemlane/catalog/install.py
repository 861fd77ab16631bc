# SPDX-License-Identifier: MIT
"""Adds models to the user's folder and removes them, and keeps the index there that the plugin reads.

A model appears whole or not at all: it is made in a folder beside, loaded once, and moved. What the weights of a kind
look like is `convert`'s business, fetching `download`'s.
"""

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stemlane.catalog import measured, network_check, selftest, trial
from stemlane.catalog.convert.options import AddOptions
from stemlane.catalog.convert.source import Order
from stemlane.catalog.disk import write_error
from stemlane.catalog.sources import SOURCE_NAMES, find_source
from stemlane.contract import LONGEST_MODEL_NAME, MODEL_INDEX_FILE
from stemlane.errors import ModelError
from stemlane.manifests import integrity, registry
from stemlane.manifests.model import MANIFEST_NAME, Manifest, index_text, load_manifest
from stemlane.package_folder import is_bundled
from stemlane.regular_files import copy_regular

Report = Callable[[str, int, int], None]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
# How the user gets another name.
_BY_OPTION, _BY_MANIFEST, _BY_CHOICE = "choose one with --name", f"change it in {MANIFEST_NAME}", "choose another name"
# What the extra `convert` of pyproject.toml brings, and its modules; a test compares.
CONVERTER_PACKAGES = {"google-crc32c": "google_crc32c", "onnx": "onnx", "pyyaml": "yaml", "safetensors": "safetensors"}
_STALE_SECONDS = 24 * 3600
_HIGHEST_FILE_BYTES = 8 << 30
_HIGHEST_TEXT_BYTES = 1 << 20  # of a card or a licence


def add_model(
    source: str,
    *,
    location: str | None = None,
    name: str | None = None,
    force: bool = False,
    measure: bool = False,
    report: Report = lambda stage, done, total: None,
    **options: Any,
) -> list[Manifest]:
    """Install a model for this user.

    Parameters
    ----------
    source
        `spleeter:2stems`, `spleeter:4stems` or `spleeter:5stems`, with `-16kHz` for 1536 instead of 1024 bins;
        `open-unmix:umx`, `open-unmix:umxhq` or `open-unmix:umxl`; `htdemucs`, `htdemucs_ft` or `htdemucs_6s`; `mdx`;
        or the path of a folder that is a model already.
    location
        Path or address of the weights in place of the official address. Spleeter: an archive, or for a path also a
        folder. Open-Unmix: a folder of .pth files. HTDemucs: a .th file or a folder of them. MDX: the .onnx file.
        What comes from an address must be the official weights.
    name
        Name of the model in place of the usual one; the models of shorter windows add to it.
    force
        Replace models of these names.
    measure
        Measure what segment models cost and how much their windows show: some seconds.
    report
        Called with a stage's name, what is done of it and its total, in bytes.
    **options
        See `stemlane.catalog.convert.options.AddOptions`.

    Returns
    -------
    list of Manifest
        What has been installed.

    Raises
    ------
    ModelError
        If there is no such source, a name is taken, or the weights are wrong. Nothing has changed then.
    """
    wanted = AddOptions.of(**options)
    if (found := find_source(source, location)) is None:
        _check_folder(source, wanted, force=force, renamed=bool(name or location))
        return _install(lambda workshop: [_copy(Path(source), workshop.staged)], force, measure, report)
    module, named = found
    wanted.check_taken(source, module.OPTIONS)
    name = named.model_name if name is None else name
    _check_name(name, force)  # before anything is fetched

    def convert(workshop: _Workshop) -> list[Path]:
        order = Order(
            location=location, name=name, options=wanted, downloads=registry.user_folder().parent / "downloads",
            scratch=workshop.scratch, target=workshop.staged, report=report,
        )  # fmt: skip
        return module.add(named, order)

    return _install(convert, force, measure, report)


def _check_folder(source: str, wanted: AddOptions, *, force: bool, renamed: bool) -> None:
    """Raise `ModelError` unless `source` is the folder of a model that can be added as it is."""
    if not (Path(source) / MANIFEST_NAME).is_file():
        raise ModelError(f"no source called {source!r}; there are: {SOURCE_NAMES}")
    if renamed:
        raise ModelError(f"{source} is a model: its manifest gives the name, and it comes from nowhere else")
    wanted.check_taken(source, ())
    _check_name(load_manifest(source).name, force, _BY_MANIFEST)


def _install(make: Callable[["_Workshop"], list[Path]], force: bool, measure: bool, report: Report) -> list[Manifest]:
    """Make models in a workshop, check and try them, and move them among the user's."""
    models = registry.user_folder()
    with _disk_errors(models), _workshop(models) as workshop:
        with _converter_is_there():
            folders = make(workshop)
            for folder in folders:
                _check_name(folder.name, force)
            _try(folders, workshop.scratch, measure, report)
        _move(folders, models, workshop.replaced)
    return [load_manifest(models / folder.name) for folder in folders]


def add_manifest(name: str, text: str, *, force: bool, report: Report) -> Manifest:
    """Install a model that is nothing but the text of a manifest; `ModelError` if it does not run."""
    _check_name(name, force, _BY_CHOICE)

    def write(workshop: _Workshop) -> list[Path]:
        folder = workshop.staged / name
        folder.mkdir()
        (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")
        return [folder]

    return _install(write, force, False, report)[0]


def remove_model(name: str) -> Path:
    """Remove a model that was added; returns its folder. The embedded ones stay, `ModelError` says so."""
    models = registry.user_folder()
    folder = models / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        if (registry.embedded_folder() / registry.ALIASES.get(name, name)).is_dir() and _NAME.fullmatch(name):
            raise ModelError(f"{name!r} comes with the package and cannot be removed")
        names = ", ".join(sorted(path.parent.name for path in models.glob(f"*/{MANIFEST_NAME}"))) or "none"
        raise ModelError(f"no model called {name!r} has been added; added: {names}")
    with _disk_errors(models), _workshop(models) as workshop:
        os.replace(folder, workshop.replaced / name)  # at once; the rest takes time
        write_index()
        integrity.remember(models, [])
    return folder


def verify(model: str) -> Manifest:
    """Check a model's files by their hashes, its tensors and its known output; returns its manifest.

    Raises
    ------
    ModelError
        Naming what differs.
    """
    manifest = registry.find_model(model)
    integrity.verify_model(manifest)
    trial.try_models([manifest])
    if manifest.folder.parent == registry.user_folder():
        with contextlib.suppress(OSError):  # a table that cannot be written makes loading slower, no more
            integrity.remember(manifest.folder.parent, [manifest.folder])
    return manifest


def write_index() -> Path:
    """Rewrite the table of the user's models that the plugin reads; returns its path."""
    models = registry.user_folder()
    path = models / MODEL_INDEX_FILE
    partial = path.with_name(f".{MODEL_INDEX_FILE}.{secrets.token_hex(4)}")
    try:
        partial.write_text(index_text(models, is_taken=registry.is_reserved), encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def refresh_index() -> None:
    """Bring the plugin's table up to date, if a model was copied into the user's folder or taken away by hand."""
    models = registry.user_folder()
    with contextlib.suppress(OSError):  # a folder that cannot be written holds what was put there with its table
        path = models / MODEL_INDEX_FILE
        known = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if models.is_dir() and index_text(models, is_taken=registry.is_reserved) != known:
            write_index()


def _check_name(name: str, force: bool, remedy: str = _BY_OPTION) -> None:
    """Raise `ModelError` unless a model may be called that; `remedy` says how to call it something else."""
    if not _NAME.fullmatch(name):
        raise ModelError(f"name is {name!r}, should be lower-case letters, digits, '.', '_' or '-'")
    if len(name) > LONGEST_MODEL_NAME:
        raise ModelError(f"name has {len(name)} characters, should have at most {LONGEST_MODEL_NAME}; {remedy}")
    if registry.is_reserved(name):
        raise ModelError(f"the name {name!r} belongs to a model that comes with the package; {remedy}")
    if (registry.user_folder() / name).exists() and not force:
        raise ModelError(f"a model called {name!r} is there already; --force replaces it, or {remedy}")


def missing_text(name: str) -> str:
    """What to do about a missing package of the converter; a bundle's Python has no pip."""
    if is_bundled():
        return "the plugin's own Python cannot add it; the Python package's 'stemlane models add' can"
    return f"{name} is missing: run 'pip install {' '.join(CONVERTER_PACKAGES)}'"


@contextlib.contextmanager
def _converter_is_there() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ModelError(missing_text(str(error.name))) from None


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(error, folder, "nothing was changed") from None


@dataclass(frozen=True)
class _Workshop:
    """Folders on the same disk as the models: for what is unpacked, for models that are made, and for old ones."""

    scratch: Path
    staged: Path
    replaced: Path


@contextlib.contextmanager
def _workshop(models: Path) -> Iterator[_Workshop]:
    """A workshop that is removed at the end, as are those others left."""
    models.mkdir(parents=True, exist_ok=True)
    parent = models.parent / "unfinished"
    parent.mkdir(exist_ok=True)
    for left in parent.iterdir():
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / secrets.token_hex(4)
    workshop = _Workshop(folder / "scratch", folder / "staged", folder / "replaced")
    try:
        for part in (workshop.scratch, workshop.staged, workshop.replaced):
            part.mkdir(parents=True)
        yield workshop
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> Path:
    """Copy a model's files, and nothing else of its folder, which is not trusted."""
    incoming = target / "incoming"
    incoming.mkdir()
    cards = [name for name in ("MODEL_CARD.md", "LICENSE") if os.path.lexists(source / name)]
    try:
        for path in (MANIFEST_NAME, *cards):
            copy_regular(source, path, incoming, _HIGHEST_TEXT_BYTES)
        manifest = load_manifest(incoming)
        for entry in manifest.files:
            found = copy_regular(source, entry.path, incoming, _HIGHEST_FILE_BYTES)
            if found != entry.sha256:
                raise integrity.damaged(replace(manifest, folder=source), entry, found)
    except OSError as error:
        if error.filename is None or not Path(error.filename).is_relative_to(source):
            raise
        raise ModelError(f"{error.filename}: cannot be copied ({error.strerror})") from None
    return incoming.rename(target / manifest.name)


def _try(folders: list[Path], scratch: Path, measure: bool, report: Report) -> None:
    """Run the models as the engine will; their output must be the one they state, or becomes that."""
    manifests = [load_manifest(folder) for folder in folders]
    for manifest in manifests:
        network_check.check_networks(manifest)
    recording = None
    if measure and measured.wanted(manifests):
        recording = scratch / "recording.npy"
        np.save(recording, measured.recording_of(manifests))
    try:
        known, numbers = trial.try_models(manifests, recording, report)
    except ModelError as error:
        raise ModelError(f"model {manifests[0].name!r} does not run: {error}") from None
    for manifest, values in zip(manifests, known, strict=True):
        if values is not None:
            selftest.store(manifest, values)
    if numbers is not None:
        measured.store(manifests, numbers)


def _move(folders: list[Path], models: Path, replaced: Path) -> None:
    """Move all folders among the models and write the index, or leave all as it was; `replaced` takes old ones."""
    try:
        for folder in folders:
            if (models / folder.name).exists():
                os.replace(models / folder.name, replaced / folder.name)
            os.replace(folder, models / folder.name)
        write_index()
        integrity.remember(models, [models / folder.name for folder in folders])
    except BaseException:
        for folder in folders:
            if not folder.exists():  # it has been moved
                shutil.rmtree(models / folder.name, ignore_errors=True)
            if (replaced / folder.name).exists():
                os.replace(replaced / folder.name, models / folder.name)
        raise
