# SPDX-License-Identifier: MIT
"""Where Open-Unmix's weights come from: official files and their hashes, mirrors, local folders."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from stemlane.catalog import licences
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.places import address, file_sha256
from stemlane.catalog.convert.source import CONVERTER, Order, fetch, own_weights
from stemlane.errors import ModelError

OPTIONS: tuple[str, ...] = ("wiener_iterations",)  # those of `AddOptions` that mean something here
DEFAULT_ITERATIONS = 1  # of the Wiener filter; the original's
STEMS = ("vocals", "drums", "bass", "other")
_SOURCE = re.compile(r"open-unmix:(umx|umxhq|umxl)", re.IGNORECASE)


@dataclass(frozen=True)
class Official:
    """A published set of weights; `hashes` are the beginnings of the files' SHA-256, as their names carry them."""

    title: str
    folder: str
    hashes: dict[str, str]
    licence: licences.Licence
    training_data: str

    def file_name(self, stem: str) -> str:
        """Name of the file of one stem."""
        return f"{stem}-{self.hashes[stem]}.pth"


# From openunmix/__init__.py and the README of Open-Unmix 1.3.0.
OFFICIAL = {
    "umx": Official(
        "Open-Unmix umx", "https://zenodo.org/records/3370486/files",
        {"vocals": "c8df74a5", "drums": "5a48008b", "bass": "646024d3", "other": "f8e132cc"},
        licences.OPEN_UNMIX, "MUSDB18",
    ),
    "umxhq": Official(
        "Open-Unmix umxhq", "https://zenodo.org/records/3370489/files",
        {"vocals": "b62c91ce", "drums": "9619578f", "bass": "8d85a5bd", "other": "b52fbbf7"},
        licences.OPEN_UNMIX, "MUSDB18-HQ",
    ),
    "umxl": Official(
        "Open-Unmix umxl", "https://zenodo.org/records/5069601/files",
        {"vocals": "bccbd9aa", "drums": "69e0ebd4", "bass": "2ca1ce51", "other": "c8c5b3e6"},
        licences.UMXL, "private stems, compressed",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class OpenUnmixSource:
    """A source as the user named it, such as `open-unmix:umxhq`."""

    variant: str

    @property
    def model_name(self) -> str:
        """Name of the model if the user wants no other."""
        return f"open-unmix-{self.variant}"


def parse(source: str, location: str | None = None) -> OpenUnmixSource | None:
    """The set of weights that `source` names, or None."""
    match = _SOURCE.fullmatch(source)
    return OpenUnmixSource(match[1].lower()) if match else None


def licence(source: OpenUnmixSource) -> licences.Licence:
    """That of the variant."""
    return OFFICIAL[source.variant].licence


def add(source: OpenUnmixSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; a place is a folder with a .pth file for each stem."""
    from stemlane.catalog.convert.open_unmix import models as open_unmix

    order.options.check_wiener(10)
    published = OFFICIAL[source.variant]
    paths = _fetch(published, order) if order.fetches else _find(order.place)
    about = Description(
        order.name, published.title, "1.0", published.licence.text, f"{published.folder}, {CONVERTER}",
        published.training_data,
    )  # fmt: skip
    if not all(_is_published(paths[stem], published.hashes[stem]) for stem in STEMS):
        about = own_weights(order, "Open-Unmix", "Open-Unmix", f"the published {source.variant}")
    iterations = order.options.wiener_iterations
    try:
        return open_unmix.convert(
            paths, about, order.target, report=order.report,
            wiener_iterations=DEFAULT_ITERATIONS if iterations is None else iterations,
        )  # fmt: skip
    finally:
        if order.fetches:
            for path in paths.values():
                path.unlink(missing_ok=True)


def _is_published(path: Path, start: str) -> bool:
    return file_sha256(path).startswith(start)


def _fetch(published: Official, order: Order) -> dict[str, Path]:
    """Fetch the files of all stems; each must be the published one."""
    paths = {}
    for stem in STEMS:
        file_name, start = published.file_name(stem), published.hashes[stem]
        url = f"{order.location.rstrip('/')}/{file_name}" if order.location else address(published.folder, file_name)
        paths[stem] = order.downloads / file_name
        fetch(
            url, paths[stem], order.report, f"downloading {stem}",
            functools.partial(_is_published, start=start), "the published file (its sha256 differs)",
        )  # fmt: skip
    return paths


def _find(folder: Path) -> dict[str, Path]:
    """The file of each stem in a folder: its name begins with the stem's and ends with .pth."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; it should hold one .pth file for each of {', '.join(STEMS)}")
    paths = {}
    for stem in STEMS:
        found = sorted(folder.glob(f"{stem}*.pth"))
        if len(found) != 1:
            raise ModelError(f"{folder}: should hold one file {stem}*.pth, holds {len(found)}")
        paths[stem] = found[0]
    return paths
