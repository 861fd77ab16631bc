# SPDX-License-Identifier: MIT
"""Where HTDemucs's weights come from: official packages and their hashes, mirrors, local files and folders."""

import re
from dataclasses import dataclass
from pathlib import Path

from stemlane import __version__
from stemlane.convert.options import AddOptions
from stemlane.convert.places import Report, address, file_sha256, is_url
from stemlane.download import check_url, download
from stemlane.errors import ModelError

OPTIONS = ()  # those of `AddOptions` that mean something here
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


def add(
    source: HtdemucsSource, location: str | None, name: str, options: AddOptions, *,
    downloads: Path, scratch: Path, target: Path, report: Report,
) -> list[Path]:  # fmt: skip
    """Get the packages and convert them.

    Parameters
    ----------
    location
        What the user gave in place of the official folder: the address of another one or, where one is enough, of a
        package; the path of a package or of a folder with packages; or None.
    name
        Name of the model.
    downloads
        Folder for what is fetched; removed from there once it is converted or found to be wrong.
    target
        Empty folder that takes the models' folders.

    Returns
    -------
    list of Path
        The models' folders in `target`.

    Raises
    ------
    ModelError
        If the packages cannot be had, are damaged or are not the ones named.
    """
    try:
        from stemlane.convert import htdemucs
        from stemlane.convert.manifest_text import Description
    except ImportError as error:
        raise ModelError(f"{error.name} is missing: run pip install 'stemlane[convert]'") from None
    published = OFFICIAL[source.model_name]
    fetched = location is None or is_url(location)
    paths = _fetch(published, location, downloads, report) if fetched else _find(published, Path(location))
    official = all(_is_published(paths[stem], file_name) for stem, file_name in published.files.items())
    converter = f"converted by stemlane {__version__}"
    about = Description(
        name, published.title, published.version, "MIT (Meta Platforms)", f"Demucs, {FOLDER}, {converter}",
        published.training_data,
    )  # fmt: skip
    if not official:
        about = Description(
            name, f"{published.title}, own weights", "unknown", "unknown: ask who made the weights",
            f"weights of HTDemucs's form from {location}, not the published {source.model_name}, {converter}", "unknown",
        )  # fmt: skip
    try:
        return htdemucs.convert(paths, about, target, report=report)
    finally:
        if fetched:
            for path in paths.values():
                path.unlink(missing_ok=True)


def _is_published(path: Path, file_name: str) -> bool:
    return file_sha256(path).startswith(Path(file_name).stem.split("-")[1])


def _fetch(published: Official, location: str | None, downloads: Path, report: Report) -> dict[str, Path]:
    """Fetch all packages; each must be the published one."""
    paths = {}
    for number, (stem, file_name) in enumerate(published.files.items()):
        url = f"{location.rstrip('/')}/{file_name}" if location else address(FOLDER, file_name)
        if location and location.endswith(".th") and len(published.files) == 1:
            url = location
        check_url(url)
        path = paths[stem] = downloads / file_name
        stage = f"downloading {stem}".strip()
        if not path.is_file():
            download(url, path, progress=lambda done, total, stage=stage: report(stage, done, total))
        if not _is_published(path, file_name):
            path.unlink()
            raise ModelError(
                f"{url}: is not the published file (its sha256 differs); nothing was installed. "
                "For weights of your own download them first, then --from PATH"
            )
    return paths


def _find(published: Official, place: Path) -> dict[str, Path]:
    """The package of each stem: a file's name begins with the published one's signature, or with the stem."""
    if place.is_file() and list(published.files) == [""]:
        return {"": place}
    if not place.is_dir():
        wanted = "one .th file" if list(published.files) == [""] else "a folder of .th files"
        raise ModelError(f"{place}: no such {'file' if wanted.startswith('one') else 'folder'}; it should be {wanted}")
    paths = {}
    for stem, file_name in published.files.items():
        signature = file_name.split("-")[0]
        found = sorted(place.glob(f"{signature}*.th")) or sorted(place.glob(f"{stem}*.th"))
        if len(found) != 1:
            raise ModelError(f"{place}: should hold one file {signature}*.th or {stem}*.th, holds {len(found)}")
        paths[stem] = found[0]
    return paths
