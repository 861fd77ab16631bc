# SPDX-License-Identifier: MIT
"""MDX23C as one ONNX graph for segments of one length: spectrogram in, those of the stems out.

What the original computes (mdx23c_tfc_tdf_v3.py), with frames before bins from start to end, so that nothing is turned
in between.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.catalog.convert.mdx23c.architecture import CHANNELS, Architecture
from stemlane.catalog.convert.onnx_graph import GraphBuilder

_EPSILON = 1e-5  # of the normalisations, torch's default


def build_graph(
    found: Architecture, tensors: Mapping[str, np.ndarray], stems: Sequence[int], segment_samples: int
) -> GraphBuilder:
    """The graph for segments of `segment_samples`, as `spectral_models.Builder` describes it."""
    frames, bins, subbands = segment_samples // found.hop_samples + 1, found.network_bins, found.num_subbands
    writer = _Writer(found, tensors)
    graph = writer.graph
    # From (frames, bins, values) to (1, values x subbands, frames, bins of a subband).
    apart = graph.shape("spectrogram", frames, subbands, found.subband_bins, CHANNELS)
    planes = graph.node("Transpose", apart, perm=[3, 1, 0, 2])
    mixture = graph.shape(planes, 1, CHANNELS * subbands, frames, found.subband_bins)
    signal = first = writer.convolved("first_conv", mixture)
    kept = []
    for index in range(found.num_scales):
        signal = writer.blocks(f"encoder_blocks.{index}.tfc_tdf", signal)
        kept.append(signal)
        signal = writer.rescaled(f"encoder_blocks.{index}.downscale.conv", "Conv", signal)
    signal = writer.blocks("bottleneck_block", signal)
    for index in range(found.num_scales):
        signal = writer.rescaled(f"decoder_blocks.{index}.upscale.conv", "ConvTranspose", signal)
        signal = graph.node("Concat", signal, kept.pop(), axis=1)
        signal = writer.blocks(f"decoder_blocks.{index}.tfc_tdf", signal)
    signal = graph.node("Concat", mixture, graph.node("Mul", signal, first), axis=1)
    signal = graph.node("Gelu", writer.convolved("final_conv.0", signal))
    width = CHANNELS * subbands
    rows = np.add.outer(np.array(list(stems)) * width, np.arange(width)).ravel()
    signal = writer.convolved("final_conv.2", signal, rows)
    apart = graph.shape(signal, len(stems) * CHANNELS, subbands, frames, found.subband_bins)
    together = graph.node("Transpose", apart, perm=[2, 1, 3, 0])
    sizes = (frames, bins, CHANNELS * len(stems))
    graph.node("Reshape", together, graph.constant(np.array(sizes)), output="stem_spectrograms")
    return graph


class _Writer:
    """Adds layers to a graph, with their tensors as the original names them."""

    def __init__(self, found: Architecture, tensors: Mapping[str, np.ndarray]):
        self.graph = GraphBuilder()
        self._found = found
        self._tensors = tensors

    def convolved(self, name: str, source: str, rows: np.ndarray | None = None) -> str:
        """Convolution without bias; `rows` chooses some of the outputs."""
        weight = self._tensors[f"{name}.weight"]
        weight = weight if rows is None else weight[rows]
        side = weight.shape[2] // 2
        return self.graph.node(
            "Conv", source, self.graph.weight(weight), kernel_shape=list(weight.shape[2:]), pads=[side] * 4
        )  # fmt: skip

    def _activated(self, name: str, source: str) -> str:
        """Each channel normalised, and the activation."""
        graph = self.graph
        ends = (graph.weight(self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return graph.node("Gelu", graph.node("InstanceNormalization", source, *ends, epsilon=_EPSILON))

    def rescaled(self, name: str, operator: str, source: str) -> str:
        """Fewer frames and bins by convolution, or more by transposed convolution."""
        weight, scale = self._tensors[f"{name}.2.weight"], self._found.scale
        return self.graph.node(
            operator, self._activated(f"{name}.0", source), self.graph.weight(weight), kernel_shape=[scale, scale],
            strides=[scale, scale],
        )  # fmt: skip

    def blocks(self, name: str, source: str) -> str:
        """Convolutions with products along the bins between them, and a way around."""
        graph = self.graph
        for index in range(self._found.num_blocks):
            block = f"{name}.blocks.{index}"
            around = self.convolved(f"{block}.shortcut", source)
            inner = self.convolved(f"{block}.tfc1.2", self._activated(f"{block}.tfc1.0", source))
            along = inner
            for norm, product in ((0, 2), (3, 5)):
                weight = graph.weight(self._tensors[f"{block}.tdf.{product}.weight"].T)
                along = graph.node("MatMul", self._activated(f"{block}.tdf.{norm}", along), weight)
            inner = graph.node("Add", inner, along)
            inner = self.convolved(f"{block}.tfc2.2", self._activated(f"{block}.tfc2.0", inner))
            source = graph.node("Add", inner, around)
        return source
