# SPDX-License-Identifier: MIT
"""HTDemucs's transformer between encoders and decoders: layers within and across spectrogram and waveform in turn.

The layers are those of Demucs 4.1.0 (demucs/transformer.py). Scales of residual branches are folded into the products
before them.
"""

import math

import numpy as np

from stemlane.catalog.convert.htdemucs.architecture import Architecture
from stemlane.catalog.convert.htdemucs.layers import Layers, Signal

_NORM_EPSILON = 1e-5  # torch's default
_LONGEST_PERIOD = 10000.0


def add_transformer(layers: Layers, found: Architecture, spectral: Signal, wave: Signal) -> tuple[Signal, Signal]:
    """Add all layers; both signals keep their sizes."""
    width = found.transformer_channels
    inner = spectral.channels
    streams = {"": spectral, "_t": wave}
    for suffix, signal in streams.items():
        signal = _linear(layers, f"channel_upsampler{suffix}", signal) if found.bottom_channels else signal
        signal = _layer_norm(layers, f"crosstransformer.norm_in{suffix}", signal)
        positions = _positions_1d(signal.positions, width) if signal.is_waveform else _positions_2d(signal, width)
        streams[suffix] = signal.of(layers.graph.node("Add", signal.name, layers.graph.constant(positions)))
    for index in range(found.num_layers):
        before = dict(streams)
        for suffix, other in (("", "_t"), ("_t", "")):
            name = f"crosstransformer.layers{suffix}.{index}"
            context = before[other] if index % 2 else None
            streams[suffix] = _layer(layers, name, before[suffix], context, found.num_heads)
    if found.bottom_channels:
        streams = {name: _linear(layers, f"channel_downsampler{name}", signal) for name, signal in streams.items()}
    assert streams[""].channels == inner  # noqa: S101 - a mistake of ours, not of a file
    return streams[""], streams["_t"]


def _linear(layers: Layers, name: str, signal: Signal) -> Signal:
    weight = layers.get(f"{name}.weight")
    return layers.product(signal, signal.channels, weight.reshape(len(weight), -1).T, layers.get(f"{name}.bias"))


def _layer_norm(layers: Layers, name: str, signal: Signal) -> Signal:
    graph = layers.graph
    ends = graph.weight(layers.get(f"{name}.weight")), graph.weight(layers.get(f"{name}.bias"))
    return signal.of(graph.node("LayerNormalization", signal.name, *ends, axis=-1, epsilon=_NORM_EPSILON))


def _whole_norm(layers: Layers, name: str, signal: Signal) -> Signal:
    """Normalise over all positions and channels."""
    graph = layers.graph
    centred = graph.node("Sub", signal.name, graph.mean(signal.name, 0, 1, 2))
    variance = graph.mean(graph.node("Mul", centred, centred), 0, 1, 2)
    deviation = graph.node("Sqrt", graph.node("Add", variance, graph.constant(np.float32(_NORM_EPSILON))))
    gain = graph.node("Div", graph.weight(layers.get(f"{name}.weight")), deviation)
    scaled = graph.node("Mul", centred, gain)
    return signal.of(graph.node("Add", scaled, graph.weight(layers.get(f"{name}.bias"))))


def _layer(layers: Layers, name: str, signal: Signal, context: Signal | None, num_heads: int) -> Signal:
    """One layer: attention to the signal itself or to `context`, then the two products."""
    query = _layer_norm(layers, f"{name}.norm1", signal)
    heard = _layer_norm(layers, f"{name}.norm2", context) if context else query
    kind, last_norm = ("cross_attn", "norm3") if context else ("self_attn", "norm2")
    branch = _attention(layers, f"{name}.{kind}", query, heard, num_heads, layers.get(f"{name}.gamma_1.scale"))
    signal = layers.add(signal, branch)
    inner = layers.gelu(_linear(layers, f"{name}.linear1", _layer_norm(layers, f"{name}.{last_norm}", signal)))
    scale = layers.get(f"{name}.gamma_2.scale")
    weight = layers.get(f"{name}.linear2.weight").T * scale
    branch = layers.product(inner, inner.channels, weight, layers.get(f"{name}.linear2.bias") * scale)
    return _whole_norm(layers, f"{name}.norm_out", layers.add(signal, branch))


def _attention(layers: Layers, name: str, query: Signal, heard: Signal, num_heads: int, scale: np.ndarray) -> Signal:
    """Attention of all positions of `query` to all of `heard`; `scale` multiplies its outputs."""
    graph, width = layers.graph, query.channels
    weights = np.split(layers.get(f"{name}.in_proj_weight"), 3)
    biases = np.split(layers.get(f"{name}.in_proj_bias"), 3)
    parts = []
    for source, weight, bias in zip((query, heard, heard), weights, biases, strict=True):
        part = layers.product(source, width, weight.T, bias)
        parts.append(graph.shape(part.name, 1, part.rows, width))
    mixed = graph.node("MultiHeadAttention", *parts, domain="com.microsoft", num_heads=num_heads)
    weight = layers.get(f"{name}.out_proj.weight").T * scale
    return layers.product(query, width, weight, layers.get(f"{name}.out_proj.bias") * scale, mixed)


def _positions_1d(length: int, width: int) -> np.ndarray:
    """(1, length, width) float32: cosines, then sines, of periods up to `_LONGEST_PERIOD`."""
    half = width // 2
    phases = np.arange(length)[:, np.newaxis] / _LONGEST_PERIOD ** (np.arange(half) / (half - 1))
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1)[np.newaxis].astype(np.float32)


def _positions_2d(signal: Signal, width: int) -> np.ndarray:
    """(time, positions, width) float32: sines and cosines of the time in the first half, of the bin in the other."""
    half = width // 2
    rates = np.exp(np.arange(0, half, 2) * -(math.log(_LONGEST_PERIOD) / half))
    found = np.empty((signal.time, signal.positions, width), np.float32)
    for first, phases in (
        (0, np.arange(signal.time)[:, np.newaxis, np.newaxis] * rates),
        (half, np.arange(signal.positions)[np.newaxis, :, np.newaxis] * rates),
    ):
        found[..., first : first + half : 2] = np.sin(phases)
        found[..., first + 1 : first + half : 2] = np.cos(phases)
    return found
