# SPDX-License-Identifier: MIT
"""What every module `source` is, each knowing where one kind of published weights comes from, and what they share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from stemlane import __version__
from stemlane.catalog import licences
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.options import AddOptions
from stemlane.catalog.convert.places import Report, is_url
from stemlane.catalog.download import check_url, download
from stemlane.errors import ModelError

CONVERTER = f"converted by stemlane {__version__}"


@dataclass(frozen=True)
class Order:
    """What a source is asked for.

    Attributes
    ----------
    location
        What the user gave in place of the official address: another one, a path, or None.
    name
        Name of the model; those of other windows add to it.
    options
        What else the user asked for.
    downloads
        Folder for what is fetched; removed from there once it is converted or found to be wrong.
    scratch
        Empty folder for what is unpacked.
    target
        Empty folder that takes the models' folders.
    report
        Called with a stage's name, what is done of it and its total, in bytes.
    """

    location: str | None
    name: str
    options: AddOptions
    downloads: Path
    scratch: Path
    target: Path
    report: Report

    @property
    def fetches(self) -> bool:
        """Whether the weights come from an address."""
        return self.location is None or is_url(self.location)

    @property
    def place(self) -> Path:
        """Where the weights lie on this machine, if nothing is fetched."""
        if self.location is None:
            raise ValueError("the official weights lie on no path")
        return Path(self.location)


class NamedSource(Protocol):
    """A source as the user named it; `model_name` is what its model is called if the user wants no other name."""

    model_name: str


S = TypeVar("S", bound=NamedSource)


class Source(Protocol[S]):
    """A module that gets and converts weights of one kind; `OPTIONS` are those of `AddOptions` that it takes."""

    OPTIONS: tuple[str, ...]

    def parse(self, source: str, location: str | None = None) -> S | None:
        """What `source` names, or None if it is nothing of this kind."""

    def licence(self, source: S) -> licences.Licence:
        """What the maker of these weights states."""

    def add(self, source: S, order: Order) -> list[Path]:
        """Get the weights and convert them; returns the models' folders in `order.target`, the longest window first.

        Raises
        ------
        ModelError
            If the weights cannot be had, are damaged or are not the ones named.
        """


def fetch(url: str, path: Path, report: Report, stage: str, is_expected: Callable[[Path], bool], wanted: str) -> None:
    """Fetch `url` into `path` unless it is there; `ModelError` if it is not `wanted`, and then it is removed."""
    check_url(url)
    if not path.is_file():
        download(url, path, progress=lambda done, total: report(stage, done, total))
    if not is_expected(path):
        path.unlink()
        raise ModelError(
            f"{url}: is not {wanted}; nothing was installed. "
            "For weights of your own download them first, then --from PATH"
        )


def own_weights(order: Order, title: str, form: str, published: str, *, note: str = "") -> Description:
    """What the manifests say of weights that are not the published ones; `form` and `published` name those."""
    return Description(
        order.name, f"{title}, own weights", "unknown", licences.UNKNOWN.text,
        f"weights of {form}'s form from {order.location}, not {published}, {CONVERTER}", "unknown",
        note,
    )  # fmt: skip
