# SPDX-License-Identifier: MIT
"""Seeded weights and a recording on which SCNet and Stemlane are compared. Needs numpy alone, of any version."""

import itertools
import math

import numpy as np

from support.htdemucs_case import recording as music
from support.spleeter_case import uniform

SOURCES = ["drums", "bass", "other", "vocals"]
# All that the published networks have, with fewer channels, layers and samples; two layers: there and back.
SIZES = {
    "sources": SOURCES, "audio_channels": 2, "dims": [4, 8, 12, 16], "nfft": 1024, "hop_size": 256, "win_size": 1024,
    "normalized": True, "band_SR": [0.175, 0.392, 0.433], "band_stride": [1, 4, 16], "band_kernel": [3, 4, 16],
    "conv_depths": [3, 2, 1], "compress": 4, "conv_kernel": 3, "num_dplayer": 2, "expand": 1,
}  # fmt: skip
SAMPLE_RATE = 44100
SEGMENT = 44_100  # the shortest that is taken
NUM_SAMPLES = 2 * SEGMENT  # segments at 0, 1/2, 1; the original's last, shorter one begins at 3/2
COMPARED_SAMPLES = 3 * SEGMENT // 2
# As the trainers' YAML files say it.
CONFIG = f"""audio:
  chunk_size: {SEGMENT}
model:
""" + "".join(f"  {name}: {value}\n" for name, value in SIZES.items()) + """training:
  other: !!python/tuple
  - 1
"""  # fmt: skip


def shapes(sizes: dict = SIZES) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights, as the original makes them."""
    found: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *weight: int, bias: int = 0) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = weight, (bias or weight[0],)

    dims = sizes["dims"]
    for index, (inputs, width) in enumerate(itertools.pairwise(dims)):
        hidden, back = width // sizes["compress"], len(dims) - 2 - index
        outputs = inputs if index else inputs * len(sizes["sources"])
        for band, (kernel, depth) in enumerate(zip(sizes["band_kernel"], sizes["conv_depths"], strict=True)):
            layer(f"encoder.{index}.SDlayer.convs.{band}", width, inputs, kernel, 1)
            layer(f"decoder.{back}.1.convtrs.{band}", width, outputs, kernel, 1, bias=outputs)
            for step in range(depth):
                name = f"encoder.{index}.conv_modules.{band}.layers.{step}"
                for part, shape in {0: (width,), 1: (2 * hidden, width, 3), 3: (hidden, 1, 3), 4: (hidden,),
                                    6: (width, hidden, 1)}.items():  # fmt: skip
                    layer(f"{name}.{part}", *shape)
        layer(f"encoder.{index}.globalconv", width, width, 3, 3)
        layer(f"decoder.{back}.0.conv", 2 * width, 2 * width, 3, 3)
    for index in range(sizes["num_dplayer"]):
        width = dims[-1] * (1 + index % 2)
        for path in range(2):
            name = f"separation_net.dp_modules.{index}"
            for end in ("", "_reverse"):
                for part, inner in (("ih", width), ("hh", width)):
                    found[f"{name}.lstm_layers.{path}.weight_{part}_l0{end}"] = (4 * width, inner)
                    found[f"{name}.lstm_layers.{path}.bias_{part}_l0{end}"] = (4 * width,)
            layer(f"{name}.linear_layers.{path}", width, 2 * width)
            layer(f"{name}.norm_layers.{path}", width)
    return found


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of half precision that keeps levels where they are, as float32; normalisations that do something."""
    values = uniform(f"scnet/{name}", math.prod(shape)).reshape(shape)
    if len(shape) == 1:
        is_gain = name.endswith(".weight")
        values = 0.2 * values + is_gain
    else:
        fan_in = shape[0] if "convtrs" in name else math.prod(shape[1:])
        values = values * math.sqrt(3 / fan_in)
    return values.astype(np.float16).astype(np.float32)


def seeded() -> dict[str, np.ndarray]:
    """All weights by name."""
    return {name: weight(name, shape) for name, shape in shapes().items()}


def recording() -> np.ndarray:
    """(2, NUM_SAMPLES) float32."""
    return music(NUM_SAMPLES)
