# SPDX-License-Identifier: MIT
"""What converters of trainers' checkpoints share: a file on this machine, and the trainer's settings beside it."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from stemlane.catalog.convert.given_stems import what_it_gives
from stemlane.catalog.convert.readers.checkpoints import read_checkpoint
from stemlane.catalog.convert.readers.training_config import Config, read_config
from stemlane.catalog.convert.source import Order, own_weights
from stemlane.catalog.convert.spectral_models import Window, write_models
from stemlane.errors import ModelError

if TYPE_CHECKING:
    from stemlane.catalog.convert.onnx_graph import GraphBuilder  # imports onnx, which only converting needs

SAMPLE_RATE = 44100
_USUAL_OVERLAP = 2  # segments that hear a moment
Tensors = Mapping[str, np.ndarray]


class TrainedArchitecture(Protocol):
    """What is read from a checkpoint and its settings, whatever the family."""

    @property
    def num_stems(self) -> int:
        """Stems that the network gives."""

    @property
    def segment_samples(self) -> int:
        """What it was trained on."""


A = TypeVar("A", bound=TrainedArchitecture)


def joining(order: Order, settings: Config | None) -> tuple[int, Mapping[str, object]]:
    """How many segments hear a moment, and what the manifest states of how they are joined."""
    if order.options.stitching == "own":
        return _USUAL_OVERLAP, {}
    named = settings.table("inference").integer("num_overlap", _USUAL_OVERLAP, 2, 8) if settings else _USUAL_OVERLAP
    return named, {"weights": "ramps"}


def add_trained(
    order: Order, model_name: str, *, title: Callable[[A], str], read: Callable[[Tensors, Config, str], A],
    build: Callable[[A, Tensors, Sequence[int], int], "GraphBuilder"],
    transform: Callable[[A], Mapping[str, object]],
) -> list[Path]:  # fmt: skip
    """Convert a checkpoint: one model, whose segments are the training's and are heard twice, for files.

    Parameters
    ----------
    title
        What the family is called.
    read
        Gives the architecture of tensors and settings; the text names the file in errors.
    build
        Makes the graph for the stems of these numbers.
    transform
        What the manifest states beyond lengths.

    Raises
    ------
    ModelError
        If the weights are not on this machine, damaged or of another kind, or the settings are missing.
    """
    if order.fetches:
        raise ModelError(f"{order.location}: download it first, then --from PATH")
    path, config = order.place, order.options.config
    if config is None:
        raise ModelError(f"{path}: give the settings it was trained with, --config FILE.yaml: they say what it gives")
    settings = Config(read_config(config), str(config))
    tensors = read_checkpoint(path)
    found = read(tensors, settings, str(path))
    given = what_it_gives(found.num_stems, settings, order.options.stem, str(path))
    weights = sum(values.size for values in tensors.values()) / 1e6
    kind, segment = title(found), found.segment_samples
    overlap, join = joining(order, settings)
    return write_models(
        functools.partial(build, found, tensors, given.outputs), order.target, stems=given.stems,
        residual=given.residual, sample_rate=SAMPLE_RATE, windows=[Window("", "", segment, 0, segment // overlap)],
        description=own_weights(order, f"{kind} {model_name}", kind, "known by their hash", note=given.note),
        transform={**transform(found), **join}, report=order.report, million_weights=weights)  # fmt: skip
