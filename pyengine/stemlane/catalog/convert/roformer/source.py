# SPDX-License-Identifier: MIT
"""Where RoFormers come from: a checkpoint on this machine and its trainer's settings, which say what it gives."""

import functools
from dataclasses import dataclass
from pathlib import Path

from stemlane.catalog import licences
from stemlane.catalog.convert.mdx.table import find_target
from stemlane.catalog.convert.places import stem_of_path
from stemlane.catalog.convert.readers.checkpoints import read_checkpoint
from stemlane.catalog.convert.readers.training_config import Config, read_config
from stemlane.catalog.convert.roformer.architecture import SAMPLE_RATE, Architecture, read_architecture
from stemlane.catalog.convert.roformer.network import write_network
from stemlane.catalog.convert.source import Order, own_weights
from stemlane.catalog.convert.spectral_models import Window, write_models
from stemlane.contract import STEM_ORDER
from stemlane.errors import ModelError

OPTIONS: tuple[str, ...] = ("config", "stem")  # those of `AddOptions` that mean something here
RESIDUAL = "other"
_PAIR = {"vocals", "instrumental"}  # of which the second is the first one's residual


@dataclass(frozen=True)
class RoformerSource:
    """The source `roformer`, whose name depends on the file."""

    model_name: str


@dataclass(frozen=True)
class Given:
    """What a network gives: the stems' names, the mask estimators they come from, the residual, a note."""

    stems: list[str]
    estimators: list[int]
    residual: str = RESIDUAL
    note: str = ""


def parse(source: str, location: str | None = None) -> RoformerSource | None:
    """The source `roformer`, or None."""
    if source.lower() != "roformer":
        return None
    if not location:
        raise ModelError("roformer needs --from FILE.ckpt and --config FILE.yaml, the checkpoint and its settings")
    return RoformerSource(stem_of_path(location, "roformer"))


def licence(source: RoformerSource) -> licences.Licence:
    """Whoever trained it may have stated one; the file does not say whose it is."""
    return licences.UNKNOWN


def add(source: RoformerSource, order: Order) -> list[Path]:
    """See `stemlane.catalog.convert.source.Source`; only from a path."""
    if order.fetches:
        raise ModelError(f"{order.location}: download it first, then --from PATH")
    path, config = order.place, order.options.config
    if config is None:
        raise ModelError(f"{path}: give the settings it was trained with, --config FILE.yaml: they say what it gives")
    settings = Config(read_config(config), str(config))
    tensors = read_checkpoint(path)
    found = read_architecture(tensors, settings, str(path))
    given = what_it_gives(found.num_stems, settings, order.options.stem, str(path))
    kind = "Mel-Band RoFormer" if found.is_mel else "BS-RoFormer"
    weights = sum(values.size for values in tensors.values()) / 1e6
    described = own_weights(order, f"{kind} {source.model_name}", kind, "known by their hash", note=given.note)
    return write_models(
        functools.partial(write_network, found, tensors, given.estimators), order.target, stems=given.stems,
        residual=given.residual, sample_rate=SAMPLE_RATE, windows=windows(found), transform=transform(found),
        description=described, report=order.report, million_weights=weights)  # fmt: skip


def what_it_gives(num_stems: int, settings: Config, named: str | None, where: str) -> Given:
    """The stems of a network, from its trainer's settings, or for one stem from what the user says.

    Raises
    ------
    ModelError
        If these are not stems that there are faders for.
    """
    training = settings.table("training")
    instruments = [name.lower() for name in training.texts("instruments", ())]
    if num_stems == 1:
        name = named or training.text("target_instrument") or (instruments[0] if instruments else "")
        target = find_target(name)
        if target is None:
            raise ModelError(f"{where}: gives one stem, {name!a}: say which it is, --stem NAME")
        return Given([target.stem], [0], target.residual, target.meaning)
    if named is not None:
        raise ModelError(f"--stem means nothing for {num_stems} stems; leave it out")
    names = [RESIDUAL if set(instruments) == _PAIR and name == "instrumental" else name for name in instruments]
    unknown = [name for name in names if name not in STEM_ORDER]
    if unknown or len(names) != num_stems or len(set(names)) != num_stems or RESIDUAL not in names:
        raise ModelError(
            f"{where}: gives {num_stems} stems, its settings name {ascii(', '.join(instruments))[1:-1]}; should be "
            f"{RESIDUAL!r} and some of: {', '.join(STEM_ORDER)}"
        )
    stems = [stem for stem in STEM_ORDER if stem in names and stem != RESIDUAL]
    return Given(stems, [names.index(stem) for stem in stems])


def transform(found: Architecture) -> dict[str, object]:
    """What the manifests say of the transform."""
    return {
        "fft_samples": found.fft_samples, "hop_samples": found.hop_samples, "window": "hann",
        "normalised": found.normalised, "frames": "centred", "network_bins": found.num_bins, "level": "none",
    }  # fmt: skip


def windows(found: Architecture) -> list[Window]:
    """That of the training alone: such networks are for files. Every moment is heard twice."""
    return [Window("", "", found.segment_samples, 0, found.segment_samples // 2)]
