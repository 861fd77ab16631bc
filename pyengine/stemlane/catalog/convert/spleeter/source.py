# SPDX-License-Identifier: MIT
"""Where Spleeter's weights come from: official archives and their identities, mirrors, local archives and folders."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stemlane.catalog import licences
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.places import Report, address, file_sha256
from stemlane.catalog.convert.readers.tar_members import take_members
from stemlane.catalog.convert.source import CONVERTER, Order, own_weights
from stemlane.catalog.download import check_url, download
from stemlane.errors import ModelError

if TYPE_CHECKING:
    from stemlane.catalog.convert.readers.tf_checkpoint import Checkpoint, TensorEntry

RELEASE = "https://github.com/deezer/spleeter/releases/download/v1.4.0"
_MEMBERS = ("model.index", "model.data-00000-of-00001")
OPTIONS: tuple[str, ...] = ("mask_extension", "wiener_iterations")  # those of `AddOptions` that mean something here
_SOURCE = re.compile(r"spleeter:([245]stems)(-16khz)?", re.IGNORECASE)


@dataclass(frozen=True)
class Identity:
    """What tells the official weights: hash of the data file, and of the index's lines as `fingerprint` makes them."""

    data_sha256: str
    index_sha256: str


OFFICIAL = {
    "2stems": Identity(
        "7747f9fd2c782306dbec1504360fbb645a097a48446f23486c3ff9c89bc11788",
        "639622a631bb9e139fae9316cd48055cda9f491e86ea84791a6083e213ccac45",
    ),
    "4stems": Identity(
        "3823e0ef50835cca3907c386dc9667a6a9af77b40a20c3ab845a8d6c9592255d",
        "af5c0d67a5aea426b6c629d33b329db15f82a8a84f5bf3909daa97d1746bb49f",
    ),
    "5stems": Identity(
        "aace47a9eacc62e6fda823cee92ba45375b48e65b7c69713b91a7fa9d87ae920",
        "64f48e4b254c0ccf33edaeb6da733b063cc634dce1e98c17d41253e61e4b4585",
    ),
}


@dataclass(frozen=True)
class SpleeterSource:
    """A source as the user named it, such as `spleeter:4stems` or `spleeter:4stems-16kHz`."""

    variant: str
    network_bins: int

    @property
    def model_name(self) -> str:
        """Name of the model if the user wants no other."""
        return f"spleeter-{self.variant}" + ("-16khz" if self.network_bins != 1024 else "")

    @property
    def title(self) -> str:
        """Title of the model."""
        return f"Spleeter {self.variant[0]} stems" + (" to 16 kHz" if self.network_bins != 1024 else "")


def parse(source: str, location: str | None = None) -> SpleeterSource | None:
    """The Spleeter model that `source` names, or None."""
    match = _SOURCE.fullmatch(source)
    return SpleeterSource(match[1].lower(), 1536 if match[2] else 1024) if match else None


def licence(source: SpleeterSource) -> licences.Licence:
    """The same for all variants."""
    return licences.SPLEETER


def add(source: SpleeterSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; a place is an archive or, for a path, also a folder."""
    from stemlane.catalog.convert.readers.tf_checkpoint import Checkpoint
    from stemlane.catalog.convert.spleeter import models as spleeter

    order.options.check_wiener(1)
    place = order.location or address(RELEASE, f"{source.variant}.tar.gz")
    archive = Path(place)
    if order.fetches:
        check_url(place)
        mark = hashlib.sha256(place.encode()).hexdigest()[:12]
        archive = order.downloads / f"spleeter-{source.variant}-{mark}.tar.gz"
        if not archive.is_file():
            download(place, archive, progress=lambda done, total: order.report("downloading", done, total))
    try:
        folder = archive if archive.is_dir() else unpack(archive, order.scratch, order.report)
        checkpoint = Checkpoint(folder / "model")
        spleeter.check_architecture(checkpoint, source.variant)
        official = _is_official(checkpoint, source.variant)
        if order.fetches and not official:
            raise ModelError(
                f"{place}: is not Deezer's {source.variant} (its sha256 differs); nothing was installed. "
                "For weights of your own download them first, then --from PATH"
            )
        size = checkpoint.data_path.stat().st_size
        done = 0

        def converted(num_bytes: int) -> None:
            nonlocal done
            done += num_bytes
            order.report("converting", done, size)

        folders = spleeter.convert(
            checkpoint, source.variant, describe(source, order, official), order.target,
            network_bins=source.network_bins, mask_extension=order.options.mask_extension,
            wiener_iterations=order.options.wiener_iterations or 0, progress=converted)  # fmt: skip
    except ModelError:
        if order.fetches:  # it was whole, so what is wrong with it will not go away
            archive.unlink(missing_ok=True)
        raise
    if order.fetches:
        archive.unlink(missing_ok=True)
    return folders


def describe(source: SpleeterSource, order: Order, official: bool) -> Description:
    """What the manifests say of licence, origin and training; only official weights carry Deezer's statements."""
    if not official:
        return own_weights(order, source.title, "Spleeter", "Deezer's")
    return Description(
        order.name, source.title, "1.4.0", licences.SPLEETER.text,
        f"Deezer's Spleeter, {RELEASE}/{source.variant}.tar.gz, {CONVERTER}",
        "Deezer's internal recordings, not published (Hennequin et al., JOSS 2020)")  # fmt: skip


def unpack(archive: Path, folder: Path, report: Report = lambda stage, done, total: None) -> Path:
    """Take the checkpoint out of a tar archive into `folder`; no path in the archive is ever used."""
    take_members(archive, _MEMBERS, folder, report)
    return folder


def fingerprint(entries: "Mapping[str, TensorEntry]") -> str:
    """SHA-256 of where all tensors lie and of their checksums, one line each."""
    lines = (
        f"{name} {entry.dtype_number} {','.join(map(str, entry.shape))} "
        f"{entry.offset} {entry.size_bytes} {entry.crc32c:08x}"
        for name, entry in entries.items()
    )
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _is_official(checkpoint: "Checkpoint", variant: str) -> bool:
    if fingerprint(checkpoint.entries) != OFFICIAL[variant].index_sha256:
        return False
    return file_sha256(checkpoint.data_path) == OFFICIAL[variant].data_sha256
