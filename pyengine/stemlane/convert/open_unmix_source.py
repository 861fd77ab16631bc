# SPDX-License-Identifier: MIT
"""Where Open-Unmix's weights come from: official files and their hashes, mirrors, local folders."""

import re
from dataclasses import dataclass
from pathlib import Path

from stemlane import __version__
from stemlane.convert.options import AddOptions
from stemlane.convert.places import Report, address, file_sha256, is_url
from stemlane.download import check_url, download
from stemlane.errors import ModelError

OPTIONS = ("wiener_iterations",)  # those of `AddOptions` that mean something here
DEFAULT_ITERATIONS = 1  # of the Wiener filter; the original's
STEMS = ("vocals", "drums", "bass", "other")
_SOURCE = re.compile(r"open-unmix:(umx|umxhq|umxl)", re.IGNORECASE)


@dataclass(frozen=True)
class Official:
    """A published set of weights; `hashes` are the beginnings of the files' SHA-256, as their names carry them."""

    title: str
    folder: str
    hashes: dict[str, str]
    licence: str
    training_data: str

    def file_name(self, stem: str) -> str:
        """Name of the file of one stem."""
        return f"{stem}-{self.hashes[stem]}.pth"


# From openunmix/__init__.py and the README of Open-Unmix 1.3.0.
OFFICIAL = {
    "umx": Official(
        "Open-Unmix umx", "https://zenodo.org/records/3370486/files",
        {"vocals": "c8df74a5", "drums": "5a48008b", "bass": "646024d3", "other": "f8e132cc"},
        "MIT (Open-Unmix)", "MUSDB18",
    ),
    "umxhq": Official(
        "Open-Unmix umxhq", "https://zenodo.org/records/3370489/files",
        {"vocals": "b62c91ce", "drums": "9619578f", "bass": "8d85a5bd", "other": "b52fbbf7"},
        "MIT (Open-Unmix)", "MUSDB18-HQ",
    ),
    "umxl": Official(
        "Open-Unmix umxl", "https://zenodo.org/records/5069601/files",
        {"vocals": "bccbd9aa", "drums": "69e0ebd4", "bass": "2ca1ce51", "other": "c8c5b3e6"},
        "CC BY-NC-SA 4.0: not for commercial use", "private stems, compressed",
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


def add(
    source: OpenUnmixSource, location: str | None, name: str, options: AddOptions, *,
    downloads: Path, scratch: Path, target: Path, report: Report,
) -> list[Path]:  # fmt: skip
    """Get the weights and convert them.

    Parameters
    ----------
    location
        A folder the user gave in place of the official one, a path or an address, or None.
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
        If the weights cannot be had, are damaged or are not the ones named.
    """
    options.check_wiener(10)
    try:
        from stemlane.convert import open_unmix
        from stemlane.convert.manifest_text import Description
    except ImportError as error:
        raise ModelError(f"{error.name} is missing: run pip install 'stemlane[convert]'") from None
    published = OFFICIAL[source.variant]
    fetched = location is None or is_url(location)
    paths = _fetch(published, location, downloads, report) if fetched else _find(Path(location))
    official = all(file_sha256(paths[stem]).startswith(published.hashes[stem]) for stem in STEMS)
    converter = f"converted by stemlane {__version__}"
    about = Description(
        name, published.title, "1.0", published.licence, f"{published.folder}, {converter}", published.training_data
    )
    if not official:
        about = Description(
            name, "Open-Unmix, own weights", "unknown", "unknown: ask who made the weights",
            f"weights of Open-Unmix's form from {location}, not the published {source.variant}, {converter}", "unknown",
        )  # fmt: skip
    try:
        iterations = DEFAULT_ITERATIONS if options.wiener_iterations is None else options.wiener_iterations
        return open_unmix.convert(paths, about, target, wiener_iterations=iterations, report=report)
    finally:
        if fetched:
            for path in paths.values():
                path.unlink(missing_ok=True)


def _fetch(published: Official, location: str | None, downloads: Path, report: Report) -> dict[str, Path]:
    """Fetch the files of all stems; each must be the published one."""
    paths = {}
    for stem in STEMS:
        file_name = published.file_name(stem)
        url = f"{location.rstrip('/')}/{file_name}" if location else address(published.folder, file_name)
        check_url(url)
        path = paths[stem] = downloads / file_name
        if not path.is_file():
            download(url, path, progress=lambda done, total, stem=stem: report(f"downloading {stem}", done, total))
        if not file_sha256(path).startswith(published.hashes[stem]):
            path.unlink()
            raise ModelError(
                f"{url}: is not the published file (its sha256 differs); nothing was installed. "
                "For weights of your own download them first, then --from PATH"
            )
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
