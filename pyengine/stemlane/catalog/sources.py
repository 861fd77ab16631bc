# SPDX-License-Identifier: MIT
"""The sources of weights there are: one table, which a new family of networks enters."""

from collections.abc import Callable
from typing import Any

from stemlane.catalog.convert.htdemucs import source as htdemucs
from stemlane.catalog.convert.mdx import source as mdx
from stemlane.catalog.convert.mdx23c import source as mdx23c
from stemlane.catalog.convert.open_unmix import source as open_unmix
from stemlane.catalog.convert.roformer import source as roformer
from stemlane.catalog.convert.scnet import source as scnet
from stemlane.catalog.convert.source import NamedSource, Source
from stemlane.catalog.convert.spleeter import source as spleeter
from stemlane.errors import ModelError

SOURCES: tuple[Source[Any], ...] = (spleeter, open_unmix, htdemucs, mdx, scnet, roformer, mdx23c)
SOURCE_NAMES = (
    "spleeter:2stems, spleeter:4stems, spleeter:5stems, each also with -16kHz; open-unmix:umx, open-unmix:umxhq, "
    "open-unmix:umxl; htdemucs, htdemucs_ft, htdemucs_6s; mdx with --from FILE.onnx; scnet with --from FILE.ckpt; "
    "roformer and mdx23c with --from FILE.ckpt --config FILE.yaml; or a folder with a manifest.toml"
)


def check_accepted(source: str, location: str | None, accept: Callable[[str], bool]) -> None:
    """Ask whether restricted weights may be used as their maker wants it.

    Parameters
    ----------
    accept
        Gets a question, returns whether the user agrees; called once, and only for weights whose maker restricts
        their use.

    Raises
    ------
    ModelError
        If the user does not agree.
    """
    found = find_source(source, location)
    if found is None:
        return
    module, named = found
    licence = module.licence(named)
    if licence.terms.must_be_accepted and not accept(
        f"{source}: {licence.text} ({licence.where}): {licence.terms.value}. Add it?"
    ):
        raise ModelError(f"{source}: not added, because its licence was not accepted; see {licence.where}")


def find_source(source: str, location: str | None) -> tuple[Source[Any], NamedSource] | None:
    """The module that knows `source`, and what it makes of it; None if no module does.

    Raises
    ------
    ModelError
        If the source needs a place and has none.
    """
    for module in SOURCES:
        if (named := module.parse(source, location)) is not None:
            return module, named
    return None
