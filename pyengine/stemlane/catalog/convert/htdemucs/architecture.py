# SPDX-License-Identifier: MIT
"""What HTDemucs networks can be converted: reads the arguments the original was made with and checks the weights.

The names and shapes are those of Demucs 4.1.0 (demucs/htdemucs.py, hdemucs.py, transformer.py).
"""

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from stemlane.errors import ModelError

KERNEL, STRIDE = 8, 4  # of the convolutions that shorten
SAMPLE_RATE = 44100

# What the network below is written for, and what the original takes where a file does not say.
_FIXED = {
    "audio_channels": 2, "growth": 2, "wiener_iters": 0, "end_iters": 0, "wiener_residual": False, "cac": True,
    "rewrite": True, "kernel_size": KERNEL, "stride": STRIDE, "context": 1, "context_enc": 0, "dconv_mode": 3,
    "dconv_depth": 2, "samplerate": SAMPLE_RATE, "t_emb": "sin", "t_norm_in": True, "t_norm_in_group": False,
    "t_group_norm": False, "t_norm_first": True, "t_norm_out": True, "t_max_period": 10000.0, "t_layer_scale": True,
    "t_gelu": True, "t_weight_pos_embed": 1.0, "t_sin_random_shift": 0, "t_sparse_self_attn": False,
    "t_sparse_cross_attn": False, "t_cross_first": False,
}  # fmt: skip
_MOST_SOURCES = 16
_DEFAULTS = {
    **_FIXED, "dconv_mode": 1, "channels": 48, "channels_time": None, "nfft": 4096, "depth": 4, "multi_freqs": None,
    "freq_emb": 0.2, "emb_scale": 10, "norm_starts": 4, "dconv_comp": 8, "bottom_channels": 0, "t_layers": 5,
    "t_hidden_scale": 4.0, "t_heads": 8, "segment": 10,
}  # fmt: skip


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network; `sources` in the order of its outputs, `segment_samples` what it was trained on."""

    sources: tuple[str, ...]
    channels: int
    fft_samples: int
    depth: int
    dconv_compression: int
    embedding_scale: float
    bottom_channels: int
    num_layers: int
    num_heads: int
    hidden_scale: float
    segment_samples: int

    @property
    def hop_samples(self) -> int:
        """Step between frames."""
        return self.fft_samples // 4

    @property
    def num_bins(self) -> int:
        """Bins the network sees: all but the highest."""
        return self.fft_samples // 2

    @property
    def transformer_channels(self) -> int:
        """Channels of the transformer."""
        return self.bottom_channels or self.layer_channels(self.depth - 1)

    def layer_channels(self, layer: int) -> int:
        """Channels after a layer of the encoders."""
        return self.channels << layer


def read_architecture(package: Mapping[str, Any], where: str) -> Architecture:
    """The architecture of a package as Demucs stores it; `ModelError` with the reason if it is not one of these."""
    arguments, keywords = package.get("args"), package.get("kwargs")
    if not isinstance(keywords, dict) or not isinstance(arguments, (tuple, list)) or len(arguments) > 1:
        raise ModelError(f"{where}: does not say how its network was made: not a package of Demucs")
    # Texts could spell numbers without end, tensors are compared element by element.
    if not all(_is_setting(name, value) for name, value in keywords.items() if name in _DEFAULTS):
        raise ModelError(f"{where}: the sizes of its network are no numbers")
    values = {**_DEFAULTS, **({"sources": arguments[0]} if arguments else {}), **keywords}
    for name, expected in _FIXED.items():
        if values[name] != expected:
            raise ModelError(
                f"{where}: its network has {name} = {reprlib.repr(values[name])}, only {expected!r} is supported"
            )
    sources = values.get("sources")
    names = sources if isinstance(sources, (list, tuple)) else ()
    if not 0 < len(names) <= _MOST_SOURCES or not all(isinstance(name, str) and len(name) < 32 for name in names):
        raise ModelError(f"{where}: names no stems")
    try:
        segment, norm_starts = float(Fraction(values["segment"])), int(values["norm_starts"])
        found = Architecture(
            sources=tuple(names), channels=int(values["channels"]), fft_samples=int(values["nfft"]),
            depth=int(values["depth"]), dconv_compression=int(values["dconv_comp"]),
            embedding_scale=float(values["freq_emb"] or 0) * float(values["emb_scale"]),
            bottom_channels=int(values["bottom_channels"]), num_layers=int(values["t_layers"]),
            num_heads=int(values["t_heads"]), hidden_scale=float(values["t_hidden_scale"]),
            segment_samples=int(Fraction(values["segment"]) * SAMPLE_RATE))  # fmt: skip
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"{where}: the sizes of its network are no numbers") from None
    supported = (  # each size is bounded before anything is computed of it
        1 <= found.depth <= 6 and 4 <= found.channels <= 256 and 256 <= found.fft_samples <= 16384
        and not values["multi_freqs"] and values["channels_time"] in (None, found.channels)
        and norm_starts >= found.depth and (bins := found.num_bins // STRIDE ** (found.depth - 1)) > KERNEL
        and bins % STRIDE == 0
        and 0 < found.num_layers <= 64 and 0 < found.embedding_scale <= 1e6 and 0 <= found.bottom_channels <= 4096
        and 0 < found.dconv_compression <= found.channels and found.num_heads > 0 and 0.5 <= segment <= 60
        and 0 < found.hidden_scale <= 64 and found.transformer_channels % (4 * found.num_heads) == 0)  # fmt: skip
    if not supported:
        raise ModelError(f"{where}: the sizes of its network are not those of an HTDemucs this version can convert")
    return found


def _is_setting(name: str, value: object) -> bool:
    kinds: tuple[type, ...] = (bool, int, float, Fraction, type(None))
    if name == "multi_freqs":
        kinds = (list, tuple, type(None))
    elif isinstance(_DEFAULTS[name], str):
        kinds = (str,)
    return isinstance(value, kinds)


def expected_shapes(found: Architecture) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, weight: Sequence[int], bias: int) -> None:
        shapes[f"{name}.weight"] = tuple(weight)
        shapes[f"{name}.bias"] = (bias,)

    def dconv(name: str, channels: int) -> None:
        hidden = int(channels / found.dconv_compression)
        for depth in range(2):
            where = f"{name}.dconv.layers.{depth}"
            layer(f"{where}.0", (hidden, channels, 3), hidden)
            layer(f"{where}.1", (hidden,), hidden)
            layer(f"{where}.3", (2 * channels, hidden, 1), 2 * channels)
            layer(f"{where}.4", (2 * channels,), 2 * channels)
            shapes[f"{where}.6.scale"] = (channels,)

    for prefix, parts, tail in (("", 2, (1,)), ("t", 1, ())):
        inputs, outputs = 2 * parts, 2 * parts * len(found.sources)
        for index in range(found.depth):
            channels = found.layer_channels(index)
            name = f"{prefix}encoder.{index}"
            layer(f"{name}.conv", (channels, inputs, KERNEL, *tail), channels)
            layer(f"{name}.rewrite", (2 * channels, channels, 1, *tail), 2 * channels)
            dconv(name, channels)
            name = f"{prefix}decoder.{found.depth - 1 - index}"
            layer(f"{name}.conv_tr", (channels, outputs, KERNEL, *tail), outputs)
            layer(f"{name}.rewrite", (2 * channels, channels, 3, *(3 for _ in tail)), 2 * channels)
            dconv(name, channels)
            inputs = outputs = channels
    shapes["freq_emb.embedding.weight"] = (found.num_bins // STRIDE, found.channels)
    width, innermost = found.transformer_channels, found.layer_channels(found.depth - 1)
    if found.bottom_channels:
        for suffix in ("", "_t"):
            layer(f"channel_upsampler{suffix}", (width, innermost, 1), width)
            layer(f"channel_downsampler{suffix}", (innermost, width, 1), innermost)
    hidden = int(width * found.hidden_scale)
    for suffix in ("", "_t"):
        layer(f"crosstransformer.norm_in{suffix}", (width,), width)
        for index in range(found.num_layers):
            name, kind = f"crosstransformer.layers{suffix}.{index}", ("self_attn", "cross_attn")[index % 2]
            shapes[f"{name}.{kind}.in_proj_weight"], shapes[f"{name}.{kind}.in_proj_bias"] = (
                (3 * width, width),
                (3 * width,),
            )
            layer(f"{name}.{kind}.out_proj", (width, width), width)
            layer(f"{name}.linear1", (hidden, width), hidden)
            layer(f"{name}.linear2", (width, hidden), width)
            for norm in ("norm1", "norm2", "norm_out", *(["norm3"] if index % 2 else [])):
                layer(f"{name}.{norm}", (width,), width)
            shapes[f"{name}.gamma_1.scale"] = shapes[f"{name}.gamma_2.scale"] = (width,)
    return shapes


def check_weights(weights: Mapping[str, np.ndarray], found: Architecture, where: str) -> None:
    """Raise `ModelError` naming the first weight that is missing, unknown, of another shape or not finite."""
    expected = expected_shapes(found)
    for name, shape in expected.items():
        if name not in weights:
            raise ModelError(f"{where}: has no tensor {name}: not the weights of this HTDemucs")
        if weights[name].shape != shape or not np.issubdtype(weights[name].dtype, np.floating):
            raise ModelError(f"{where}: {name} is {weights[name].dtype} {weights[name].shape}, should be {shape}")
        if not np.isfinite(weights[name]).all():
            raise ModelError(f"{where}: {name} holds values that are not finite")
    unknown = sorted(set(weights) - set(expected))
    if unknown:
        raise ModelError(f"{where}: holds an unknown tensor {unknown[0]}: not the weights of this HTDemucs")
