# SPDX-License-Identifier: MIT
"""What files, library and command line call a model's stems.

Inside, and on the plugin's faders, the residual is `other`. Spleeter calls it `accompaniment` in its models of two
stems, and so do its users' scripts and folders.
"""

from stemlane.contract import ACCOMPANIMENT
from stemlane.manifests.model import Manifest


def stem_names(manifest: Manifest) -> tuple[str, ...]:
    """Names of all stems, in the order of the model.

    Examples
    --------
    `("vocals", "accompaniment")` for spleeter-2stems, `manifest.stems` for most others.
    """
    return tuple(ACCOMPANIMENT if _renamed(manifest, stem) else stem for stem in manifest.stems)


def stem_of(manifest: Manifest, name: str) -> str:
    """The stem of the manifest that a user calls `name`; `name` itself where no stem has another name."""
    renamed = _renamed(manifest, manifest.residual)
    return manifest.residual if renamed and name == ACCOMPANIMENT else name


def _renamed(manifest: Manifest, stem: str) -> bool:
    return manifest.kind == "spleeter" and stem == manifest.residual and manifest.separated_stems == ("vocals",)
