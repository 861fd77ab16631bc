# SPDX-License-Identifier: MIT
"""Seeded weights and a recording on which MDX23C and Stemlane are compared. Needs numpy alone, of any version."""

import math

import numpy as np

from support.htdemucs_case import recording as music
from support.spleeter_case import uniform

HOP, FRAMES = 256, 64
SEGMENT = HOP * (FRAMES - 1)
AUDIO = {"chunk_size": SEGMENT, "dim_f": 256, "dim_t": FRAMES, "hop_length": HOP, "n_fft": 1024, "num_channels": 2}
MODEL = {
    "act": "gelu", "bottleneck_factor": 4, "growth": 6, "norm": "InstanceNorm", "num_blocks_per_scale": 2,
    "num_channels": 6, "num_scales": 3, "num_subbands": 4, "scale": [2, 2],
}  # fmt: skip
INSTRUMENTS = ["vocals", "other"]
CONFIG = "".join(
    f"{title}:\n" + "".join(f"  {name}: {value}\n" for name, value in table.items())
    for title, table in (("audio", AUDIO), ("model", MODEL), ("training", {"instruments": INSTRUMENTS}))
)


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of half precision that keeps levels where they are; normalisations that do something."""
    values = uniform(f"mdx23c/{name}", math.prod(shape)).reshape(shape)
    if len(shape) == 1:
        values = 0.2 * values + name.endswith(".weight")
    else:
        values = values * math.sqrt(3 / (shape[0] if "upscale" in name else math.prod(shape[1:])))
    return values.astype(np.float16)


def recording() -> np.ndarray:
    """One segment, (2, SEGMENT) float32."""
    return music(SEGMENT)
