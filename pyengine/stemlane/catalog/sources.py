# SPDX-License-Identifier: MIT
"""The sources of weights there are: one table, which a new family of networks enters."""

import re
from collections.abc import Callable
from pathlib import Path
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
_HIGHEST_SETTINGS_BYTES = 1 << 20
SOURCE_NAMES = (
    "spleeter:2stems, spleeter:4stems, spleeter:5stems, each also with -16kHz; open-unmix:umx, open-unmix:umxhq, "
    "open-unmix:umxl; htdemucs, htdemucs_ft, htdemucs_6s; mdx with --from FILE.onnx; scnet with --from FILE.ckpt; "
    "roformer and mdx23c with --from FILE.ckpt --config FILE.yaml; a file of weights; or a folder with a manifest.toml"
)


def source_of_file(path: Path) -> tuple[str, Path | None] | None:
    """What kind of weights a file holds, going by its name, and the settings that lie beside it.

    A checkpoint (.ckpt) with a .yaml of the same name is a RoFormer or an MDX23C network, one without an SCNet.

    Returns
    -------
    tuple or None
        What `models add` takes for its source, and the file of settings or None. None if the name says nothing.

    Raises
    ------
    ModelError
        If a Spleeter archive does not say how many stems it has.

    >>> source_of_file(Path("UVR-MDX-NET-Inst_HQ_3.onnx")), source_of_file(Path("955717e8.th"))
    (('mdx', None), ('htdemucs', None))
    >>> source_of_file(Path("4stems.tar.gz"))
    ('spleeter:4stems', None)
    """
    name = path.name.lower()
    if name.endswith(".onnx"):
        return "mdx", None
    if name.endswith((".th", ".safetensors")):
        return "htdemucs", None
    if name.endswith((".tar.gz", ".tgz")):
        if found := re.search(r"([245])stems", name):
            return f"spleeter:{found[1]}stems", None
        raise ModelError(f"{path}: a Spleeter archive should be called 2stems.tar.gz, 4stems.tar.gz or 5stems.tar.gz")
    if name.endswith(".ckpt"):
        settings = [path.with_suffix(ending) for ending in (".yaml", ".yml")]
        config = next((file for file in settings if file.is_file()), None)
        if config is None:
            return "scnet", None
        with config.open("rb") as file:
            text = file.read(_HIGHEST_SETTINGS_BYTES)
        return ("mdx23c" if b"num_subbands" in text else "roformer"), config
    return None


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
    if licence.terms.must_be_accepted and not accept(f"{source}: {licence.cited}: {licence.terms.value}. Add it?"):
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
