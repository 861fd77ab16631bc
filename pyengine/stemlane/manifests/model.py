# SPDX-License-Identifier: MIT
"""What a model states about itself: reads and checks `manifest.toml`, standard library only.

Run as `python -m stemlane.manifests.model --index MODELS_DIR` it prints the table of models the C++ core reads.
Finding models is the registry's job, running them the front ends'.
"""

import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from stemlane.contract import (
    FADE_RESERVE_SAMPLES,
    HIGHEST_RATE,
    LONGEST_MODEL_NAME,
    LOWEST_RATE,
    MODEL_INDEX_FIELDS,
    STEM_ORDER,
)
from stemlane.errors import ManifestError, StemlaneError, one_line
from stemlane.manifests.kinds import SETTINGS_READERS, MaskedSegmentSettings, Settings, StreamingSettings
from stemlane.manifests.table import Table
from stemlane.regular_files import read_regular

MANIFEST_NAME = "manifest.toml"
MEASURED = ("processor_seconds", "seam_db", "seam_largest", "window_sdr_db")  # see `stemlane.catalog.measured`
FORMAT = 1
# Bounds of name and title are those of the C++ core's `model_index.cpp`, which leaves out what is longer.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_LONGEST_TITLE = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HIGHEST_BYTES = 1 << 16  # embedded ones have 1 KB
_HIGHEST_FILES = 64
_LONGEST_REASON = 200  # characters of a parser's message, which may quote the file
S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: path relative to the model's folder, and its SHA-256 in hex."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A model as its manifest describes it; `folder` is where it was read from; the last three may be empty."""

    folder: Path
    name: str
    title: str
    kind: str
    version: str
    stems: tuple[str, ...]
    residual: str
    sample_rate: float
    compute_allowance_samples: int
    licence: str
    origin: str
    training_data: str
    files: tuple[ModelFile, ...]
    settings: Settings
    self_test: dict[str, tuple[float, ...]]
    measured: dict[str, float]
    note: str

    def __repr__(self) -> str:
        stems = ", ".join(self.stems)
        return f"Manifest({self.name!r}, {self.title!r}, version {self.version}: {stems} at {self.sample_rate:g} Hz)"

    def settings_of(self, kind: type[S]) -> S:
        """The settings, for code that serves one kind of model only."""
        if not isinstance(self.settings, kind):
            raise TypeError(f"model {self.name!r} is of kind {self.kind!r}, its settings are not {kind.__name__}")
        return self.settings

    @property
    def separated_stems(self) -> tuple[str, ...]:
        """The stems the network itself produces: all but the residual, in manifest order."""
        return tuple(stem for stem in self.stems if stem != self.residual)

    @property
    def stride_samples(self) -> int:
        """Samples the model takes at once, at its own rate."""
        return self.settings.stride_samples

    @property
    def delay_samples(self) -> int:
        """Samples by which the stems trail the mixture, at the model's rate."""
        return self.settings.delay_samples

    @property
    def latency_samples(self) -> int:
        """Delay from input to output at the model's rate, the same sum as latency.h; a host adds nothing to it."""
        return self.delay_samples + self.stride_samples + self.compute_allowance_samples + FADE_RESERVE_SAMPLES

    @property
    def follows_rate(self) -> bool:
        """Whether the model runs at any rate without a resampler: it works on magnitudes or masks of spectra."""
        return isinstance(self.settings, StreamingSettings | MaskedSegmentSettings)

    def at_rate(self, sample_rate: float) -> "Manifest":
        """The model as it runs for a stream of `sample_rate` Hz: with frames of that rate, if it `follows_rate`."""
        if not isinstance(self.settings, StreamingSettings | MaskedSegmentSettings) or sample_rate == self.sample_rate:
            return self
        settings = self.settings.at_rate(self.sample_rate, sample_rate)
        hop, new_hop = self.settings.hop_samples, settings.hop_samples
        return replace(
            self,
            settings=settings,
            sample_rate=sample_rate,
            compute_allowance_samples=-(-self.compute_allowance_samples * new_hop // hop),
        )

    @property
    def takes_focus(self) -> int:
        """1 if stems can be told apart more or less sharply (`engine.spectral.focus`), else 0."""
        return int(isinstance(self.settings, StreamingSettings))

    @property
    def fft_samples(self) -> int:
        """Samples of a transform if the model `follows_rate`, else 0."""
        settings = self.settings
        return settings.fft_samples if isinstance(settings, StreamingSettings | MaskedSegmentSettings) else 0

    @property
    def hop_samples(self) -> int:
        """Samples from one transform to the next if the model `follows_rate`, else 0."""
        settings = self.settings
        return settings.hop_samples if isinstance(settings, StreamingSettings | MaskedSegmentSettings) else 0


def load_manifest(folder: Path | str) -> Manifest:
    """Read and check the manifest of the model in `folder`.

    Raises
    ------
    ManifestError
        If the file is missing, is not TOML, or states something impossible.
    """
    folder = Path(folder)
    path = folder / MANIFEST_NAME
    try:
        content = read_regular(path, _HIGHEST_BYTES)
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file; a model is a folder with a {MANIFEST_NAME}") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from None
    return read_manifest(content, folder)


def read_manifest(content: bytes, folder: Path) -> Manifest:
    """As `load_manifest`, from the file's content; nothing is read from `folder`."""
    try:
        values = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError: bad TOML, bad UTF-8, a number of thousands of digits
        raise ManifestError(f"{folder / MANIFEST_NAME}: cannot be read: {one_line(error)[:_LONGEST_REASON]}") from None
    return parse_manifest(values, folder)


def parse_manifest(values: dict[str, Any], folder: Path) -> Manifest:
    """Turn the parsed TOML of the model in `folder` into a checked `Manifest`."""
    top = Table(values, str(folder / MANIFEST_NAME))
    found_format = top.integer("format", 0, 10**6)
    if found_format != FORMAT:
        top.fail("format", f"is {found_format}, this version reads {FORMAT}: update stemlane or the model")
    name = top.text("name")
    if not _NAME.fullmatch(name):
        top.fail("name", f"is {name!r}, should be lower-case letters, digits, '.', '_' or '-'")
    if len(name) > LONGEST_MODEL_NAME:
        top.fail("name", f"has {len(name)} characters, should have at most {LONGEST_MODEL_NAME}")
    title = top.text("title")
    if len(title) > _LONGEST_TITLE:
        top.fail("title", f"has {len(title)} characters, should have at most {_LONGEST_TITLE}")
    kind = top.text("kind")
    if kind not in SETTINGS_READERS:
        top.fail("kind", f"is {kind!r}, this version knows: {', '.join(SETTINGS_READERS)}")
    stems, residual = _read_stems(top)
    return Manifest(
        folder=folder, name=name, title=title, kind=kind, version=top.text("version"),
        stems=stems, residual=residual, sample_rate=top.integer("sample_rate", LOWEST_RATE, HIGHEST_RATE),
        compute_allowance_samples=top.integer("compute_allowance_samples", 1, 1 << 20),
        licence=top.text("licence"), origin=top.text("origin"), training_data=top.text("training_data"),
        files=_read_files(top, kind), settings=SETTINGS_READERS[kind](top),
        self_test=_read_self_test(top, stems, residual) if "self_test" in values else {},
        measured=_read_measured(top) if "measured" in values else {},
        note=top.text("note") if "note" in values else "")  # fmt: skip


def _read_stems(top: Table) -> tuple[tuple[str, ...], str]:
    stems = top.array("stems", 'a list like ["vocals", "other"]')
    for stem in stems:
        if stem not in STEM_ORDER:
            top.fail("stems", f"holds {stem!r}, should hold only: {', '.join(STEM_ORDER)}")
    if len(stems) < 2 or len(set(stems)) != len(stems):
        top.fail("stems", f"is {stems}, should be two or more different stems")
    residual = top.text("residual")
    if residual not in stems:
        top.fail("residual", f"is {residual!r}, should be one of the stems: {', '.join(stems)}")
    return tuple(stems), residual


def _read_files(top: Table, kind: str) -> tuple[ModelFile, ...]:
    if kind == "ensemble":  # its networks are other models'
        if "files" in top:
            top.fail("files", "should be left out of an ensemble")
        return ()
    files = []
    entries = top.array("files", "one [[files]] table per file")
    if len(entries) > _HIGHEST_FILES:
        top.fail("files", f"are {len(entries)}, should be at most {_HIGHEST_FILES}")
    for entry in entries:
        if not isinstance(entry, dict):
            top.fail("files", f"holds {entry!r}, should hold [[files]] tables")
        table = Table(entry, f"{top.where} [[files]]")
        path, sha256 = table.text("path"), table.text("sha256")
        parts = PurePosixPath(path)
        # A colon names a drive or a stream on Windows; "." is the folder itself.
        if parts.is_absolute() or not parts.parts or ".." in parts.parts or "\\" in path or ":" in path:
            table.fail("path", f"is {path!r}, should lie inside the model's folder")
        if not _SHA256.fullmatch(sha256):
            table.fail("sha256", f"is {sha256!r}, should be 64 lower-case hexadecimal digits")
        files.append(ModelFile(path, sha256))
    if len({PurePosixPath(file.path) for file in files} | {PurePosixPath(MANIFEST_NAME)}) <= len(files):
        top.fail("files", f"name a file twice, or {MANIFEST_NAME}")
    return tuple(files)


def _read_self_test(top: Table, stems: tuple[str, ...], residual: str) -> dict[str, tuple[float, ...]]:
    table = top.table("self_test")
    expected = "four numbers"
    found = {}
    for stem in stems:
        if stem != residual:
            values = table.array(stem, expected)
            if len(values) != 4 or not all(isinstance(value, float) for value in values):
                table.fail(stem, f"is {values}, should be {expected}")
            found[stem] = tuple(values)
    return found


def _read_measured(top: Table) -> dict[str, float]:
    table = top.table("measured")
    return {key: table.number(key, -1000, 1e6) for key in MEASURED if key in table}


def model_folders(folder: Path | str) -> list[Path]:
    """Folders directly inside `folder` that hold a manifest, by name; none if `folder` does not exist."""
    return sorted(path.parent for path in Path(folder).glob(f"*/{MANIFEST_NAME}"))


def load_named(folder: Path) -> Manifest:
    """The manifest of a model that is found by its folder's name, which has to be its own."""
    manifest = load_manifest(folder)
    if manifest.name != folder.name:
        raise ManifestError(
            f"{folder / MANIFEST_NAME}: name is {manifest.name!r}, should be the folder's, {folder.name!r}"
        )
    return manifest


def index_text(folder: Path | str, *, is_taken: Callable[[str], bool] | None = None) -> str:
    """The table of the models in `folder` that the C++ core reads: one line per model, fields split by tabs.

    With `is_taken`, models that cannot be used are left out, and those whose name is another's; else the first is an
    error.
    """
    lines = ["# " + "\t".join(MODEL_INDEX_FIELDS)]
    for model_folder in model_folders(folder):
        if is_taken is not None and is_taken(model_folder.name):
            continue
        try:
            model = load_named(model_folder)
        except ManifestError:
            if is_taken is None:
                raise
            continue
        values = [getattr(model, field) for field in MODEL_INDEX_FIELDS]
        values[MODEL_INDEX_FIELDS.index("stems")] = ",".join(model.separated_stems)
        lines.append("\t".join(map(str, values)))
    return "\n".join(lines) + "\n"


def _main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] != "--index":
        sys.stderr.write("usage: python -m stemlane.manifests.model --index MODELS_DIR\n")
        return 2
    try:
        sys.stdout.write(index_text(arguments[1]))
    except StemlaneError as error:
        sys.stderr.write(f"stemlane: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
