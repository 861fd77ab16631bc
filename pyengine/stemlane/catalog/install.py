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
from pathlib import Path

from stemlane.catalog import measured, selftest
from stemlane.catalog.convert.htdemucs import source as htdemucs_source
from stemlane.catalog.convert.mdx import source as mdx_source
from stemlane.catalog.convert.open_unmix import source as open_unmix_source
from stemlane.catalog.convert.options import AddOptions
from stemlane.catalog.convert.source import Order, Source
from stemlane.catalog.convert.spleeter import source as spleeter_source
from stemlane.errors import ModelError, StemlaneError
from stemlane.manifests import registry
from stemlane.manifests.manifest import MANIFEST_NAME, Manifest, index_text, load_manifest

INDEX_NAME = "models.index"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_STALE_SECONDS = 24 * 3600
_SOURCES: tuple[Source, ...] = (spleeter_source, open_unmix_source, htdemucs_source, mdx_source)
_SOURCE_NAMES = (
    "spleeter:2stems, spleeter:4stems, spleeter:5stems, each also with -16kHz; open-unmix:umx, open-unmix:umxhq, "
    "open-unmix:umxl; htdemucs, htdemucs_ft, htdemucs_6s; mdx with --from FILE.onnx; or a folder with a manifest.toml"
)


def add_model(
    source: str,
    *,
    location: str | None = None,
    name: str | None = None,
    force: bool = False,
    measure: bool = False,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
    **options,
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
        Measure what segment models cost and how much their windows show; takes some seconds.
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
        If there is no such source, a name is taken, or the weights are not what they should be. Nothing has changed
        then.
    """
    options = AddOptions(**options)
    known = [(module, parsed) for module in _SOURCES if (parsed := module.parse(source, location)) is not None]
    is_folder = not known and (Path(source) / MANIFEST_NAME).is_file()
    if not known and not is_folder:
        raise ModelError(f"no source called {source!r}; there is: {_SOURCE_NAMES}")
    if is_folder and (name or location):
        raise ModelError(f"{source} is a model: its manifest gives the name, and it comes from nowhere else")
    options.check_taken(source, () if is_folder else known[0][0].OPTIONS)
    wanted = load_manifest(source).name if is_folder else known[0][1].model_name if name is None else name
    if not is_folder:
        _check_name(wanted, force)  # before anything is fetched
    models = registry.user_folder()
    with _disk_errors(models), _workshop(models) as workshop:
        staged, scratch = workshop / "staged", workshop / "scratch"
        staged.mkdir()
        scratch.mkdir()
        if is_folder:
            folders = [_copy(load_manifest(source), staged)]
        else:
            [(module, parsed)] = known
            order = Order(
                location=location, name=wanted, options=options, downloads=models.parent / "downloads",
                scratch=scratch, target=staged, report=report,
            )  # fmt: skip
            try:
                folders = module.add(parsed, order)
            except ImportError as error:
                raise ModelError(f"{error.name} is missing: run pip install 'stemlane[convert]'") from None
        for folder in folders:
            _check_name(folder.name, force)
            _try(folder)
        if measure:
            measured.store(folders, report)
        _move(folders, models, workshop / "replaced")
    return [load_manifest(models / folder.name) for folder in folders]


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
        os.replace(folder, workshop / name)  # at once; the rest takes time
        write_index()
    return folder


def write_index() -> Path:
    """Write anew the table of the user's models that the plugin reads; returns its path."""
    models = registry.user_folder()
    path = models / INDEX_NAME
    partial = path.with_name(f".{INDEX_NAME}.{secrets.token_hex(4)}")
    try:
        partial.write_text(index_text(models, skip_unusable=True), encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _check_name(name: str, force: bool) -> None:
    if not _NAME.fullmatch(name):
        raise ModelError(f"name is {name!r}, should be lower-case letters, digits, '.', '_' or '-'")
    if name in registry.ALIASES or (registry.embedded_folder() / name).is_dir():
        raise ModelError(f"the name {name!r} belongs to a model that comes with the package; choose one with --name")
    if (registry.user_folder() / name).exists() and not force:
        raise ModelError(f"a model called {name!r} is there already; --force replaces it, --name takes another name")


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"{error.filename or folder}: {error.strerror or error}; nothing was changed") from None


@contextlib.contextmanager
def _workshop(models: Path) -> Iterator[Path]:
    """A folder on the same disk as the models, but not among them; removed at the end, as are those others left."""
    models.mkdir(parents=True, exist_ok=True)
    parent = models.parent / "unfinished"
    parent.mkdir(exist_ok=True)
    for left in parent.iterdir():
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    workshop = parent / secrets.token_hex(4)
    workshop.mkdir()
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _copy(manifest: Manifest, target: Path) -> Path:
    """Copy a model's files, and nothing else of its folder."""
    registry.verify_model(manifest)
    folder = target / manifest.name
    folder.mkdir()
    cards = [name for name in ("MODEL_CARD.md", "LICENSE") if (manifest.folder / name).is_file()]
    for path in (MANIFEST_NAME, *cards, *(entry.path for entry in manifest.files)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(manifest.folder / path, folder / path)
    return folder


def _try(folder: Path) -> None:
    """Run the model as the engine will; its output must be the one it states, or becomes that."""
    manifest = load_manifest(folder)
    try:
        if not selftest.check(manifest):
            selftest.store(manifest)
    except StemlaneError as error:
        raise ModelError(f"model {manifest.name!r} does not run: {error}") from None


def _move(folders: list[Path], models: Path, replaced: Path) -> None:
    """Move all folders among the models and write the index, or leave all as it was; `replaced` takes old ones."""
    replaced.mkdir()
    try:
        for folder in folders:
            if (models / folder.name).exists():
                os.replace(models / folder.name, replaced / folder.name)
            os.replace(folder, models / folder.name)
        write_index()
    except BaseException:
        for folder in folders:
            if not folder.exists():  # it has been moved
                shutil.rmtree(models / folder.name, ignore_errors=True)
            if (replaced / folder.name).exists():
                os.replace(replaced / folder.name, models / folder.name)
        raise
