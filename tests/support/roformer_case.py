# SPDX-License-Identifier: MIT
"""Seeded weights and a recording on which RoFormers and Stemlane are compared. Needs numpy alone, of any version."""

import math

import numpy as np

from support.htdemucs_case import recording as music
from support.spleeter_case import uniform

SAMPLE_RATE = 44100
HOP = 128
SEGMENT = 345 * HOP  # 1 s, the shortest that is taken
NUM_SAMPLES = 3 * SEGMENT // 2  # segments at 0, 1/2 and 1, of which half is left
THINNED = slice(None, None, 7)
# All that the published networks have, with fewer channels, layers, bins and samples.
_COMMON = {
    "dim": 24, "depth": 2, "stereo": True, "time_transformer_depth": 1, "freq_transformer_depth": 1, "dim_head": 8,
    "heads": 3, "stft_n_fft": 512, "stft_hop_length": HOP, "stft_win_length": 512, "stft_normalized": False,
    "mask_estimator_depth": 2, "attn_dropout": 0, "ff_dropout": 0,
}  # fmt: skip
CASES = {
    "bs": {**_COMMON, "num_stems": 2, "freqs_per_bands": (2,) * 8 + (12,) * 4 + (64, 64, 65), "dim_freqs_in": 257},
    "mel": {**_COMMON, "num_stems": 1, "num_bands": 14, "dim_freqs_in": 257, "zero_dc": False},
}
INSTRUMENTS = {"bs": ("vocals", "other"), "mel": ("vocals", "other")}


def config(title: str) -> str:
    """As the trainers' YAML files say it."""
    lines = [f"audio:\n  chunk_size: {SEGMENT + 17}\nmodel:\n"]
    for name, value in CASES[title].items():
        if isinstance(value, tuple):
            lines.append(f"  {name}: !!python/tuple\n" + "".join(f"    - {number}\n" for number in value))
        else:
            lines.append(f"  {name}: {str(value).lower()}\n")
    lines.append(f"training:\n  instruments: [{', '.join(INSTRUMENTS[title])}]\n")
    if title == "mel":
        lines.append("  target_instrument: vocals\n")
    return "".join(lines)


def weight(title: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of half precision that keeps levels where they are; what every layer shares is the same in all."""
    if name.endswith("rotary_embed.freqs"):
        return (1 / 100 ** (np.arange(shape[0]) / shape[0])).astype(np.float16)
    values = uniform(f"roformer/{title}/{name}", math.prod(shape)).reshape(shape)
    if name.endswith("gamma"):
        values = 1 + 0.3 * values
    elif len(shape) == 1:
        values = 0.2 * values
    else:
        values = values * math.sqrt(3 / shape[1])
    return values.astype(np.float16)


def recording() -> np.ndarray:
    """(2, NUM_SAMPLES) float32, with noise everywhere.

    The networks bring every band of every frame to the same level: where a band holds nothing but what rounding leaves
    of a transform, they hear that at full level, and no two transforms leave the same.
    """
    noise = [uniform(f"roformer/noise{channel}", NUM_SAMPLES) for channel in range(2)]
    return (music(NUM_SAMPLES) + 0.01 * np.stack(noise)).astype(np.float32)


def segments() -> list[tuple[int, int, np.ndarray]]:
    """Where each segment's first sample counts, how many before it are context, and what the network hears."""
    mixture = np.pad(recording(), ((0, 0), (0, SEGMENT)))
    quarter = SEGMENT // 4  # the last half segment lies in the middle of what is heard
    half = SEGMENT // 2
    return [
        (0, 0, mixture[:, :SEGMENT]),
        (half, 0, mixture[:, half : half + SEGMENT]),
        (2 * half, quarter, mixture[:, 2 * half - quarter :][:, :SEGMENT]),
    ]
