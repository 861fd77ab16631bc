# SPDX-License-Identifier: MIT
"""HTDemucs's transformer between encoders and decoders: layers within and across spectrogram and waveform in turn.

The layers are those of Demucs 4.1.0 (demucs/transformer.py). Weights stay as they are published, in half precision: in
single precision they would be most of a network's memory.
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
        for positions in (
            [_positions_1d(signal.positions, width)] if signal.is_waveform else _positions_2d(signal, width)
        ):
            signal = signal.of(layers.graph.node("Add", signal.name, layers.graph.constant(positions)))
        streams[suffix] = signal
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


def _linear(layers: Layers, name: str, signal: Signal, source: str = "") -> Signal:
    """`source` (or the signal) through a linear layer."""
    weight = layers.get(f"{name}.weight")
    weight = weight.reshape(len(weight), -1).T
    return layers.product(signal, len(weight), weight, layers.get(f"{name}.bias"), source)


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
    branch = _attention(layers, f"{name}.{kind}", query, heard, num_heads)
    signal = layers.add(signal, _scaled(layers, f"{name}.gamma_1", branch))
    inner = _layer_norm(layers, f"{name}.{last_norm}", signal)
    hidden = len(layers.get(f"{name}.linear1.bias"))
    parts = [layers.window(inner, *ends) for ends in layers.parts(signal.time, signal.positions, hidden)]
    parts = [
        _linear(layers, f"{name}.linear2", layers.gelu(_linear(layers, f"{name}.linear1", part))) for part in parts
    ]
    branch = _scaled(layers, f"{name}.gamma_2", layers.joined(parts))
    return _whole_norm(layers, f"{name}.norm_out", layers.add(signal, branch))


def _scaled(layers: Layers, name: str, signal: Signal) -> Signal:
    """Each channel of a residual branch times its scale."""
    return signal.of(layers.graph.node("Mul", signal.name, layers.graph.weight(layers.get(f"{name}.scale"))))


def _attention(layers: Layers, name: str, query: Signal, heard: Signal, num_heads: int) -> Signal:
    """Attention of all positions of `query` to all of `heard`."""
    graph, width = layers.graph, query.channels
    weights = np.split(layers.get(f"{name}.in_proj_weight"), 3)
    biases = np.split(layers.get(f"{name}.in_proj_bias"), 3)
    parts = []
    for source, weight, bias in zip((query, heard, heard), weights, biases, strict=True):
        part = layers.product(source, width, weight.T, bias)
        parts.append(graph.shape(part.name, 1, part.rows, width))
    mixed = graph.node("MultiHeadAttention", *parts, domain="com.microsoft", num_heads=num_heads)
    return _linear(layers, f"{name}.out_proj", query, mixed)


def _positions_1d(length: int, width: int) -> np.ndarray:
    """(1, length, width) float32: cosines, then sines, of periods up to `_LONGEST_PERIOD`."""
    half = width // 2
    phases = np.arange(length)[:, np.newaxis] / _LONGEST_PERIOD ** (np.arange(half) / (half - 1))
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1)[np.newaxis].astype(np.float32)


def _positions_2d(signal: Signal, width: int) -> list[np.ndarray]:
    """Two float32 arrays that are added, of (time, 1, width) and (1, positions, width).

    The first half of the channels has sines and cosines of the time, the other those of the bin.
    """
    half = width // 2
    rates = np.exp(np.arange(0, half, 2) * -(math.log(_LONGEST_PERIOD) / half))
    found = [np.zeros((signal.time, 1, width), np.float32), np.zeros((1, signal.positions, width), np.float32)]
    for values, first in zip(found, (0, half), strict=True):
        phases = np.arange(values.size // width).reshape(*values.shape[:2], 1) * rates
        values[..., first : first + half : 2] = np.sin(phases)
        values[..., first + 1 : first + half : 2] = np.cos(phases)
    return found
