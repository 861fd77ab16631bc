# SPDX-License-Identifier: MIT
"""Where SCNets come from: a checkpoint on this machine, known by its hash or described by its trainer's settings."""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

from stemlane.catalog import licences
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.places import file_sha256
from stemlane.catalog.convert.readers.checkpoints import read_checkpoint
from stemlane.catalog.convert.readers.training_config import Config, read_config
from stemlane.catalog.convert.scnet.architecture import SAMPLE_RATE, Architecture, read_architecture
from stemlane.catalog.convert.source import CONVERTER, Order, own_weights
from stemlane.catalog.convert.spectral_models import Window, write_models
from stemlane.catalog.convert.trained import joining
from stemlane.contract import STEM_ORDER
from stemlane.errors import ModelError

OPTIONS: tuple[str, ...] = ("config", "stitching")  # those of `AddOptions` that mean something here
RESIDUAL = "other"
_SHORT_SECONDS = 2
# SCNet-large as Music-Source-Separation-Training 1.0.9 has it, MUSDB18-HQ.
_LARGE_SHA256 = "65900dfa07d6b6e5d784c0f143920200a4bd281d6e78a806c549d0b912d5885e"


@dataclass(frozen=True)
class ScnetSource:
    """The source `scnet`."""

    model_name: str = "scnet"


def parse(source: str, location: str | None = None) -> ScnetSource | None:
    """The source `scnet`, or None."""
    if source.lower() != "scnet":
        return None
    if not location:
        raise ModelError("scnet needs --from FILE.ckpt, the path of the checkpoint")
    return ScnetSource()


def licence(source: ScnetSource) -> licences.Licence:
    """Nobody knows before the file is read whose it is."""
    return licences.UNKNOWN


def add(source: ScnetSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; only from a path."""
    from stemlane.catalog.convert.scnet.network import build_graph

    if order.fetches:
        raise ModelError(f"{order.location}: download it first, then --from PATH")
    path = order.place
    settings = Config(read_config(order.options.config), str(order.options.config)) if order.options.config else None
    tensors = read_checkpoint(path)
    found = read_architecture(tensors, settings, str(path))
    stems = separated(found.sources, str(path))
    description = own_weights(order, "SCNet", "SCNet", "known by their hash")
    if file_sha256(path) == _LARGE_SHA256:  # as its authors trained it, whatever settings come with it
        found = dataclasses.replace(found, normalises_segments=True, normalises_mixture=True)
        description = Description(
            order.name, "SCNet large", "1.0.9", licences.SCNET.text, f"starrytong/SCNet, {CONVERTER}", "MUSDB18-HQ"
        )
    overlap, join = joining(order, settings)
    return write_models(
        functools.partial(build_graph, found, tensors, stems), order.target, stems=stems, residual=RESIDUAL,
        sample_rate=SAMPLE_RATE, windows=windows(found, overlap), description=description,
        transform={**transform(found), **join}, report=order.report)  # fmt: skip


def separated(sources: tuple[str, ...], where: str) -> list[str]:
    """The stems a network of these sources gives here, in Stemlane's order; the residual is `other`."""
    names = [source.lower() for source in sources]
    unknown = [name for name in names if name not in STEM_ORDER]
    if unknown or RESIDUAL not in names or len(set(names)) < 2 or list(sources) != names:
        raise ModelError(
            f"{where}: its stems are {ascii(', '.join(sources))[1:-1]}; should be {RESIDUAL!r} and some of: "
            f"{', '.join(STEM_ORDER)}"
        )
    return [stem for stem in STEM_ORDER if stem in names and stem != RESIDUAL]


def transform(found: Architecture) -> dict[str, object]:
    """What the manifests say of the transform and the level: the authors take no window."""
    return {
        "fft_samples": found.fft_samples, "hop_samples": found.hop_samples, "window": "flat",
        "normalised": found.normalised, "frames": "centred", "network_bins": found.num_bins,
        "level": "recording" if found.normalises_mixture else "none",
    }  # fmt: skip


def windows(found: Architecture, overlap: int = 2) -> list[Window]:
    """That of the training, heard `overlap` times, by the original twice; and 2 s, heard as often."""
    segment = found.segment_samples
    # Odd, so that the number of frames is even without padding.
    short_hops = 2 * round(_SHORT_SECONDS * SAMPLE_RATE / found.hop_samples / 2) + 1
    short = short_hops * found.hop_samples
    listed = [Window("", "", segment, found.padding_samples(segment), segment // overlap)]
    if short < segment:
        listed.append(Window("-2s", ", 2 s windows", short, 0, short // overlap))
    return listed
