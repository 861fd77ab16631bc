# SPDX-License-Identifier: MIT
"""What SCNets can be converted: reads sizes from the tensors, what these leave open from the settings beside them.

W. Tong et al.: SCNet: Sparse Compression Network for Music Source Separation. ICASSP 2024. Names and shapes are those
of the authors' code (github.com/starrytong/SCNet, scnet/SCNet.py, separation.py).
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stemlane.catalog.convert.readers.checkpoints import check_tensors, count, size
from stemlane.catalog.convert.readers.training_config import Config
from stemlane.errors import ModelError

SAMPLE_RATE = 44100
FAMILY = "SCNet"
CHANNELS = 4  # real and imaginary part of two channels
NUM_BANDS = 3
_MOST_BLOCKS, _MOST_LAYERS, _MOST_DEPTH, _WIDEST, _MOST_STEMS = 8, 64, 16, 2048, 16
_LONGEST_KERNEL = 64
_SOURCES = ("drums", "bass", "other", "vocals")
_STRIDES = (1, 4, 16)
# Shares of the spectrum: those of the authors' two sizes, by the width of the first block. Wider ones of other makers
# have the larger one's, and say so in their settings.
_SHARES = {32: (0.175, 0.392, 0.433), 64: (0.225, 0.372, 0.403)}
_LAYERS = 6  # of the authors' sizes
_EARLY_WIDTH = 32
_SEGMENT = 485_100  # 11 s, what they were trained on


@dataclass(frozen=True)
class Band:
    """A band of the spectrum in one block: bins, zeros around them, kernel and stride, and what is left of them."""

    start: int
    bins: int
    before: int
    after: int
    kernel: int
    stride: int
    positions: int


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network; `sources` in the order of its outputs, `segment_samples` what it was trained on.

    The authors' code brings each segment's spectra to mean 0 and deviation 1 inside the network. That of
    Music-Source-Separation-Training does not (models/scnet/scnet.py), and brings the whole mixture there if its
    settings say so: `normalises_segments`, `normalises_mixture`.
    """

    sources: tuple[str, ...]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    shares: tuple[float, ...]
    num_layers: int
    expansion: int
    fft_samples: int
    hop_samples: int
    normalised: bool
    segment_samples: int
    normalises_segments: bool = True
    normalises_mixture: bool = True

    @property
    def num_bins(self) -> int:
        """Bins the network sees: all."""
        return self.fft_samples // 2 + 1

    def padding_samples(self, segment_samples: int) -> int:
        """Zeros behind a segment, so that it has an even number of frames; at least one, as in the original."""
        padding = self.hop_samples - segment_samples % self.hop_samples
        even = (segment_samples + padding) // self.hop_samples % 2 == 0
        return padding + self.hop_samples if even else padding

    def bands(self, bins: int) -> list[Band]:
        """How a block divides so many bins."""
        # The original's sums, in its order: where they round decides to which band a bin belongs.
        low = math.ceil(bins * self.shares[0])
        middle = math.ceil(bins * (self.shares[0] + self.shares[1]))
        found = []
        for start, end, kernel, stride in zip(
            (0, low, middle), (low, middle, bins), self.kernels, self.strides, strict=True
        ):
            length = end - start
            total = kernel - 1 if stride == 1 else -length % stride
            positions = (length + total - kernel) // stride + 1
            found.append(Band(start, length, total // 2, total - total // 2, kernel, stride, positions))
        return found


def read_architecture(tensors: Mapping[str, np.ndarray], settings: Config | None, where: str) -> Architecture:
    """The architecture of a checkpoint, whose tensors are all checked; `settings` are those of its trainer, if any.

    Raises
    ------
    ModelError
        With the reason, if it is not one of these or more must be known of it.
    """
    length = functools.partial(size, tensors, where=where, family=FAMILY)
    blocks = count(tensors, "encoder.{}.globalconv.weight", _MOST_BLOCKS)
    widths = tuple(length(f"encoder.{index}.globalconv.weight", 0) for index in range(max(blocks, 1)))
    last = f"decoder.{blocks - 1}.1.convtrs.0.weight"
    num_sources, left = divmod(length(last, 1), CHANNELS)
    module = "encoder.0.conv_modules.{}.layers.{}.0.weight"
    num_layers = count(tensors, "separation_net.dp_modules.{}.linear_layers.0.weight", _MOST_LAYERS)
    hidden, left_hidden = divmod(length("separation_net.dp_modules.0.lstm_layers.0.weight_hh_l0", 1), widths[-1])
    if left or left_hidden or not hidden or max(widths) > _WIDEST or not 0 < num_sources <= _MOST_STEMS:
        raise ModelError(f"{where}: its sizes are not those of an {FAMILY} this version can convert")
    published = widths[0] in _SHARES and num_layers == _LAYERS and num_sources == len(_SOURCES)
    if settings is None and not published:
        raise ModelError(f"{where}: is of no published size: give the settings it was trained with, --config FILE.yaml")
    # The authors published the small weights before their network normalised segments, the large ones with it.
    is_early = settings is None and widths[0] == _EARLY_WIDTH
    settings = settings or Config({}, where)
    model = settings.table("model")
    training, audio = settings.table("training"), settings.table("audio")
    is_trainers = settings.has("inference")  # which the authors' own settings have not
    sources = model.texts("sources", training.texts("instruments", _SOURCES))
    if len(sources) != num_sources or len(set(sources)) != num_sources:
        raise ModelError(f"{where}: gives {num_sources} stems, its settings name {ascii(', '.join(sources))[1:-1]}")
    found = Architecture(
        sources=sources, widths=widths,
        depths=tuple(sum(module.format(band, depth) in tensors for depth in range(_MOST_DEPTH))
                     for band in range(NUM_BANDS)),
        kernels=tuple(length(f"encoder.0.SDlayer.convs.{band}.weight", 2) for band in range(NUM_BANDS)),
        strides=tuple(map(int, model.numbers("band_stride", _STRIDES, _LONGEST_KERNEL))),
        shares=model.numbers("band_SR", _SHARES.get(widths[0], _SHARES[64]), 1),
        num_layers=num_layers, expansion=hidden, fft_samples=model.integer("nfft", 4096, 256, 16384),
        hop_samples=model.integer("hop_size", 1024, 64, 8192),
        normalised=model.flag("normalized", default=True),
        segment_samples=audio.integer("chunk_size", _SEGMENT, SAMPLE_RATE, 60 * SAMPLE_RATE),
        normalises_segments=not is_trainers and not is_early,
        normalises_mixture=not is_trainers or settings.table("inference").flag("normalize", default=False))  # fmt: skip
    _check_numbers(found, model, where)
    check_tensors(tensors, expected_shapes(found, tensors), where, FAMILY)
    return found


def _check_numbers(found: Architecture, model: Config, where: str) -> None:
    """Raise `ModelError` unless the network can be built from these numbers."""
    pairs = list(zip(found.kernels, found.strides, strict=True))
    if any(
        kernel > _LONGEST_KERNEL or not (kernel == stride or (stride == 1 and kernel % 2)) for kernel, stride in pairs
    ):
        raise ModelError(
            f"{where}: kernels {found.kernels} with strides {found.strides} are not those of an {FAMILY} that can be "
            "converted"
        )
    model.integer("win_size", found.fft_samples, found.fft_samples, found.fft_samples)
    model.integer("audio_channels", 2, 2, 2)
    if found.num_layers % 2 or found.fft_samples % 2 or found.hop_samples * 2 > found.fft_samples:
        raise ModelError(f"{where}: its sizes are not those of an {FAMILY} this version can convert")
    bins = found.num_bins
    for _ in found.widths:
        bands = found.bands(bins)
        if any(band.positions < 1 or band.bins < 1 for band in bands):
            raise ModelError(f"{where}: its bands {found.shares} leave nothing of {bins} bins")
        bins = sum(band.positions for band in bands)


def expected_shapes(found: Architecture, tensors: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors; the width inside the convolution modules is that of the first in each block."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *weight: int, bias: int = 0) -> None:
        shapes[f"{name}.weight"] = weight
        shapes[f"{name}.bias"] = (bias or weight[0],)

    inputs, num_blocks = CHANNELS, len(found.widths)
    for index, width in enumerate(found.widths):
        encoder, decoder = f"encoder.{index}", f"decoder.{num_blocks - 1 - index}"
        outputs = inputs if index else CHANNELS * len(found.sources)
        inner = tensors.get(f"{encoder}.conv_modules.0.layers.0.4.weight")
        hidden = len(inner) if inner is not None and inner.ndim else 0
        for band, (kernel, depth) in enumerate(zip(found.kernels, found.depths, strict=True)):
            layer(f"{encoder}.SDlayer.convs.{band}", width, inputs, kernel, 1)
            layer(f"{decoder}.1.convtrs.{band}", width, outputs, kernel, 1, bias=outputs)
            for step in range(depth):
                name = f"{encoder}.conv_modules.{band}.layers.{step}"
                layer(f"{name}.0", width)
                layer(f"{name}.1", 2 * hidden, width, 3)
                layer(f"{name}.3", hidden, 1, 3)
                layer(f"{name}.4", hidden)
                layer(f"{name}.6", width, hidden, 1)
        layer(f"{encoder}.globalconv", width, width, 3, 3)
        layer(f"{decoder}.0.conv", 2 * width, 2 * width, 3, 3)
        inputs = width
    for index in range(found.num_layers):
        width = found.widths[-1] * (1 + index % 2)
        hidden = width * found.expansion
        for path in range(2):
            name = f"separation_net.dp_modules.{index}"
            for direction in ("", "_reverse"):
                lstm = f"{name}.lstm_layers.{path}"
                shapes[f"{lstm}.weight_ih_l0{direction}"] = (4 * hidden, width)
                shapes[f"{lstm}.weight_hh_l0{direction}"] = (4 * hidden, hidden)
                shapes[f"{lstm}.bias_ih_l0{direction}"] = shapes[f"{lstm}.bias_hh_l0{direction}"] = (4 * hidden,)
            layer(f"{name}.linear_layers.{path}", width, 2 * hidden)
            layer(f"{name}.norm_layers.{path}", width)
    return shapes
