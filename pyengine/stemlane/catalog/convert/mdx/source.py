# SPDX-License-Identifier: MIT
"""Where MDX-Net models come from: ONNX files as they are published, with what is known of them or the user says."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from stemlane import __version__
from stemlane.catalog import licences
from stemlane.catalog.convert.manifest_text import Description, manifest_text
from stemlane.catalog.convert.mdx.table import TARGETS, MdxFacts, MdxTarget, find_facts, find_target
from stemlane.catalog.convert.options import AddOptions
from stemlane.catalog.convert.places import file_sha256, link, stem_of_path
from stemlane.catalog.convert.source import Order, fetch
from stemlane.catalog.network_check import check_network
from stemlane.errors import ModelError
from stemlane.manifests.mdx import HIGHEST_COMPENSATION, LOWEST_COMPENSATION

OPTIONS: tuple[str, ...] = (
    "stem",
    "fft_samples",
    "compensation",
    "both_signs",
)  # those of `AddOptions` that mean something here
HOP_SAMPLES = 1024
_SAMPLE_RATE = 44100
_SILENT_BINS = 3  # Ultimate Vocal Remover from 5.6 on
_CROSSFADE_SAMPLES = 4096


@dataclass(frozen=True)
class MdxSource:
    """The source `mdx`, whose name depends on the file."""

    model_name: str


def parse(source: str, location: str | None = None) -> MdxSource | None:
    """The source `mdx`, or None."""
    if source.lower() != "mdx":
        return None
    if not location:
        raise ModelError("mdx needs --from FILE.onnx, the path or address of the network")
    return MdxSource(stem_of_path(location, "mdx"))


def licence(source: MdxSource) -> licences.Licence:
    """None of the known networks comes with one."""
    return licences.MDX


def add(source: MdxSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; from an address only the files in `mdx.table` are taken."""
    location = order.location or ""
    if not order.fetches:
        if not order.place.is_file():
            raise ModelError(f"{location}: no such file; it should be an MDX-Net network, FILE.onnx")
        return _write(order.place, source, order)
    path = order.downloads / f"mdx-{hashlib.sha256(location.encode()).hexdigest()[:12]}.onnx"
    fetch(
        location, path, order.report, "downloading", lambda path: find_facts(path) is not None,
        "a file of the table of known networks",
    )  # fmt: skip
    try:
        return _write(path, source, order)
    finally:
        path.unlink(missing_ok=True)


class Join(TypedDict):
    """How segments follow each other and are joined, see `MdxSettings`."""

    stride_samples: int
    weights: str
    crossfade_samples: int


def _write(path: Path, source: MdxSource, order: Order) -> list[Path]:
    options, name = order.options, order.name
    known = find_facts(path)
    spectrum, stem_tensor, bins, frames = _tensors(path)
    if known and (known.network_bins, known.segment_frames) != (bins, frames):
        raise ModelError(
            f"{path}: has {bins} bins and {frames} frames, the table says {known.network_bins}, {known.segment_frames}"
        )
    gives = _target(known, options, path)
    fft = options.fft_samples if options.fft_samples is not None or not known else known.fft_samples
    if fft is None:
        raise ModelError(f"{path}: is not in the table of known networks: give the length of its transform, --n-fft N")
    segment, lowest = HOP_SAMPLES * (frames - 1), 2 * (bins - 1)
    if fft % 2 or fft < max(lowest, 2 * HOP_SAMPLES) or fft >= segment:
        raise ModelError(f"--n-fft is {fft}, should be even, from {max(lowest, 2 * HOP_SAMPLES)} to {segment - 2}")
    compensation = options.compensation if options.compensation is not None else known.compensation if known else 1.0
    if not LOWEST_COMPENSATION <= compensation <= HIGHEST_COMPENSATION:
        raise ModelError(
            f"--compensation is {compensation:g}, should be from {LOWEST_COMPENSATION:g} to {HIGHEST_COMPENSATION:g}"
        )
    origin = f"{source.model_name}.onnx from {order.location}" + (
        ", numbers from Ultimate Vocal Remover's table" if known else ", numbers as given when it was added"
    )
    description = Description(
        name, f"MDX-Net {source.model_name}", "unknown", (licences.MDX if known else licences.UNKNOWN).text,
        f"{origin}, added by stemlane {__version__}", "unknown", gives.meaning,
    )  # fmt: skip
    settings = {
        "fft_samples": fft, "hop_samples": HOP_SAMPLES, "segment_frames": frames, "network_bins": bins,
        "silent_bins": min(_SILENT_BINS, bins), "compensation": compensation, "both_signs": options.both_signs,
    }  # fmt: skip
    inner = segment - fft
    folders: list[Path] = []
    files: dict[str, str] = {}
    for suffix, join in _joins(inner).items():
        if inner - join["stride_samples"] < join["crossfade_samples"]:
            continue  # a network of few frames has no room for it
        folder = order.target / (name + suffix)
        folder.mkdir()
        if folders:
            for file in files:
                link(folders[0] / file, folder / file)
        else:
            files = _write_network(path, folder)
        title = description.title + (", low latency" if suffix else "")
        named = replace(description, name=name + suffix, title=title)
        text = manifest_text(
            named, kind="mdx", stems=(gives.stem, gives.residual), residual=gives.residual, sample_rate=_SAMPLE_RATE,
            # Whoever keeps up at all has finished a segment when the next one begins.
            allowance_samples=join["stride_samples"], settings={**settings, **join},
            tensors={"spectrum": spectrum, "stem": stem_tensor}, files=files)  # fmt: skip
        (folder / "manifest.toml").write_text(text, encoding="utf-8")
        folders.append(folder)
    return folders


def _joins(inner: int) -> dict[str, Join]:
    """By suffix of the model's name; `inner` are the samples of a segment that its edges do not reach."""
    quarter = max(inner // 4 // HOP_SAMPLES * HOP_SAMPLES, HOP_SAMPLES)
    return {
        "": {"stride_samples": inner, "weights": "hann", "crossfade_samples": 0},
        "-low-latency": {
            "stride_samples": quarter, "weights": "flat", "crossfade_samples": min(_CROSSFADE_SAMPLES, quarter),
        },
    }  # fmt: skip


def _write_network(path: Path, folder: Path) -> dict[str, str]:
    """Write the network in parts where it is large and understood, else as it is; returns hashes by name."""
    import onnx  # only where it is needed: the command line starts without

    from stemlane.catalog.convert.mdx.in_parts import PART_VALUES, in_parts

    network, weights = folder / "network.onnx", folder / "network.weights"
    found = in_parts(onnx.ModelProto.FromString(path.read_bytes()), PART_VALUES, weights.name)
    if found is None:
        shutil.copyfile(path, network)
        return {network.name: file_sha256(network)}
    network.write_bytes(found[0].SerializeToString())
    weights.write_bytes(found[1])
    return {file.name: file_sha256(file) for file in (network, weights)}


def _tensors(path: Path) -> tuple[str, str, int, int]:
    """Names of input and output, bins and frames; `ModelError` if the file is not MDX-Net's."""
    inputs, outputs = check_network(path)
    found = ", ".join(f"{name} {shape}" for name, shape in [*inputs.items(), *outputs.items()])
    wanted = "should have one input and one output, both (1, 4, bins, frames)"
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{path}: has {found}: {wanted}: not an MDX-Net network")
    (spectrum, shape), (stem, stem_shape) = *inputs.items(), *outputs.items()
    if len(shape) == len(stem_shape) == 4 and shape[1] == 4 and (shape[0] == 1 or not isinstance(shape[0], int)):
        bins, frames = shape[2:]
        if isinstance(bins, int) and isinstance(frames, int):
            return spectrum, stem, bins, frames
    raise ModelError(f"{path}: has {found}: {wanted}: not an MDX-Net network")


def _target(known: MdxFacts | None, options: AddOptions, path: Path) -> MdxTarget:
    """What the network gives: as the user says, else as the table knows."""
    named = options.stem or (known.target if known else None)
    if named is None:
        raise ModelError(f"{path}: is not in the table of known networks: say what it gives, --stem NAME")
    target = find_target(named)
    if target is None:
        raise ModelError(f"--stem is {named!r}, should be one of: {', '.join(TARGETS)}")
    return target
