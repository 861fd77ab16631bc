# SPDX-License-Identifier: MIT
"""Which models there are and where: embedded ones, the user's, and folders named by STEMLANE_MODELS.

Reading a manifest is `manifest`'s job, checking a model's files `integrity`'s.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from stemlane.arguments import as_path, near_miss, shown
from stemlane.contract import LONGEST_MODEL_NAME, MODELS_FOLDER
from stemlane.errors import ManifestError, ModelError
from stemlane.manifests import addable, integrity
from stemlane.manifests.model import MANIFEST_NAME, Manifest, load_manifest, load_named, model_folders
from stemlane.package_folder import CHECKOUT, PACKAGE
from stemlane.user_folders import data_folder

ALIASES = {"default": "studio"}
MODELS_VARIABLE = "STEMLANE_MODELS"


def embedded_folder() -> Path:
    """Folder of the models that come with the package; in a source checkout, the checkout's `models`."""
    installed, checkout = PACKAGE / "models", CHECKOUT / "models"
    return checkout if not installed.is_dir() and checkout.is_dir() else installed


def user_folder() -> Path:
    """Folder of the models a user has added (it need not exist)."""
    return data_folder() / MODELS_FOLDER


def search_folders() -> list[Path]:
    """Folders searched for models, first match wins: embedded, STEMLANE_MODELS (like PATH), the user's.

    Raises
    ------
    ModelError
        If STEMLANE_MODELS names a folder that is not there, or that others may choose or change. This does not depend
        on which model is looked for: an embedded one is refused, too.
    """
    named = [_trusted(Path(entry)) for entry in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if entry]
    return [embedded_folder(), *named, user_folder()]


def is_reserved(name: str) -> bool:
    """Whether a name belongs to a model that comes with the package."""
    return name in ALIASES or (embedded_folder() / name / MANIFEST_NAME).is_file()


def _trusted(folder: Path) -> Path:
    """The folder, if it is the same wherever a program is started, and only its owner and group can change it."""
    if not folder.is_absolute():
        raise ModelError(f"{MODELS_VARIABLE} names {os.fspath(folder)!r}, which depends on where a program is started: "
                         "give the whole path")  # fmt: skip
    if not os.path.isdir(folder):
        raise ModelError(f"{MODELS_VARIABLE} names {os.fspath(folder)!r}, which is no folder: make it, or leave it out")
    if os.name == "posix":
        place = folder.resolve()
        for path in (place, *place.parents):
            try:
                mode = path.stat().st_mode
            except OSError:
                continue  # nothing is found in it
            # In a sticky folder such as /tmp nobody can replace what is another's.
            if mode & stat.S_IWOTH and (path == place or not mode & stat.S_ISVTX):
                raise ModelError(
                    f"{MODELS_VARIABLE} names {folder}, but everybody may write to {path}: run chmod o-w {path}"
                )
    return folder


@dataclass(frozen=True)
class Listing:
    """One model found: its manifest, or the text that says why it cannot be used."""

    name: str
    folder: Path
    manifest: Manifest | None
    problem: str = ""


def list_models() -> list[Listing]:
    """Every model that can be named, in search order; broken ones are listed with their problem.

    So are those of STEMLANE_MODELS that have the name of a model that comes with the package.
    """
    found: dict[str, Listing] = {}
    hidden = []
    for folder in search_folders():
        for model_folder in model_folders(folder):
            name = model_folder.name
            if is_reserved(name) and folder != embedded_folder():
                problem = f"{model_folder}: the name belongs to a model that comes with the package; give it another"
                hidden.append(Listing(name, model_folder, None, problem))
            if name in found:
                continue
            try:
                found[name] = Listing(name, model_folder, load_named(model_folder))
            except ManifestError as error:
                found[name] = Listing(name, model_folder, None, str(error))
    return [*found.values(), *hidden]


def models() -> dict[str, Manifest]:
    """The models that can be used, by name: those that come with the package, and those that were added.

    Examples
    --------
    >>> "live" in models(), models()["live"].stems
    (True, ('vocals', 'drums', 'bass', 'other'))
    """
    return {listing.name: listing.manifest for listing in list_models() if listing.manifest is not None}


def find_model(model: str | Path) -> Manifest:
    """Manifest of the model called `model`, or of the model in the folder `model`.

    Parameters
    ----------
    model
        A name as `stemlane models list` shows it, the alias `default`, or a path to a model's folder.

    Raises
    ------
    ModelError
        If there is no such model.
    ManifestError
        If its manifest is not usable.
    """
    path = as_path(model, "model")
    text = os.fspath(model)
    if isinstance(model, Path) or os.sep in text:
        if not os.path.isfile(path / MANIFEST_NAME):
            raise ModelError(f"no model in {path}: a model is a folder with a {MANIFEST_NAME}")
        return load_manifest(text)
    name = ALIASES.get(text, text)
    for folder in search_folders() if 0 < len(name) <= LONGEST_MODEL_NAME else ():
        if (folder / name / MANIFEST_NAME).is_file():
            return load_named(folder / name)
    names = [listing.name for listing in list_models()]
    is_here = addable.plain(text) in map(addable.plain, names)  # in another spelling
    if not is_here and (remedy := addable.remedy(text)):
        raise ModelError(f"model {shown(text)} {remedy}")
    near = near_miss(text, names)
    there = f"{near} There are" if near else "; there are"
    raise ModelError(f"no model called {shown(text)}{there}: {', '.join(names) or 'none'}")


def check_model(manifest: Manifest) -> None:
    """Check a model's files before it is loaded, quickly if they are as they were when it was installed.

    Raises
    ------
    ModelError
        Naming the first file that is missing or differs.
    """
    integrity.check_model(manifest, user_folder())
