# SPDX-License-Identifier: MIT
"""Spleeter's network as an ONNX graph: one U-Net per stem on stereo magnitudes, and the ratio masks of the stems.

The layers are those of Spleeter 2.4.2 (spleeter/model/functions/unet.py, model/__init__.py); numbers in names are
those Keras gives the layers of a checkpoint. Batch normalisations stand where the weights cannot absorb them: those
on the way down come after the outputs that the way up reuses, those on the way up after the activation. Both use the
checkpoint's mean and variance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stemlane.catalog.convert.onnx_graph import Ends, GraphBuilder

FILTERS = (16, 32, 64, 128, 256, 512)
NORM_PARTS = ("gamma", "beta", "moving_mean", "moving_variance")
_NORM_EPSILON = 1e-3  # Keras' default
_MASK_EPSILON = 1e-10  # EstimatorSpecBuilder.EPSILON
_OPSET = 17


@dataclass(frozen=True)
class Activations:
    """What follows the convolutions down and up: an ONNX operator and its attributes."""

    down: str
    up: str

    @property
    def slope(self) -> dict[str, Any]:
        """Attributes of the activation on the way down."""
        return {"alpha": 0.2} if self.down == "LeakyRelu" else {}


LEAKY = Activations("LeakyRelu", "Relu")
ELU = Activations("Elu", "Elu")


def layer_name(kind: str, number: int) -> str:
    """The name Keras gives the layer `number` (from 0) of its kind."""
    return f"{kind}_{number}" if number else kind


def expected_shapes(num_stems: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights of a checkpoint with `num_stems` stems."""
    shapes: dict[str, tuple[int, ...]] = {}

    def add(kind: str, number: int, **parts: tuple[int, ...]) -> None:
        shapes.update({f"{layer_name(kind, number)}/{part}": shape for part, shape in parts.items()})

    ups = [*reversed(FILTERS[:-1]), 1]
    for stem in range(num_stems):
        inputs = 2
        for level, filters in enumerate(FILTERS):
            add("conv2d", 7 * stem + level, kernel=(5, 5, inputs, filters), bias=(filters,))
            inputs = filters
        for level, filters in enumerate(ups):
            add("conv2d_transpose", 6 * stem + level, kernel=(5, 5, filters, inputs), bias=(filters,))
            inputs = 2 * filters
        for level, filters in enumerate([*FILTERS, *ups]):
            add("batch_normalization", 12 * stem + level, **dict.fromkeys(NORM_PARTS, (filters,)))
        add("conv2d", 7 * stem + 6, kernel=(4, 4, 1, 2), bias=(2,))
    return shapes


def build_network(
    read: Callable[[str], np.ndarray],
    *,
    num_stems: int,
    activations: Activations,
    softmax: bool,
    order: Sequence[int],
    masks: bool,
) -> GraphBuilder:
    """Build the network; `network_ends` are its input and output.

    Parameters
    ----------
    read
        Gives the weight of a name; the names are those of `expected_shapes`.
    num_stems
        Stems the checkpoint has.
    activations
        `LEAKY` for 2 stems, `ELU` for 4 and 5.
    softmax
        Whether the stems' outputs are shares of the magnitude (5 stems), or each a sigmoid's.
    order
        The stems' numbers in the order of the outputs.
    masks
        Whether masks are returned, of all stems but the last; or the magnitudes of all.
    """
    graph = GraphBuilder(_OPSET)
    logits = [_unet(graph, read, stem, activations) for stem in order]
    axis = graph.constant(np.array([1]))
    stacked = graph.node("Concat", *(graph.node("Unsqueeze", logit, axis) for logit in logits), axis=1)
    shares = graph.node("Softmax", stacked, axis=1) if softmax else graph.node("Sigmoid", stacked)
    name = None if masks else "magnitudes"
    outputs = graph.node("Mul", shares, graph.node("Unsqueeze", "magnitude", axis), output=name)
    if not masks:
        return graph
    powers = graph.node("Mul", outputs, outputs)
    total = graph.node("ReduceSum", powers, axis, keepdims=1)
    total = graph.node("Add", total, graph.constant(np.float32(_MASK_EPSILON)))
    chosen = graph.node("Gather", powers, graph.constant(np.arange(num_stems - 1)), axis=1)
    chosen = graph.node("Add", chosen, graph.constant(np.float32(_MASK_EPSILON / num_stems)))
    graph.node("Div", chosen, total, output="masks")
    return graph


def network_ends(name: str, num_stems: int) -> tuple[Ends, Ends]:
    """Input and output of a network that gives `name` of so many stems. Frames and bins are free multiples of 64."""
    shape = (2, "frames", "bins")
    return {"magnitude": (1, *shape)}, {name: (1, num_stems, *shape)}


def _unet(graph: GraphBuilder, read: Callable[[str], np.ndarray], stem: int, activations: Activations) -> str:
    """Add the U-Net of one stem; returns its output before sigmoid or softmax, (1, 2, frames, bins)."""

    def weights(kind: str, number: int, *parts: str) -> list[np.ndarray]:
        return [read(f"{layer_name(kind, number)}/{part}") for part in parts]

    def convolution(source: str, number: int, **attributes: Any) -> str:
        kernel, bias = weights("conv2d", number, "kernel", "bias")
        return graph.node("Conv", source, graph.weight(kernel.transpose(3, 2, 0, 1)), graph.weight(bias), **attributes)

    def normalised(source: str, number: int) -> str:
        parts = [graph.constant(value) for value in weights("batch_normalization", number, *NORM_PARTS)]
        return graph.node("BatchNormalization", source, *parts, epsilon=_NORM_EPSILON)

    # 'same' padding of a 5 x 5 kernel with stride 2 on even sizes: one before, two after.
    halving = {"strides": [2, 2], "pads": [1, 1, 2, 2]}
    skips = []
    signal = "magnitude"
    for level in range(len(FILTERS)):
        signal = convolution(signal, 7 * stem + level, **halving)
        skips.append(signal)
        if level < len(FILTERS) - 1:  # the last one is used as it is
            signal = normalised(signal, 12 * stem + level)
            signal = graph.node(activations.down, signal, **activations.slope)
    for level in range(len(FILTERS)):
        if level:
            signal = graph.node("Concat", skips[-1 - level], signal, axis=1)
        kernel, bias = weights("conv2d_transpose", 6 * stem + level, "kernel", "bias")
        parts = graph.weight(kernel.transpose(3, 2, 0, 1)), graph.weight(bias)
        signal = graph.node("ConvTranspose", signal, *parts, strides=halving["strides"], pads=halving["pads"])
        signal = normalised(graph.node(activations.up, signal), 12 * stem + len(FILTERS) + level)
    return convolution(signal, 7 * stem + len(FILTERS), dilations=[2, 2], pads=[3, 3, 3, 3])
