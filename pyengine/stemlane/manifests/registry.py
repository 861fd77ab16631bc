# SPDX-License-Identifier: MIT
"""Which models there are and where: embedded ones, the user's, and folders named by STEMLANE_MODELS.

Also checks a model's files against the hashes in its manifest. Reading a manifest is `manifest`'s job.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from stemlane.errors import ManifestError, ModelError
from stemlane.manifests.manifest import MANIFEST_NAME, Manifest, load_manifest, model_folders

ALIASES = {"default": "mix"}
_PACKAGE = Path(__file__).resolve().parents[1]


def embedded_folder() -> Path:
    """Folder of the models that come with the package; in a source checkout, the checkout's `models`."""
    installed = _PACKAGE / "models"
    checkout = _PACKAGE.parents[1] / "models"
    return checkout if not installed.is_dir() and checkout.is_dir() else installed


def user_folder() -> Path:
    """Folder of the models a user has added (it need not exist)."""
    import platformdirs

    return Path(platformdirs.user_data_dir("stemlane", appauthor=False)) / "models"


def search_folders() -> list[Path]:
    """Folders searched for models, first match wins: STEMLANE_MODELS (like PATH), embedded, the user's."""
    named = [Path(entry) for entry in os.environ.get("STEMLANE_MODELS", "").split(os.pathsep) if entry]
    return [*named, embedded_folder(), user_folder()]


@dataclass(frozen=True)
class Listing:
    """One model found: its manifest, or the text that says why it cannot be used."""

    name: str
    folder: Path
    manifest: Manifest | None
    problem: str = ""


def list_models() -> list[Listing]:
    """Every model that can be named, in search order; broken ones are listed with their problem."""
    found: dict[str, Listing] = {}
    for folder in search_folders():
        for model_folder in model_folders(folder):
            name = model_folder.name
            if name in found:
                continue
            try:
                found[name] = Listing(name, model_folder, _load_named(model_folder))
            except ManifestError as error:
                found[name] = Listing(name, model_folder, None, str(error))
    return list(found.values())


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
    text = os.fspath(model)
    if isinstance(model, Path) or os.sep in text:
        if not (Path(text) / MANIFEST_NAME).is_file():
            raise ModelError(f"no model in {text}: a model is a folder with a {MANIFEST_NAME}")
        return load_manifest(text)
    name = ALIASES.get(text, text)
    for folder in search_folders():
        if name and (folder / name / MANIFEST_NAME).is_file():
            return _load_named(folder / name)
    names = ", ".join(listing.name for listing in list_models()) or "none is installed"
    raise ModelError(f"no model called {text!r}; there is: {names}")


def _load_named(folder: Path) -> Manifest:
    manifest = load_manifest(folder)
    if manifest.name != folder.name:
        raise ManifestError(
            f"{folder / MANIFEST_NAME}: name is {manifest.name!r}, should be the folder's, {folder.name!r}"
        )
    return manifest


def verify_model(manifest: Manifest) -> None:
    """Check that every file of a model is there and has the SHA-256 its manifest states.

    Raises
    ------
    ModelError
        Naming the first file that is missing or differs.
    """
    for entry in manifest.files:
        path = manifest.folder / entry.path
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(
                f"model {manifest.name!r}: {path} cannot be read ({error.strerror}); install the model again"
            ) from None
        if found != entry.sha256:
            raise ModelError(
                f"model {manifest.name!r}: {path} is damaged or changed "
                f"(sha256 {found[:12]}…, manifest says {entry.sha256[:12]}…); install the model again"
            )
