# SPDX-License-Identifier: MIT
"""Turns a Spleeter checkpoint into Stemlane models: one network, one manifest for each length of window.

Refuses checkpoints that are damaged or not of Spleeter's architecture. Getting them is `install`'s job.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.readers.tf_checkpoint import Checkpoint
from stemlane.catalog.convert.segment_models import SHORT_WINDOWS, Window, write_models
from stemlane.catalog.convert.spleeter.network import (
    ELU,
    LEAKY,
    Activations,
    build_network,
    expected_shapes,
    network_ends,
)
from stemlane.contract import STEM_ORDER
from stemlane.errors import ModelError

_FLOAT32 = 1  # TensorFlow's number of the type


@dataclass(frozen=True)
class Variant:
    """One of Spleeter's models: instruments in the checkpoint's order, under Stemlane's names for them."""

    instruments: tuple[str, ...]
    activations: Activations
    softmax: bool

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems in Stemlane's order; the residual, `other`, is last."""
        return tuple(sorted(self.instruments, key=STEM_ORDER.index))


# From spleeter/resources/*.json; the accompaniment of 2stems is what is left beside the vocals.
VARIANTS = {
    "2stems": Variant(("vocals", "other"), LEAKY, False),
    "4stems": Variant(("vocals", "drums", "bass", "other"), ELU, False),
    "5stems": Variant(("vocals", "piano", "drums", "bass", "other"), ELU, True),
}


# The original's segments first.
WINDOWS = (Window("", "", 512, 512, 0), *SHORT_WINDOWS)


def check_architecture(checkpoint: Checkpoint, variant: str) -> None:
    """Raise `ModelError` naming the first tensor that Spleeter's `variant` does not have, lacks or has otherwise."""
    expected = expected_shapes(len(VARIANTS[variant].instruments))
    found = {name: entry for name, entry in checkpoint.entries.items() if name != "global_step"}
    where = checkpoint.index_path
    if set(found) != set(expected):
        for other, description in VARIANTS.items():
            if set(found) == set(expected_shapes(len(description.instruments))):
                raise ModelError(f"{where}: are the weights of {other}, not of {variant}")
    for name in sorted(set(expected) - set(found)):
        raise ModelError(f"{where}: has no tensor {name}: not the weights of Spleeter's {variant}")
    for name in sorted(set(found) - set(expected)):
        raise ModelError(f"{where}: holds an unknown tensor {name}: not the weights of Spleeter's {variant}")
    for name, shape in expected.items():
        if found[name].shape != shape or found[name].dtype_number != _FLOAT32:
            raise ModelError(f"{where}: {name} has shape {found[name].shape}, should be {shape} of 32-bit floats")


def convert(
    checkpoint: Checkpoint,
    variant: str,
    description: Description,
    folder: Path,
    *,
    network_bins: int = 1024,
    mask_extension: str = "zeros",
    wiener_iterations: int = 0,
    progress: Callable[[int], None] = lambda num_bytes: None,
) -> list[Path]:
    """Write the model folders `folder`/<name><window> of a checkpoint.

    Parameters
    ----------
    checkpoint
        The weights.
    variant
        A key of `VARIANTS`.
    folder
        An existing folder without these models. After an error it may hold incomplete ones.
    network_bins, mask_extension
        How many bins the network gets, and what those above get: "zeros" or "average".
    wiener_iterations
        Of the multichannel Wiener filter: 0 or, the original's MWF, 1.
    progress
        Called with the number of bytes of weights read since its last call.

    Returns
    -------
    list of Path
        The models' folders, that of the whole segment first.

    Raises
    ------
    ModelError
        If the checkpoint is damaged, not finite, or not of this variant.
    """
    check_architecture(checkpoint, variant)
    kind = VARIANTS[variant]

    def read(name: str) -> np.ndarray:
        values = checkpoint.read(name)
        if not np.isfinite(values).all():
            raise ModelError(f"{checkpoint.data_path}: {name} holds values that are not finite")
        progress(values.nbytes)
        return values

    order = [kind.instruments.index(stem) for stem in kind.stems]
    num_stems, masks = len(kind.instruments), wiener_iterations == 0
    graph = build_network(
        read, num_stems=num_stems, activations=kind.activations, softmax=kind.softmax, order=order, masks=masks
    )
    given = ("masks", num_stems - 1) if masks else ("magnitudes", num_stems)
    return write_models(
        lambda place: graph.save(place, "network", *network_ends(*given)), folder, kind="spleeter",
        stems=kind.stems, windows=WINDOWS, description=description,
        extra={"network_bins": network_bins, "mask_extension": mask_extension}, wiener_iterations=wiener_iterations,
        allowance_scale=network_bins / 1024)  # fmt: skip
