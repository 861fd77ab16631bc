# SPDX-License-Identifier: MIT
"""What a model states about itself: reads and checks `manifest.toml`, standard library only.

Run as `python -m stemlane.manifest --index MODELS_DIR` it prints the table of models the C++ core reads.
Finding models is the registry's job, running them the front ends'.
"""

import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stemlane.errors import ManifestError, StemlaneError

STEM_ORDER = ("vocals", "drums", "bass", "guitar", "piano", "other")
MANIFEST_NAME = "manifest.toml"
FORMAT = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: path relative to the model's folder, and its SHA-256 in hex."""

    path: str
    sha256: str


@dataclass(frozen=True)
class StreamingSettings:
    """Numbers and tensor names of a `streaming` model: a stateful network fed a few frames at a time.

    The network's output frame t belongs to its input frame t - `lookahead_frames`.
    """

    fft_samples: int
    synthesis_samples: int
    hop_samples: int
    frames_per_step: int
    lookahead_frames: int
    mixture_tensor: str
    stems_tensor: str
    state_tensors: tuple[tuple[str, str], ...]

    @property
    def stride_samples(self) -> int:
        """Samples the network takes at once."""
        return self.frames_per_step * self.hop_samples

    @property
    def delay_samples(self) -> int:
        """Samples by which the finished stems trail the mixture: overlap-add tail plus lookahead."""
        return self.synthesis_samples - self.hop_samples + self.lookahead_frames * self.hop_samples

    @property
    def num_bins(self) -> int:
        """Bins of one frame."""
        return self.fft_samples // 2 + 1


@dataclass(frozen=True)
class Manifest:
    """A model as its manifest describes it; `folder` is where it was read from."""

    folder: Path
    name: str
    title: str
    kind: str
    version: str
    stems: tuple[str, ...]
    residual: str
    sample_rate: int
    compute_allowance_samples: int
    licence: str
    origin: str
    training_data: str
    files: tuple[ModelFile, ...]
    settings: StreamingSettings

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


class _Table:
    """A TOML table whose values are fetched with their type checked; errors name file, key and value."""

    def __init__(self, values: dict, where: str):
        self._values = values
        self._where = where

    def fail(self, key: str, problem: str):
        raise ManifestError(f"{self._where}: {key} {problem}")

    def get(self, key: str, kind: type, expected: str):
        if key not in self._values:
            self.fail(key, f"is missing: add {key} = {expected}")
        value = self._values[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            self.fail(key, f"is {value!r}, should be {expected}")
        return value

    def text(self, key: str) -> str:
        value = self.get(key, str, 'a "text"').strip()
        if not value or "\t" in value:
            self.fail(key, f"is {value!r}, should be a text without tabs, not empty")
        return " ".join(value.split())

    def integer(self, key: str, lowest: int, highest: int) -> int:
        value = self.get(key, int, f"a whole number from {lowest} to {highest}")
        if not lowest <= value <= highest:
            self.fail(key, f"is {value}, should be from {lowest} to {highest}")
        return value

    def table(self, key: str) -> "_Table":
        return _Table(self.get(key, dict, f"a table [{key}]"), f"{self._where} [{key}]")

    def array(self, key: str, expected: str) -> list:
        value = self.get(key, list, expected)
        if not value:
            self.fail(key, f"is empty, should be {expected}")
        return value


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
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file; a model is a folder with a {MANIFEST_NAME}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read: {error}") from None
    return parse_manifest(values, folder)


def parse_manifest(values: dict, folder: Path) -> Manifest:
    """Turn the parsed TOML of the model in `folder` into a checked `Manifest`."""
    top = _Table(values, str(folder / MANIFEST_NAME))
    found_format = top.integer("format", 0, 10**6)
    if found_format != FORMAT:
        top.fail("format", f"is {found_format}, this version reads {FORMAT}: update stemlane or the model")
    name = top.text("name")
    if not _NAME.fullmatch(name):
        top.fail("name", f"is {name!r}, should be lower-case letters, digits, '.', '_' or '-'")
    kind = top.text("kind")
    if kind not in _SETTINGS_READERS:
        top.fail("kind", f"is {kind!r}, this version knows: {', '.join(_SETTINGS_READERS)}")
    stems, residual = _read_stems(top)
    return Manifest(
        folder=folder, name=name, title=top.text("title"), kind=kind, version=top.text("version"),
        stems=stems, residual=residual, sample_rate=top.integer("sample_rate", 8000, 192000),
        compute_allowance_samples=top.integer("compute_allowance_samples", 1, 1 << 20),
        licence=top.text("licence"), origin=top.text("origin"), training_data=top.text("training_data"),
        files=_read_files(top), settings=_SETTINGS_READERS[kind](top))  # fmt: skip


def _read_stems(top: _Table) -> tuple[tuple[str, ...], str]:
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


def _read_files(top: _Table) -> tuple[ModelFile, ...]:
    files = []
    for entry in top.array("files", "one [[files]] table per file"):
        if not isinstance(entry, dict):
            top.fail("files", f"holds {entry!r}, should hold [[files]] tables")
        table = _Table(entry, f"{top._where} [[files]]")
        path, sha256 = table.text("path"), table.text("sha256")
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "\\" in path:
            table.fail("path", f"is {path!r}, should lie inside the model's folder")
        if not _SHA256.fullmatch(sha256):
            table.fail("sha256", f"is {sha256!r}, should be 64 lower-case hexadecimal digits")
        files.append(ModelFile(path, sha256))
    return tuple(files)


def _read_streaming(top: _Table) -> StreamingSettings:
    table, tensors = top.table("streaming"), top.table("tensors")
    fft = table.integer("fft_samples", 16, 65536)
    synthesis = table.integer("synthesis_samples", 4, fft)
    hop = table.integer("hop_samples", 2, synthesis)
    if fft % 2:
        table.fail("fft_samples", f"is {fft}, should be even")
    if synthesis not in (2 * hop, 4 * hop):
        table.fail("synthesis_samples", f"is {synthesis}, should be 2 or 4 times hop_samples = {hop}")
    states = []
    for pair in tensors.get("states", list, 'a list like [["state0", "next_state0"]]'):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(end, str) and end for end in pair)):
            tensors.fail("states", f"holds {pair!r}, should hold pairs of an input name and an output name")
        states.append((pair[0], pair[1]))
    return StreamingSettings(
        fft_samples=fft, synthesis_samples=synthesis, hop_samples=hop,
        frames_per_step=table.integer("frames_per_step", 1, 1024),
        lookahead_frames=table.integer("lookahead_frames", 0, 1024),
        mixture_tensor=tensors.text("mixture"), stems_tensor=tensors.text("stems"),
        state_tensors=tuple(states))  # fmt: skip


_SETTINGS_READERS = {"streaming": _read_streaming}


def model_folders(folder: Path | str) -> list[Path]:
    """Folders directly inside `folder` that hold a manifest, by name; none if `folder` does not exist."""
    return sorted(path.parent for path in Path(folder).glob(f"*/{MANIFEST_NAME}"))


def index_text(folder: Path | str) -> str:
    """The table of the models in `folder` that the C++ core reads: one line per model, fields split by tabs."""
    fields = (
        "name",
        "title",
        "sample_rate",
        "stride_samples",
        "delay_samples",
        "compute_allowance_samples",
        "stems",
        "residual",
    )
    lines = ["# " + "\t".join(fields)]
    for model_folder in model_folders(folder):
        model = load_manifest(model_folder)
        values = [getattr(model, field) for field in fields]
        values[fields.index("stems")] = ",".join(model.separated_stems)
        lines.append("\t".join(map(str, values)))
    return "\n".join(lines) + "\n"


def _main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] != "--index":
        print("usage: python -m stemlane.manifest --index MODELS_DIR", file=sys.stderr)
        return 2
    try:
        sys.stdout.write(index_text(arguments[1]))
    except StemlaneError as error:
        print(f"stemlane: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
