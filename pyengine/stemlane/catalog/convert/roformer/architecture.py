# SPDX-License-Identifier: MIT
"""What RoFormers can be converted: reads sizes from the tensors, what these leave open from the settings beside them.

W.-T. Lu et al.: Music Source Separation with Band-Split RoPE Transformer. ICASSP 2024; J.-C. Wang et al.: Mel-Band
RoFormer for Music Source Separation. 2023. Names and shapes are those of P. Wang's code (github.com/lucidrains/
BS-RoFormer) as Music-Source-Separation-Training has it. Variants with other layers are refused by the names of these.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stemlane.catalog.convert.readers.checkpoints import check_tensors, count, size
from stemlane.catalog.convert.readers.training_config import Config
from stemlane.catalog.convert.roformer.bands import Range, mel, side_by_side
from stemlane.errors import ModelError

SAMPLE_RATE = 44100
FAMILY = "RoFormer"
CHANNELS = 4  # real and imaginary part of two channels
_MOST_LAYERS, _MOST_BANDS, _MOST_STEMS, _MOST_STEPS, _WIDEST = 64, 512, 64, 8, 4096
_USUAL_HOP = 512  # where the settings do not say
_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network; `depths` are the layers along time and along bands in each block."""

    is_mel: bool
    bands: tuple[Range, ...]
    width: int
    num_blocks: int
    depths: tuple[int, int]
    num_heads: int
    head_width: int
    inner_width: int
    num_stems: int
    mask_depth: int
    mask_width: int
    fft_samples: int
    hop_samples: int
    normalised: bool
    zero_lowest: bool
    segment_samples: int

    @property
    def num_bins(self) -> int:
        """Bins the network sees: all."""
        return self.fft_samples // 2 + 1


def read_architecture(tensors: Mapping[str, np.ndarray], settings: Config, where: str) -> Architecture:
    """The architecture of a checkpoint, whose tensors are all checked; `settings` are those of its trainer.

    Raises
    ------
    ModelError
        With the reason, if it is not one of these.
    """
    length = functools.partial(size, tensors, where=where, family=FAMILY)
    model, audio = settings.table("model"), settings.table("audio")
    is_mel = "final_norm.gamma" not in tensors
    fft = model.integer("stft_n_fft", 2048, 256, 16384)
    model.integer("stft_win_length", fft, fft, fft)
    usual = audio.integer("hop_length", min(_USUAL_HOP, fft // 2), 32, fft // 2)
    hop = model.integer("stft_hop_length", usual, 32, fft // 2)
    first = "layers.0.{}.layers.{}.0.to_gates.weight"
    layer = "layers.0.0.layers.0"
    num_heads = max(length(f"{layer}.0.to_gates.weight", 0), 1)
    head_width, left = divmod(length(f"{layer}.0.to_qkv.weight", 0), 3 * num_heads)
    num_bands = count(tensors, "band_split.to_features.{}.0.gamma", _MOST_BANDS)
    sizes = [length(f"band_split.to_features.{band}.0.gamma", 0) for band in range(max(num_bands, 1))]
    mask = "mask_estimators.0.to_freqs.0.0.{}.weight"
    found = Architecture(
        is_mel=is_mel, bands=tuple(mel(num_bands, fft, SAMPLE_RATE) if is_mel
                                   else side_by_side([number // CHANNELS for number in sizes])),
        width=length(f"{layer}.1.net.0.gamma", 0), num_blocks=count(tensors, "layers.{}.0.layers.0.0.norm.gamma",
                                                                    _MOST_LAYERS),
        depths=(sum(first.format(0, step) in tensors for step in range(_MOST_STEPS)),
                sum(first.format(1, step) in tensors for step in range(_MOST_STEPS))),
        num_heads=num_heads, head_width=head_width, inner_width=length(f"{layer}.1.net.1.weight", 0),
        num_stems=count(tensors, "mask_estimators.{}.to_freqs.0.0.0.weight", _MOST_STEMS),
        # The layers of a mask estimator are numbered with the activations between them.
        mask_depth=sum(mask.format(2 * step) in tensors for step in range(_MOST_STEPS)),
        mask_width=length(mask.format(0), 0), fft_samples=fft, hop_samples=hop,
        normalised=model.flag("stft_normalized", default=False), zero_lowest=model.flag("zero_dc", default=True),
        segment_samples=audio.integer("chunk_size", 352_800, SAMPLE_RATE, _LONGEST_SECONDS * SAMPLE_RATE)
        // hop * hop)  # fmt: skip
    _check_sizes(found, sizes, model, where)
    if left or head_width % 2:
        raise ModelError(f"{where}: its heads are not those of a {FAMILY} this version can convert")
    check_tensors(tensors, expected_shapes(found), where, FAMILY)
    return found


def _check_sizes(found: Architecture, sizes: list[int], model: Config, where: str) -> None:
    """Raise `ModelError` unless the network can be built with these numbers of values in the bands."""
    if model.flag("skip_connection", default=False):
        raise ModelError(f"{where}: has skip connections between its blocks, which this version cannot convert")
    model.integer("sample_rate", SAMPLE_RATE, SAMPLE_RATE, SAMPLE_RATE)
    if max(found.width, found.inner_width // 8, found.mask_width // 8, found.num_heads * found.head_width) > _WIDEST:
        raise ModelError(f"{where}: is wider than any {FAMILY} this version can convert")
    expected = [CHANNELS * (band.end - band.start) for band in found.bands]
    if sizes != expected or max(band.end for band in found.bands) != found.num_bins:
        kind = "mel filters" if found.is_mel else "bands"
        raise ModelError(
            f"{where}: its {len(sizes)} {kind} are not those of two channels and {found.num_bins} bins; "
            "check stft_n_fft of its settings"
        )


def expected_shapes(found: Architecture) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, outputs: int, inputs: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)

    width, attended = found.width, found.num_heads * found.head_width
    for block in range(found.num_blocks):
        for axis, depth in enumerate(found.depths):
            name = f"layers.{block}.{axis}"
            for step in range(depth):
                attention, forward = f"{name}.layers.{step}.0", f"{name}.layers.{step}.1.net"
                shapes[f"{attention}.rotary_embed.freqs"] = (found.head_width // 2,)
                shapes[f"{attention}.norm.gamma"] = shapes[f"{forward}.0.gamma"] = (width,)
                shapes[f"{attention}.to_qkv.weight"] = (3 * attended, width)
                shapes[f"{attention}.to_out.0.weight"] = (width, attended)
                layer(f"{attention}.to_gates", found.num_heads, width)
                layer(f"{forward}.1", found.inner_width, width)
                layer(f"{forward}.4", width, found.inner_width)
            if found.is_mel:
                shapes[f"{name}.norm.gamma"] = (width,)
    if not found.is_mel:
        shapes["final_norm.gamma"] = (width,)
    for number, band in enumerate(found.bands):
        values = CHANNELS * (band.end - band.start)
        shapes[f"band_split.to_features.{number}.0.gamma"] = (values,)
        layer(f"band_split.to_features.{number}.1", width, values)
        for stem in range(found.num_stems):
            for step in range(found.mask_depth):
                inputs = found.mask_width if step else width
                outputs = found.mask_width if step < found.mask_depth - 1 else 2 * values
                layer(f"mask_estimators.{stem}.to_freqs.{number}.0.{2 * step}", outputs, inputs)
    return shapes
