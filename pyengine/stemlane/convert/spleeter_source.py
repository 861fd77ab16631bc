# SPDX-License-Identifier: MIT
"""Where Spleeter's weights come from: official archives and their identities, mirrors, local archives and folders."""

import hashlib
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from stemlane import __version__
from stemlane.convert.options import AddOptions
from stemlane.convert.places import Report, address, file_sha256, is_url
from stemlane.download import check_url, download
from stemlane.errors import ModelError, one_line

RELEASE = "https://github.com/deezer/spleeter/releases/download/v1.4.0"
_MEMBERS = ("model.index", "model.data-00000-of-00001")
_HIGHEST_MEMBER_BYTES = 1 << 30
_COPY_BYTES = 1 << 20
OPTIONS = ("mask_extension", "wiener_iterations")  # those of `AddOptions` that mean something here
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


def add(
    source: SpleeterSource, location: str | None, name: str, options: AddOptions, *,
    downloads: Path, scratch: Path, target: Path, report: Report,
) -> list[Path]:  # fmt: skip
    """Get the weights and convert them.

    Parameters
    ----------
    location
        A path or address the user gave in place of the official one, or None.
    name
        Name of the model.
    downloads
        Folder for archives; what was fetched whole is removed once it is converted or found to be wrong.
    scratch
        Empty folder for what is unpacked.
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
    options.check_wiener(1)
    try:
        from stemlane.convert import spleeter
        from stemlane.convert.tf_checkpoint import Checkpoint
    except ImportError as error:
        raise ModelError(f"{error.name} is missing: run pip install 'stemlane[convert]'") from None
    place = location or address(RELEASE, f"{source.variant}.tar.gz")
    fetched = is_url(place)
    archive = Path(place)
    if fetched:
        check_url(place)
        archive = downloads / f"spleeter-{source.variant}-{hashlib.sha256(place.encode()).hexdigest()[:12]}.tar.gz"
        if not archive.is_file():
            download(place, archive, progress=lambda done, total: report("downloading", done, total))
    try:
        folder = archive if archive.is_dir() else unpack(archive, scratch, report)
        checkpoint = Checkpoint(folder / "model")
        spleeter.check_architecture(checkpoint, source.variant)
        official = _is_official(checkpoint, source.variant)
        if fetched and not official:
            raise ModelError(
                f"{place}: is not Deezer's {source.variant} (its sha256 differs); nothing was installed. "
                "For weights of your own download them first, then --from PATH"
            )
        size = checkpoint.data_path.stat().st_size
        done = 0

        def converted(num_bytes: int) -> None:
            nonlocal done
            done += num_bytes
            report("converting", done, size)

        folders = spleeter.convert(
            checkpoint, source.variant, describe(source, place, official, name), target,
            network_bins=source.network_bins, mask_extension=options.mask_extension,
            wiener_iterations=options.wiener_iterations or 0, progress=converted)  # fmt: skip
    except ModelError:
        if fetched:  # it was whole, so what is wrong with it will not go away
            archive.unlink(missing_ok=True)
        raise
    if fetched:
        archive.unlink(missing_ok=True)
    return folders


def describe(source: SpleeterSource, place: str, official: bool, name: str):
    """What the manifests say of licence, origin and training; only official weights carry Deezer's statements."""
    from stemlane.convert.manifest_text import Description

    converter = f"converted by stemlane {__version__}"
    if official:
        return Description(
            name, source.title, "1.4.0", "MIT (Deezer SA)",
            f"Deezer's Spleeter, {RELEASE}/{source.variant}.tar.gz, {converter}",
            "Deezer's internal recordings, not published (Hennequin et al., JOSS 2020)")  # fmt: skip
    return Description(
        name, f"{source.title}, own weights", "unknown", "unknown: ask who made the weights",
        f"weights of Spleeter's form from {place}, not Deezer's, {converter}", "unknown")  # fmt: skip


def unpack(archive: Path, folder: Path, report: Report = lambda stage, done, total: None) -> Path:
    """Take the checkpoint out of a tar archive into `folder`; no path in the archive is ever used."""
    found = set()
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                if name not in _MEMBERS:
                    continue
                if not member.isreg() or name in found or member.size > _HIGHEST_MEMBER_BYTES:
                    raise ModelError(f"{archive}: {member.name!r} is no plain file, there twice, or too large")
                found.add(name)
                with tar.extractfile(member) as content, (folder / name).open("xb") as file:
                    while chunk := content.read(_COPY_BYTES):
                        file.write(chunk)
                        report("unpacking", file.tell(), member.size)
    except OSError as error:
        if error.errno is not None:  # the disk's fault, not the archive's
            raise
        raise _bad_archive(archive, error) from None
    except (tarfile.TarError, EOFError, ValueError, zlib.error) as error:
        raise _bad_archive(archive, error) from None
    if len(found) < len(_MEMBERS):
        raise ModelError(f"{archive}: holds no {min(set(_MEMBERS) - found)}: not Spleeter's weights")
    return folder


def fingerprint(entries) -> str:
    """SHA-256 of where all tensors lie and of their checksums, one line each."""
    lines = (
        f"{name} {entry.dtype_number} {','.join(map(str, entry.shape))} "
        f"{entry.offset} {entry.size_bytes} {entry.crc32c:08x}"
        for name, entry in entries.items()
    )
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _is_official(checkpoint, variant: str) -> bool:
    if fingerprint(checkpoint.entries) != OFFICIAL[variant].index_sha256:
        return False
    return file_sha256(checkpoint.data_path) == OFFICIAL[variant].data_sha256


def _bad_archive(archive: Path, error: Exception) -> ModelError:
    reason = one_line(error).split(": - method", 1)[0]  # the rest says what each way to unpack thinks of it
    return ModelError(f"{archive}: cannot be unpacked ({reason}): cut off, damaged or no .tar.gz")
