# SPDX-License-Identifier: MIT
"""Turns packages of Demucs into Stemlane models: networks of one package or several, one model for each window.

Getting the packages is `source`'s job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stemlane.catalog.convert.htdemucs.architecture import SAMPLE_RATE, Architecture, check_weights, read_architecture
from stemlane.catalog.convert.htdemucs.network import write_network
from stemlane.catalog.convert.htdemucs.safetensors_package import read_safetensors_package
from stemlane.catalog.convert.manifest_text import Description, manifest_text
from stemlane.catalog.convert.places import Report, file_sha256, link
from stemlane.catalog.convert.readers.safetensors_weights import is_safetensors
from stemlane.catalog.convert.readers.torch_weights import ClassName, read_package
from stemlane.catalog.convert.spectral_models import stride_parts
from stemlane.contract import STEM_ORDER
from stemlane.errors import ModelError

RESIDUAL = "other"
_CLASS = "demucs.htdemucs.HTDemucs"
# Named only so that the message can say what the file holds.
_OTHER_CLASSES = ("demucs.hdemucs.HDemucs", "demucs.demucs.Demucs", "demucs.wdemucs.WDemucs")
_SHORT_FRAMES = 128  # 3 s; a multiple of 64, so that no branch pads


@dataclass(frozen=True)
class Package:
    """A network as Demucs stores it, checked."""

    architecture: Architecture
    weights: Mapping[str, np.ndarray]


def load_package(path: Path) -> Package:
    """Read and check one file; nothing in it is run.

    Raises
    ------
    ModelError
        If the file is damaged, asks for code to be run, or is no HTDemucs this version can convert.
    """
    package = read_safetensors_package(path) if is_safetensors(path) else read_package(path, (_CLASS, *_OTHER_CLASSES))
    found, weights = package.get("klass"), package.get("state")
    if not isinstance(found, ClassName) or not isinstance(weights, dict):
        raise ModelError(f"{path}: names no network and no weights: not a package of Demucs")
    if found.text != _CLASS:
        raise ModelError(f"{path}: holds a {ascii(found.text)[1:-1]}, only {_CLASS} can be converted")
    if weights.get("__quantized"):
        raise ModelError(f"{path}: its weights are quantised (DiffQ); take the package that is not")
    architecture = read_architecture(package, str(path))
    arrays = {name: values for name, values in weights.items() if isinstance(values, np.ndarray)}
    check_weights(arrays, architecture, str(path))
    unknown = [stem for stem in architecture.sources if stem not in STEM_ORDER]
    if unknown or RESIDUAL not in architecture.sources or len(set(architecture.sources)) < 2:
        raise ModelError(
            f"{path}: its stems are {ascii(', '.join(architecture.sources))[1:-1]}; "
            f"should be {RESIDUAL!r} and some of: {', '.join(STEM_ORDER)}"
        )
    return Package(architecture, arrays)


def convert(
    paths: Mapping[str, Path], description: Description, folder: Path,
    *, report: Report = lambda stage, done, total: None,
) -> list[Path]:  # fmt: skip
    """Write the model folders `folder`/<name><window>.

    Parameters
    ----------
    paths
        The package of every stem but the residual, or of "" for one package that gives all.
    folder
        An existing folder without these models. After an error it may hold incomplete ones.

    Returns
    -------
    list of Path
        The models' folders, that of the longest window first.

    Raises
    ------
    ModelError
        As `load_package`, or if the packages do not belong together.
    """
    first: Architecture | None = None
    folders: list[Path] = []
    files: dict[Path, dict[str, str]] = {}
    networks: list[list[str]] = []
    for number, (stem, path) in enumerate(paths.items()):
        package = load_package(path)
        found = package.architecture
        first = first or found
        if replace(found, sources=first.sources) != first or set(found.sources) != set(first.sources):
            raise ModelError(f"{path}: the network for {stem} has other sizes or stems than the others")
        if stem and stem not in found.sources:
            raise ModelError(f"{path}: gives no {stem}, but: {', '.join(found.sources)}")
        windows = _windows(found)
        if not folders:
            folders = [folder / f"{description.name}{suffix}" for suffix, _, _ in windows]
            for target in folders:
                target.mkdir()
        stems = [stem] if stem else _separated(found)
        name = stem or "network"
        networks.append([f"{name}.onnx", *stems])
        for step, (target, (_, _, samples)) in enumerate(zip(folders, windows, strict=True)):
            report("converting", number * len(windows) + step, len(paths) * len(windows))
            written = write_network(found, package.weights, stems, samples, target, name)
            _share(written[1], folders[0] / written[1].name)
            files.setdefault(target, {}).update({path.name: file_sha256(path) for path in written})
    if first is None:
        raise ModelError("no package of HTDemucs")
    missing = [stem for stem in _separated(first) if stem not in [given for _, *stems in networks for given in stems]]
    if missing:
        raise ModelError(f"no network gives {', '.join(missing)}")
    for target, window in zip(folders, _windows(first), strict=True):
        text = _manifest_text(description, first, window, networks, files[target])
        (target / "manifest.toml").write_text(text, encoding="utf-8")
    return folders


def _manifest_text(
    description: Description, found: Architecture, window: tuple[str, str, int], networks: Sequence[Sequence[str]],
    files: Mapping[str, str],
) -> str:  # fmt: skip
    """The manifest of one window; `networks` are lists of a file and the stems it gives."""
    suffix, title, samples = window
    stride = samples * 3 // 4  # as the original moves on
    settings = {
        "fft_samples": found.fft_samples, "segment_samples": samples, "segment_stride_samples": stride,
        "stride_samples": stride // stride_parts(stride), "networks": networks,
    }  # fmt: skip
    return manifest_text(
        replace(description, name=description.name + suffix, title=description.title + title),
        kind="htdemucs", stems=[*_separated(found), RESIDUAL], residual=RESIDUAL, sample_rate=SAMPLE_RATE,
        # One network takes half of the stride on two cores; several may take all of it.
        allowance_samples=stride * 2 // 3 if len(networks) == 1 else stride,
        settings=settings, tensors={}, files=files)  # fmt: skip


def _windows(found: Architecture) -> Sequence[tuple[str, str, int]]:
    """Suffix, addition to the title and samples of each window."""
    short = _SHORT_FRAMES * found.hop_samples
    windows = [("", "", found.segment_samples)]
    if short < found.segment_samples:
        windows.append(("-3s", ", 3 s windows", short))
    return windows


def _separated(found: Architecture) -> list[str]:
    return [stem for stem in STEM_ORDER if stem in found.sources and stem != RESIDUAL]


def _share(path: Path, first: Path) -> None:
    """Make equal files one."""
    if path != first and file_sha256(path) == file_sha256(first):
        path.unlink()
        link(first, path)
