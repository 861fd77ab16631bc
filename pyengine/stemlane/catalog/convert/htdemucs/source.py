# SPDX-License-Identifier: MIT
"""Where HTDemucs's weights come from: official packages and their hashes, mirrors, local files and folders."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from stemlane.catalog import licences
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.places import address, file_sha256
from stemlane.catalog.convert.source import CONVERTER, Order, fetch, own_weights
from stemlane.errors import ModelError

OPTIONS: tuple[str, ...] = ()  # those of `AddOptions` that mean something here
FOLDER = "https://dl.fbaipublicfiles.com/demucs/hybrid_transformer"
_SOURCE = re.compile(r"htdemucs(_ft|_6s)?", re.IGNORECASE)


@dataclass(frozen=True)
class Official:
    """A published set of packages: names of the files by stem, or of one for all under "".

    A name is the network's signature, "-", and the beginning of the file's SHA-256.
    """

    title: str
    files: dict[str, str]
    version: str
    training_data: str


# From demucs/remote/ and the README of Demucs 4.1.0. The network for "other" of htdemucs_ft is not needed: here the
# residual is what the other stems leave of the mixture.
OFFICIAL = {
    "htdemucs": Official(
        "HTDemucs", {"": "955717e8-8726e21a.th"}, "4.0", "MUSDB18-HQ and 800 other songs (Rouard et al., ICASSP 2023)"
    ),
    "htdemucs_ft": Official(
        "HTDemucs, fine-tuned for each stem",
        {"vocals": "04573f0d-f3cf25b2.th", "drums": "f7e0c4bc-ba3fe64a.th", "bass": "d12395a8-e57c48e6.th"},
        "4.0", "MUSDB18-HQ and 800 other songs (Rouard et al., ICASSP 2023)",
    ),
    "htdemucs_6s": Official(
        "HTDemucs, 6 stems", {"": "5c90dfd2-34c22ccb.th"}, "4.0",
        "MUSDB18-HQ and other songs, with guitar and piano (README of Demucs)",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class HtdemucsSource:
    """A source as the user named it."""

    model_name: str


def parse(source: str, location: str | None = None) -> HtdemucsSource | None:
    """The set of packages that `source` names, or None."""
    return HtdemucsSource(source.lower()) if _SOURCE.fullmatch(source) else None


def licence(source: HtdemucsSource) -> licences.Licence:
    """The same for all sets."""
    return licences.HTDEMUCS


def add(source: HtdemucsSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; a place is a package or, also for an address, a folder of them."""
    from stemlane.catalog.convert.htdemucs import models as htdemucs

    published = OFFICIAL[source.model_name]
    paths = _fetch(published, order) if order.fetches else _find(published, order.place)
    about = Description(
        order.name, published.title, published.version, licences.HTDEMUCS.text, f"Demucs, {FOLDER}, {CONVERTER}",
        published.training_data,
    )  # fmt: skip
    if not all(_is_published(paths[stem], file_name) for stem, file_name in published.files.items()):
        about = own_weights(order, published.title, "HTDemucs", f"the published {source.model_name}")
    try:
        return htdemucs.convert(paths, about, order.target, report=order.report)
    finally:
        if order.fetches:
            for path in paths.values():
                path.unlink(missing_ok=True)


def _is_published(path: Path, file_name: str) -> bool:
    return file_sha256(path).startswith(Path(file_name).stem.split("-")[1])


def _fetch(published: Official, order: Order) -> dict[str, Path]:
    """Fetch all packages; each must be the published one."""
    paths = {}
    for stem, file_name in published.files.items():
        place = order.location
        url = f"{place.rstrip('/')}/{file_name}" if place else address(FOLDER, file_name)
        if place and place.endswith(".th") and len(published.files) == 1:
            url = place
        paths[stem] = order.downloads / file_name
        fetch(
            url, paths[stem], order.report, f"downloading {stem}".strip(),
            functools.partial(_is_published, file_name=file_name), "the published file (its sha256 differs)",
        )  # fmt: skip
    return paths


def _find(published: Official, place: Path) -> dict[str, Path]:
    """The package of each stem: a file's name begins with the published one's signature, or with the stem."""
    if place.is_file() and list(published.files) == [""]:
        return {"": place}
    if not place.is_dir():
        wanted = "one .th or .safetensors file" if list(published.files) == [""] else "a folder of .th files"
        raise ModelError(f"{place}: no such {'file' if wanted.startswith('one') else 'folder'}; it should be {wanted}")
    paths = {}
    for stem, file_name in published.files.items():
        signature = file_name.split("-")[0]
        found = _packages(place, signature) or _packages(place, stem)
        if len(found) != 1:
            raise ModelError(
                f"{place}: should hold one file {signature}*.th or {stem}*.th, or .safetensors, holds {len(found)}"
            )
        paths[stem] = found[0]
    return paths


def _packages(place: Path, start: str) -> list[Path]:
    return sorted(path for ending in ("th", "safetensors") for path in place.glob(f"{start}*.{ending}"))
