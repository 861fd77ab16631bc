# SPDX-License-Identifier: MIT
"""MDX23C as one ONNX graph for segments of one length: spectrogram in, those of the stems out.

What the original computes (mdx23c_tfc_tdf_v3.py), with frames before bins from start to end, so that nothing is turned
in between, and in parts along the frames.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.catalog.convert.mdx23c.architecture import CHANNELS, Architecture
from stemlane.catalog.convert.mdx23c.layers import Layers, Signal, cuts
from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.convert.signal_parts import Part


def build_graph(
    found: Architecture, tensors: Mapping[str, np.ndarray], stems: Sequence[int], segment_samples: int
) -> GraphBuilder:
    """The graph for segments of `segment_samples`, as `spectral_models.Builder` describes it."""
    frames, subbands = segment_samples // found.hop_samples + 1, found.num_subbands
    layers = Layers(tensors)
    graph, scale, bins = layers.graph, found.scale, found.subband_bins
    signal = _first(layers, subbands, frames, bins)
    kept = []
    for index in range(found.num_scales):
        signal = _blocks(layers, found, f"encoder_blocks.{index}.tfc_tdf", signal)
        kept.append(signal)
        signal = layers.shortened(f"encoder_blocks.{index}.downscale.conv", signal, scale)
    signal = _blocks(layers, found, "bottleneck_block", signal)
    for index in range(found.num_scales):
        signal = layers.lengthened(f"decoder_blocks.{index}.upscale.conv", signal, scale)
        signal = _blocks(layers, found, f"decoder_blocks.{index}.tfc_tdf", signal, kept.pop())
    outputs = [_last(layers, subbands, signal, stems, part) for part in signal.parts]
    graph.node("Concat", *outputs, axis=0, output="stem_spectrograms")
    return graph


def _blocks(layers: Layers, found: Architecture, name: str, *signals: Signal) -> Signal:
    signal = layers.block(f"{name}.blocks.0", *signals)
    for index in range(1, found.num_blocks):
        signal = layers.block(f"{name}.blocks.{index}", signal)
    return signal


def _heard(graph: GraphBuilder, subbands: int, begin: int, end: int, bins: int, *more: str) -> str:
    """Frames begin to end of the mixture, from (frames, bins, values) to (1, values x subbands, frames, bins)."""
    ends = (graph.constant(np.array([number])) for number in (begin, end, 0))
    part = graph.node("Slice", "spectrogram", *ends, *more)
    apart = graph.shape(part, end - begin, subbands, bins, CHANNELS)
    planes = graph.node("Transpose", apart, perm=[3, 1, 0, 2])
    return graph.shape(planes, 1, CHANNELS * subbands, end - begin, bins)


def _first(layers: Layers, subbands: int, frames: int, bins: int) -> Signal:
    """The mixture's channels, by the first convolution."""
    weight = layers.get("first_conv.weight")
    found = []
    for begin, end in cuts(len(weight), frames, bins):
        # As a product it would be taken for the same as in `_last` and be kept until then.
        source, values = _heard(layers.graph, subbands, begin, end, bins), layers.graph.weight(weight)
        found.append(Part(layers.graph.node("Conv", source, values, kernel_shape=[1, 1]), begin, end))
    return Signal(found, len(weight), bins)


def _last(layers: Layers, subbands: int, signal: Signal, stems: Sequence[int], part: Part) -> str:
    """A part of the output, (frames, bins, stems x 4): the last convolutions of the mixture and what was found."""
    graph, width, bins = layers.graph, CHANNELS * subbands, signal.bins
    frames = part.end - part.begin
    # With steps of one, for the same reason.
    heard = _heard(graph, subbands, part.begin, part.end, bins, graph.constant(np.array([1])))
    first = layers.product(layers.get("first_conv.weight")[:, :, 0, 0], heard, frames, bins)
    both = graph.node("Concat", heard, graph.node("Mul", part.name, first), axis=1)
    inner = graph.node("Gelu", layers.product(layers.get("final_conv.0.weight")[:, :, 0, 0], both, frames, bins))
    rows = np.add.outer(np.array(list(stems)) * width, np.arange(width)).ravel()
    inner = layers.product(layers.get("final_conv.2.weight")[rows, :, 0, 0], inner, frames, bins)
    apart = graph.shape(inner, len(stems) * CHANNELS, subbands, frames, bins)
    together = graph.node("Transpose", apart, perm=[2, 1, 3, 0])
    return graph.shape(together, frames, subbands * bins, CHANNELS * len(stems))
