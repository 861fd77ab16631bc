# SPDX-License-Identifier: MIT
"""What networks of the MDX23C kind (TFC-TDF version 3) can be converted: sizes from the tensors and the settings.

Names and shapes are those of KUIELab's code (github.com/kuielab/sdx23, my_submission) as
Music-Source-Separation-Training has it (mdx23c_tfc_tdf_v3.py).
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stemlane.catalog.convert.readers.checkpoints import check_tensors, count, size
from stemlane.catalog.convert.readers.training_config import Config
from stemlane.errors import ModelError

SAMPLE_RATE = 44100
FAMILY = "MDX23C"
CHANNELS = 4  # real and imaginary part of two channels
_MOST_SCALES, _MOST_BLOCKS, _MOST_STEMS, _WIDEST = 8, 16, 32, 4096
_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network; `widths` are the channels from the first scale to the bottleneck."""

    widths: tuple[int, ...]
    num_blocks: int
    scale: int
    num_subbands: int
    network_bins: int
    inner_bins: int
    num_stems: int
    fft_samples: int
    hop_samples: int
    segment_samples: int

    @property
    def subband_bins(self) -> int:
        """Bins of a subband, which lie side by side as channels."""
        return self.network_bins // self.num_subbands

    @property
    def num_scales(self) -> int:
        """How often the network halves, or divides otherwise, frames and bins."""
        return len(self.widths) - 1


def read_architecture(tensors: Mapping[str, np.ndarray], settings: Config, where: str) -> Architecture:
    """The architecture of a checkpoint, whose tensors are all checked; `settings` are those of its trainer.

    Raises
    ------
    ModelError
        With the reason, if it is not one of these.
    """
    length = functools.partial(size, tensors, where=where, family=FAMILY)
    audio = settings.table("audio")
    if (act := settings.table("model").text("act")) != "gelu":
        raise ModelError(f"{where}: its activation is {act!a}, only 'gelu' can be converted")
    num_scales = count(tensors, "encoder_blocks.{}.downscale.conv.2.weight", _MOST_SCALES)
    first = length("first_conv.weight", 0)
    inputs = length("first_conv.weight", 1)
    fft = audio.integer("n_fft", 8192, 256, 16384)
    hop = audio.integer("hop_length", 1024, 32, fft // 2)
    found = Architecture(
        widths=(first, *(length(f"encoder_blocks.{index}.downscale.conv.2.weight", 0) for index in range(num_scales))),
        num_blocks=count(tensors, "bottleneck_block.blocks.{}.shortcut.weight", _MOST_BLOCKS),
        scale=length("encoder_blocks.0.downscale.conv.2.weight", 2), num_subbands=inputs // CHANNELS,
        network_bins=audio.integer("dim_f", fft // 2, 1, fft // 2 + 1),
        inner_bins=length("encoder_blocks.0.tfc_tdf.blocks.0.tdf.2.weight", 0),
        num_stems=length("final_conv.2.weight", 0) // max(inputs, 1), fft_samples=fft, hop_samples=hop,
        segment_samples=audio.integer("chunk_size", 261_120, SAMPLE_RATE // 4, _LONGEST_SECONDS * SAMPLE_RATE)
        // hop * hop)  # fmt: skip
    step = found.scale**found.num_scales
    frames = found.segment_samples // hop + 1
    if (
        not found.num_blocks or inputs % CHANNELS or not found.num_subbands or max(found.widths) > _WIDEST
        or found.scale not in (2, 3, 4) or not 0 < found.num_stems <= _MOST_STEMS
        or found.network_bins % (found.num_subbands * step) or frames % step
        or not found.inner_bins or found.subband_bins % found.inner_bins
    ):  # fmt: skip
        raise ModelError(f"{where}: its sizes and settings are not those of an {FAMILY} this version can convert")
    check_tensors(tensors, expected_shapes(found), where, FAMILY)
    return found


def expected_shapes(found: Architecture) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors."""
    shapes: dict[str, tuple[int, ...]] = {}
    factor, kernel = found.subband_bins // found.inner_bins, (found.scale, found.scale)

    def norm(name: str, channels: int) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (channels,)

    def blocks(name: str, inputs: int, channels: int, bins: int) -> None:
        for index in range(found.num_blocks):
            block = f"{name}.blocks.{index}"
            for part, width in (("tfc1.0", inputs), ("tdf.0", channels), ("tdf.3", channels), ("tfc2.0", channels)):
                norm(f"{block}.{part}", width)
            shapes[f"{block}.tfc1.2.weight"] = (channels, inputs, 3, 3)
            shapes[f"{block}.tfc2.2.weight"] = (channels, channels, 3, 3)
            shapes[f"{block}.tdf.2.weight"] = (bins // factor, bins)
            shapes[f"{block}.tdf.5.weight"] = (bins, bins // factor)
            shapes[f"{block}.shortcut.weight"] = (channels, inputs, 1, 1)
            inputs = channels

    inputs, bins = CHANNELS * found.num_subbands, found.subband_bins
    shapes["first_conv.weight"] = (found.widths[0], inputs, 1, 1)
    for index, (width, wider) in enumerate(zip(found.widths[:-1], found.widths[1:], strict=True)):
        encoder, decoder = f"encoder_blocks.{index}", f"decoder_blocks.{found.num_scales - 1 - index}"
        blocks(f"{encoder}.tfc_tdf", width, width, bins)
        norm(f"{encoder}.downscale.conv.0", width)
        shapes[f"{encoder}.downscale.conv.2.weight"] = (wider, width, *kernel)
        norm(f"{decoder}.upscale.conv.0", wider)
        shapes[f"{decoder}.upscale.conv.2.weight"] = (wider, width, *kernel)
        blocks(f"{decoder}.tfc_tdf", 2 * width, width, bins)
        bins //= found.scale
    blocks("bottleneck_block", found.widths[-1], found.widths[-1], bins)
    shapes["final_conv.0.weight"] = (found.widths[0], found.widths[0] + inputs, 1, 1)
    shapes["final_conv.2.weight"] = (found.num_stems * inputs, found.widths[0], 1, 1)
    return shapes
