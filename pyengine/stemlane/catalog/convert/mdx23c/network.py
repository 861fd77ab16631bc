# SPDX-License-Identifier: MIT
"""MDX23C as one ONNX graph for segments of one length: spectrogram in, those of the stems out.

What the original computes (mdx23c_tfc_tdf_v3.py), with frames before bins from start to end, so that nothing is turned
in between, and in parts along the frames.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.catalog.convert.mdx23c.architecture import CHANNELS, Architecture
from stemlane.catalog.convert.mdx23c.layers import Layers, Part, Signal, cuts
from stemlane.catalog.convert.onnx_graph import GraphBuilder


def build_graph(
    found: Architecture, tensors: Mapping[str, np.ndarray], stems: Sequence[int], segment_samples: int
) -> GraphBuilder:
    """The graph for segments of `segment_samples`, as `spectral_models.Builder` describes it."""
    frames, subbands = segment_samples // found.hop_samples + 1, found.num_subbands
    layers = Layers(tensors)
    graph, scale, width = layers.graph, found.scale, CHANNELS * subbands
    # From (frames, bins, values) to (1, values x subbands, frames, bins of a subband).
    apart = graph.shape("spectrogram", frames, subbands, found.subband_bins, CHANNELS)
    planes = graph.node("Transpose", apart, perm=[3, 1, 0, 2])
    planes = graph.shape(planes, 1, width, frames, found.subband_bins)
    mixture = Signal([Part(planes, 0, frames)], width, found.subband_bins)
    signal = _first(layers, mixture)
    kept = []
    for index in range(found.num_scales):
        signal = _blocks(layers, found, f"encoder_blocks.{index}.tfc_tdf", signal)
        kept.append(signal)
        signal = layers.shortened(f"encoder_blocks.{index}.downscale.conv", signal, scale)
    signal = _blocks(layers, found, "bottleneck_block", signal)
    for index in range(found.num_scales):
        signal = layers.lengthened(f"decoder_blocks.{index}.upscale.conv", signal, scale)
        signal = _blocks(layers, found, f"decoder_blocks.{index}.tfc_tdf", signal, kept.pop())
    outputs = [_last(layers, mixture, signal, stems, part) for part in signal.parts]
    graph.node("Concat", *outputs, axis=0, output="stem_spectrograms")
    return graph


def _blocks(layers: Layers, found: Architecture, name: str, *signals: Signal) -> Signal:
    signal = layers.block(f"{name}.blocks.0", *signals)
    for index in range(1, found.num_blocks):
        signal = layers.block(f"{name}.blocks.{index}", signal)
    return signal


def _first(layers: Layers, mixture: Signal) -> Signal:
    """The mixture's channels, by the first convolution."""
    weight = layers.get("first_conv.weight")
    found = []
    for begin, end in cuts(len(weight), mixture.frames, mixture.bins):
        # As a product it would be taken for the same as in `_last` and be kept until then.
        source, values = layers.window(mixture, begin, end), layers.graph.weight(weight)
        found.append(Part(layers.graph.node("Conv", source, values, kernel_shape=[1, 1]), begin, end))
    return Signal(found, len(weight), mixture.bins)


def _last(layers: Layers, mixture: Signal, signal: Signal, stems: Sequence[int], part: Part) -> str:
    """A part of the output, (frames, bins, stems x 4): the last convolutions of the mixture and what was found."""
    graph, width, bins = layers.graph, mixture.channels, mixture.bins
    frames = part.end - part.begin
    heard = layers.window(mixture, part.begin, part.end)
    first = layers.product(layers.get("first_conv.weight")[:, :, 0, 0], heard, frames, bins)
    both = graph.node("Concat", heard, graph.node("Mul", part.name, first), axis=1)
    inner = graph.node("Gelu", layers.product(layers.get("final_conv.0.weight")[:, :, 0, 0], both, frames, bins))
    rows = np.add.outer(np.array(list(stems)) * width, np.arange(width)).ravel()
    inner = layers.product(layers.get("final_conv.2.weight")[rows, :, 0, 0], inner, frames, bins)
    subbands = width // CHANNELS
    apart = graph.shape(inner, len(stems) * CHANNELS, subbands, frames, bins)
    together = graph.node("Transpose", apart, perm=[2, 1, 3, 0])
    return graph.shape(together, frames, subbands * bins, CHANNELS * len(stems))
