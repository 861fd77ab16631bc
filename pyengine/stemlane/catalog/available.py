# SPDX-License-Identifier: MIT
"""Which models of other projects can be added by name, before anything is fetched."""

from dataclasses import dataclass

from stemlane.catalog.convert.htdemucs.source import OFFICIAL as HTDEMUCS
from stemlane.catalog.convert.open_unmix.source import OFFICIAL as OPEN_UNMIX
from stemlane.catalog.convert.open_unmix.source import STEMS as FOUR_STEMS
from stemlane.catalog.licences import Licence
from stemlane.catalog.sources import find_source

_SPLEETER_STEMS = {
    "2stems": ("vocals", "accompaniment"),
    "4stems": FOUR_STEMS,
    "5stems": ("vocals", "drums", "bass", "piano", "other"),
}


@dataclass(frozen=True)
class Available:
    """A model that can be added.

    Attributes
    ----------
    source
        What `stemlane models add` takes.
    model_name
        What the model is called then.
    stems
        What it separates.
    licence
        Of the weights, as their makers state it.
    """

    source: str
    model_name: str
    stems: tuple[str, ...]
    licence: Licence


def available_models() -> list[Available]:
    """All that have a name of their own; networks of MDX-Net come as files and are not among them."""
    found = []
    for bands in ("", "-16kHz"):
        found += [_entry(f"spleeter:{variant}{bands}", stems) for variant, stems in _SPLEETER_STEMS.items()]
    found += [_entry(f"open-unmix:{variant}", FOUR_STEMS) for variant in OPEN_UNMIX]
    for variant in HTDEMUCS:
        more = ("guitar", "piano") if variant.endswith("_6s") else ()
        found.append(_entry(variant, (*FOUR_STEMS[:-1], *more, FOUR_STEMS[-1])))
    return found


def _entry(source: str, stems: tuple[str, ...]) -> Available:
    known = find_source(source, None)
    if known is None:
        raise AssertionError(source)
    module, named = known
    return Available(source, named.model_name, stems, module.licence(named))
