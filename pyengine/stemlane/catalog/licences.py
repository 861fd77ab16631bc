# SPDX-License-Identifier: MIT
"""What the makers of weights allow, as they state it, and where: the one table that everything else prints.

A manifest carries the text of its licence. A text that is in this table comes with more; any other is the statement of
whoever wrote the manifest.
"""

from dataclasses import dataclass
from enum import Enum

from stemlane.errors import StemlaneError
from stemlane.manifests import registry
from stemlane.manifests.ensemble import EnsembleSettings
from stemlane.manifests.model import Manifest


class Terms(Enum):
    """What may be done with weights, in plain words; empty where there is nothing to warn of."""

    FREE = ""
    STATED = "this is what the manifest says; nobody here has checked it"
    RESTRICTED = "these weights, and what is made with them, are not for commercial use"
    RESEARCH = "these weights are for research only; what else is done with them, their maker has not allowed"
    UNSTATED = "their maker has stated no licence, so nothing is allowed beyond what the law gives you"
    UNKNOWN = "nobody here knows who made these weights, from what, or what is allowed"

    @property
    def must_be_accepted(self) -> bool:
        """Whether the maker forbids something that users do, so that they are asked before the weights are added."""
        return self in (Terms.RESTRICTED, Terms.RESEARCH)


@dataclass(frozen=True)
class Licence:
    """A statement about weights: the text, where it stands ("" if nowhere), and what it comes to."""

    text: str
    where: str
    terms: Terms


EMBEDDED = Licence("MIT", "MODEL_CARD.md beside the network, which lists all training data", Terms.FREE)
SPLEETER = Licence(
    "MIT (Deezer SA)",
    "Hennequin et al., JOSS 5(50), 2154, for code and models; the README names the code only",
    Terms.FREE,
)
OPEN_UNMIX = Licence("MIT (Open-Unmix)", "the README of Open-Unmix 1.3.0", Terms.FREE)
UMXL = Licence("CC BY-NC-SA 4.0: not for commercial use", "https://zenodo.org/records/5069601", Terms.RESTRICTED)
HTDEMUCS = Licence(
    "research only: not under the MIT licence of the code, their author says",
    "https://github.com/facebookresearch/demucs/issues/327",
    Terms.RESEARCH,
)
SCNET = Licence("MIT (SCNet's author)", "https://github.com/starrytong/SCNet/issues/35", Terms.FREE)
MDX = Licence("none stated", "", Terms.UNSTATED)
UNKNOWN = Licence("unknown: ask who made the weights", "", Terms.UNKNOWN)

_NARROWEST_FIRST = (Terms.RESEARCH, Terms.RESTRICTED, Terms.UNKNOWN, Terms.UNSTATED, Terms.STATED, Terms.FREE)
_BY_TEXT = {licence.text: licence for licence in (SPLEETER, OPEN_UNMIX, UMXL, HTDEMUCS, SCNET, MDX, UNKNOWN)}


def licence_of(manifest: Manifest) -> Licence:
    """What is known of the licence of a model; that of an ensemble is its members', in the narrowest terms of these."""
    if isinstance(manifest.settings, EnsembleSettings):
        return _of_members(manifest.settings)
    if manifest.folder.parent == registry.embedded_folder():
        return Licence(manifest.licence, EMBEDDED.where, Terms.FREE)
    if manifest.licence in _BY_TEXT:
        return _BY_TEXT[manifest.licence]
    text = manifest.licence.lower()
    restricted = "non-commercial" in text or "not for commercial" in text
    return Licence(manifest.licence, "", Terms.RESTRICTED if restricted else Terms.STATED)


def _of_members(settings: EnsembleSettings) -> Licence:
    members = []
    for name in settings.members:
        try:
            member = registry.find_model(name)
        except StemlaneError:
            members.append((name, UNKNOWN))
            continue
        # An ensemble of ensembles is refused when it is loaded; following one here might never end.
        members.append((name, UNKNOWN if isinstance(member.settings, EnsembleSettings) else licence_of(member)))
    texts = "; ".join(f"{name}: {licence.text}" for name, licence in members)
    places = "; ".join(f"{name}: {licence.where}" for name, licence in members if licence.where)
    return Licence(texts, places, min((licence.terms for _, licence in members), key=_NARROWEST_FIRST.index))


def licence_rows(manifest: Manifest) -> dict[str, str]:
    """Labels and texts for `models show` and `models add`, in the order in which they should be read."""
    licence = licence_of(manifest)
    rows = {"licence": licence.text, "stated in": licence.where, "notice": licence.terms.value}
    return {label: text for label, text in rows.items() if text}
