# SPDX-License-Identifier: MIT
"""What a program that offers models needs to know of each: the objects of `stemlane models list --json`."""

import importlib.util
from typing import Any

from stemlane.catalog.available import Available, available_models
from stemlane.catalog.install import CONVERTER_PACKAGES, missing_text
from stemlane.catalog.licences import Licence, licence_of
from stemlane.manifests import registry
from stemlane.manifests.model import Manifest
from stemlane.manifests.stem_names import stem_names

# In words: the figures on their cards are from a panel that no other project's are from.
_EMBEDDED_QUALITY = {
    "live": "for playing live",
    "mix": "longer latency than live, for mixes, and lighter than live in a DAW",
    "studio": "half as much work again as mix: better at every stem, fewest invented vocals",
    "tracking": "the network of live at a lower latency, for monitoring while recording",
    "tracking-fast": "the network of live at the lowest latency, for monitoring while recording",
}


def installed_fields(listing: registry.Listing) -> dict[str, Any]:
    """A model that is here; `problem` says why it cannot be used, and then the rest is missing."""
    if listing.manifest is None:
        return {"name": listing.name, "installed": True, "problem": listing.problem}
    manifest = listing.manifest
    return {
        "name": manifest.name,
        "title": manifest.title,
        "installed": True,
        "embedded": manifest.folder.parent == registry.embedded_folder(),
        "stems": list(stem_names(manifest)),
        "latency_seconds": [round(manifest.latency_samples / manifest.sample_rate, 4)],
        "processor_seconds": manifest.measured.get("processor_seconds"),
        "quality": _quality(manifest),
        **_licence_fields(licence_of(manifest)),
    }


def available_fields(entry: Available, names: set[str]) -> dict[str, Any]:
    """A model of another project; `names` are those of the models that are here, `problem` why it cannot be added."""
    return {
        "name": entry.model_name,
        "source": entry.source,
        "title": entry.source,
        "installed": False,
        "is_here": entry.model_name in names,
        "stems": list(entry.stems),
        "latency_seconds": list(entry.latency_seconds),
        "megabytes": entry.megabytes,
        "quality": entry.quality,
        "problem": converter_problem(),
        **_licence_fields(entry.licence),
    }


def converter_problem() -> str:
    """Why this Python can add none of the published models, and what to do; empty if it can."""
    missing = [name for name, module in CONVERTER_PACKAGES.items() if importlib.util.find_spec(module) is None]
    return missing_text(missing[0]) if missing else ""


def _licence_fields(licence: Licence) -> dict[str, Any]:
    return {
        "licence": licence.text,
        "stated_in": licence.where,
        "notice": licence.terms.value,
        "must_be_accepted": licence.terms.must_be_accepted,
    }


def _quality(manifest: Manifest) -> str:
    if manifest.folder.parent == registry.embedded_folder():
        return _EMBEDDED_QUALITY.get(manifest.name, "")
    window_db = manifest.measured.get("window_sdr_db")
    if window_db is not None:  # the same network, hearing less
        return f"{window_db:.1f} dB SDR against the stems of its longest window"
    return next((entry.quality for entry in available_models() if entry.model_name == manifest.name), "")
