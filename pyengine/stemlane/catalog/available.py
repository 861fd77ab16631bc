# SPDX-License-Identifier: MIT
"""Which models of other projects can be added by name, and what is known of them before anything is fetched."""

from dataclasses import dataclass

from stemlane.catalog.convert.htdemucs.source import OFFICIAL as HTDEMUCS
from stemlane.catalog.convert.open_unmix.source import OFFICIAL as OPEN_UNMIX
from stemlane.catalog.convert.open_unmix.source import STEMS as FOUR_STEMS
from stemlane.catalog.licences import Licence
from stemlane.catalog.sources import SOURCES, find_source
from stemlane.manifests.addable import sources_meant

_SPLEETER_STEMS = {
    "2stems": ("vocals", "accompaniment"),
    "4stems": FOUR_STEMS,
    "5stems": ("vocals", "drums", "bass", "piano", "other"),
}
# What the converted models state (tests/unit/python/test_available.py converts networks of every form and compares).
_SPLEETER_SECONDS, _SPLEETER_16KHZ_SECONDS = (15.0, 3.2, 1.7), (16.4, 3.5, 1.9)
_OPEN_UNMIX_SECONDS, _UMXL_SECONDS = (27.9, 3.2, 1.7), (34.8, 3.9, 2.0)
_HTDEMUCS_SECONDS, _HTDEMUCS_FT_SECONDS = (11.7, 4.5), (13.7, 5.2)
# Of the weights as they are published: parameters of four bytes, two in HTDemucs.
_MEGABYTES = {
    **{f"spleeter:{variant}": size for variant, size in (("2stems", 79), ("4stems", 157), ("5stems", 197))},
    "open-unmix:umx": 142, "open-unmix:umxhq": 142, "open-unmix:umxl": 452,
    "htdemucs": 84, "htdemucs_ft": 252, "htdemucs_6s": 55,
}  # fmt: skip
_SPLIT = "{} dB SDR of vocals / drums / bass / other, {}"
_MEAN = "{} dB SDR on the mean of four stems, MUSDB18-HQ (README of Demucs)"
# As their makers have measured it, on the test songs of MUSDB18; nothing of it was measured here.
_QUALITY = {
    "spleeter:4stems": _SPLIT.format("6.6 / 5.9 / 5.1 / 4.2", "MUSDB18 (JOSS 5(50), 2154)"),
    "open-unmix:umx": _SPLIT.format("6.3 / 5.7 / 5.2 / 4.0", "MUSDB18 (README of Open-Unmix)"),
    "open-unmix:umxhq": _SPLIT.format("6.3 / 6.0 / 5.1 / 4.3", "MUSDB18-HQ (README of Open-Unmix)"),
    "open-unmix:umxl": _SPLIT.format("7.2 / 7.2 / 6.0 / 4.9", "MUSDB18-HQ (README of Open-Unmix)"),
    "htdemucs": _MEAN.format("9.0"),
    "htdemucs_ft": _MEAN.format("9.2"),
    "htdemucs_6s": "no figures; its guitar is fair, its piano poor, their maker says (README of Demucs)",
}
_UNKNOWN_QUALITY = "no figures known"


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
    megabytes
        Of the weights, about what is fetched.
    latency_seconds
        Of each window it comes with, the best first.
    quality
        What its makers say, and where.
    """

    source: str
    model_name: str
    stems: tuple[str, ...]
    licence: Licence
    megabytes: int
    latency_seconds: tuple[float, ...]
    quality: str


def available_models() -> list[Available]:
    """All that have a name of their own; networks of MDX-Net come as files and are not among them."""
    found = []
    for bands, seconds in (("", _SPLEETER_SECONDS), ("-16kHz", _SPLEETER_16KHZ_SECONDS)):
        found += [_entry(f"spleeter:{variant}{bands}", stems, seconds) for variant, stems in _SPLEETER_STEMS.items()]
    for variant in OPEN_UNMIX:
        seconds = _UMXL_SECONDS if variant == "umxl" else _OPEN_UNMIX_SECONDS
        found.append(_entry(f"open-unmix:{variant}", FOUR_STEMS, seconds))
    for variant in HTDEMUCS:
        more = ("guitar", "piano") if variant.endswith("_6s") else ()
        latencies = _HTDEMUCS_FT_SECONDS if variant.endswith("_ft") else _HTDEMUCS_SECONDS
        found.append(_entry(variant, (*FOUR_STEMS[:-1], *more, FOUR_STEMS[-1]), latencies))
    return found


def source_names() -> list[str]:
    """What `stemlane models add` takes by name: the models above, and families whose networks come as files."""
    return [*(entry.source for entry in available_models()), *from_files()]


def from_files() -> list[str]:
    """Families whose networks come as files of the user's.

    >>> from_files()
    ['mdx', 'mdx23c', 'roformer', 'scnet']
    """
    named = [entry.source for entry in available_models()]
    families = [vars(module)["__name__"].split(".")[-2].replace("_", "-") for module in SOURCES]
    return sorted(family for family in families if not any(name.startswith(family) for name in named))


def _entry(source: str, stems: tuple[str, ...], latency_seconds: tuple[float, ...]) -> Available:
    known = find_source(source, None)
    if known is None:
        raise AssertionError(source)
    module, named = known
    weights = source.removesuffix("-16kHz")  # the same ones, used to a higher edge
    return Available(
        source, named.model_name, stems, module.licence(named), _MEGABYTES[weights], latency_seconds,
        _QUALITY.get(source, _UNKNOWN_QUALITY),
    )  # fmt: skip


def find_available(name: str) -> list[Available]:
    """What may be meant by the name of a model that is not here: one, or several of a family, or none.

    >>> [entry.source for entry in find_available("HTDemucs-FT")], [entry.source for entry in find_available("umxhq")]
    (['htdemucs_ft'], ['open-unmix:umxhq'])
    >>> [entry.source for entry in find_available("open_unmix")]
    ['open-unmix:umx', 'open-unmix:umxhq', 'open-unmix:umxl']
    """
    meant = sources_meant(name)
    return [entry for entry in available_models() if entry.source in meant]
