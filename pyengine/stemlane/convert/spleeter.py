# SPDX-License-Identifier: MIT
"""Turns a Spleeter checkpoint into Stemlane models: one network, one manifest for each length of window.

Refuses checkpoints that are damaged or not of Spleeter's architecture. Getting them is `install`'s job.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from stemlane.convert.spleeter_network import ELU, LEAKY, Activations, build_network, expected_shapes
from stemlane.convert.tf_checkpoint import Checkpoint
from stemlane.errors import ModelError
from stemlane.manifest import STEM_ORDER

_FLOAT32 = 1  # TensorFlow's number of the type
_HOP_SAMPLES = 1024


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


@dataclass(frozen=True)
class Window:
    """A latency mode: frames of a segment, frames it moves on by, frames blended from one to the next."""

    suffix: str
    title: str
    segment_frames: int
    stride_frames: int
    crossfade_frames: int


# Half of a short window is kept: as much context as music, for twice the work.
WINDOWS = (
    Window("", "", 512, 512, 0),
    Window("-3s", ", 3 s windows", 128, 64, 8),
    Window("-1.5s", ", 1.5 s windows", 64, 32, 8),
)


@dataclass(frozen=True)
class Description:
    """What the manifests say of the weights."""

    name: str
    title: str
    licence: str
    origin: str
    training_data: str
    network_bins: int = 1024
    mask_extension: str = "zeros"


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

    emitted = [kind.instruments.index(stem) for stem in kind.stems[:-1]]
    network = build_network(
        read, num_stems=len(kind.instruments), activations=kind.activations, softmax=kind.softmax, emitted=emitted
    )
    folders = [folder / (description.name + window.suffix) for window in WINDOWS]
    for path in folders:
        path.mkdir()
    onnx.save(network, folders[0] / "network.onnx")
    with (folders[0] / "network.onnx").open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    for path, window in zip(folders, WINDOWS):
        if path != folders[0]:
            _link(folders[0] / "network.onnx", path / "network.onnx")
        text = _manifest(kind, description, window, sha256)
        (path / "manifest.toml").write_text(text, encoding="utf-8")
    return folders


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file where the file system can, else a copy: the weights are needed only once."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _manifest(kind: Variant, description: Description, window: Window, sha256: str) -> str:
    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)  # JSON's strings are TOML's

    stems = ", ".join(text(stem) for stem in kind.stems)
    # A segment of 5 stems takes an eighth of its own length to compute on one slow core; more bins take longer.
    allowance_samples = window.segment_frames * _HOP_SAMPLES // 4 * description.network_bins // 1024
    return f"""# SPDX-License-Identifier: MIT
# Written by 'stemlane models add'.
format = 1
name = {text(description.name + window.suffix)}
title = {text(description.title + window.title)}
kind = "spleeter"
version = "1.4.0"
stems = [{stems}]
residual = {text(kind.stems[-1])}
sample_rate = 44100
compute_allowance_samples = {allowance_samples}
licence = {text(description.licence)}
origin = {text(description.origin)}
training_data = {text(description.training_data)}

[spleeter]
fft_samples = 4096
hop_samples = {_HOP_SAMPLES}
segment_frames = {window.segment_frames}
stride_frames = {window.stride_frames}
crossfade_frames = {window.crossfade_frames}
network_bins = {description.network_bins}
mask_extension = {text(description.mask_extension)}

[[files]]
path = "network.onnx"
sha256 = "{sha256}"

[tensors]
magnitude = "magnitude"
masks = "masks"
"""
