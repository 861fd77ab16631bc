# SPDX-License-Identifier: MIT
"""Seeded weights and a recording on which HTDemucs and Stemlane are compared. Needs numpy alone, of any version."""

import math
from fractions import Fraction

import numpy as np

from support.spleeter_case import uniform

# All that the published networks have, with fewer channels, layers and samples.
SIZES = {
    "audio_channels": 2, "samplerate": 44100, "segment": Fraction(8, 5), "channels": 8, "growth": 2, "nfft": 2048,
    "cac": True, "depth": 4, "rewrite": True, "multi_freqs": [], "freq_emb": 0.2, "emb_scale": 10, "emb_smooth": True,
    "kernel_size": 8, "stride": 4, "context": 1, "context_enc": 0, "norm_starts": 4, "dconv_mode": 3, "dconv_depth": 2,
    "dconv_comp": 4, "dconv_init": 1e-3, "t_layers": 3, "t_heads": 4, "t_hidden_scale": 2.0, "t_dropout": 0.02,
    "t_layer_scale": True, "t_weight_decay": 0.05,
}  # fmt: skip
FOUR = ["drums", "bass", "other", "vocals"]
SIX = [*FOUR, "guitar", "piano"]
CASES = {
    "4": {**SIZES, "sources": FOUR, "bottom_channels": 32},
    "6": {**SIZES, "sources": SIX, "bottom_channels": 0},
}
SAMPLE_RATE = 44100
SEGMENT = 70_560
NUM_SAMPLES = 189_001  # three segments and a fourth that is shorter and begins within the third
SHORT_SAMPLES = 30_011  # less than a segment
SHIFT_LEADS = (5165, 5828)  # what Stemlane draws for two shifted passes
# Where the stems are kept: both ends, and where segments meet.
KEPT_STARTS = (0, 52_500, 70_000, 105_500, 158_300, NUM_SAMPLES - 400)
KEPT_SAMPLES = 400


def weight(case: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of half precision that keeps levels where they are; normalisations and scales that do something."""
    values = uniform(f"htdemucs/{case}/{name}", math.prod(shape)).reshape(shape)
    if name.endswith("scale"):
        values = 0.4 + 0.2 * values
    elif name.startswith("freq_emb"):
        values = 0.05 * values
    elif len(shape) == 1:
        is_gain = name.endswith(".weight")
        values = 0.2 * values + is_gain
    else:
        # (inputs, outputs, kernel) of transposed convolutions, (outputs, inputs, kernel) of all others
        fan_in = 2 * shape[0] if "conv_tr" in name else math.prod(shape[1:])
        values = values * math.sqrt(3 / fan_in)
    return values.astype(np.float16)


def recording(num_samples: int = NUM_SAMPLES) -> np.ndarray:
    """(2, num_samples) float32: tones and noise that come and go, a little off the middle, for a while silent."""
    times = np.arange(num_samples) / SAMPLE_RATE
    channels = []
    for channel in range(2):
        signal = 0.1 * uniform(f"htdemucs/noise{channel}", num_samples) * np.sin(2 * np.pi * 0.6 * times + channel) ** 4
        for frequency, rate, level in ((82.4, 0.4, 0.2), (440, 0.9, 0.1), (2500, 2.1, 0.05)):
            envelope = 0.5 + 0.5 * np.sin(2 * np.pi * rate * times + channel)
            signal += level * envelope * np.sin(2 * np.pi * frequency * times)
        signal[20_000:23_000] = 0
        channels.append(signal + 0.003)
    return np.stack(channels).astype(np.float32)


def kept(stem: np.ndarray) -> np.ndarray:
    """(channels, parts, samples): the parts of a stem (channels, NUM_SAMPLES) that references keep."""
    return np.stack([stem[:, start : start + KEPT_SAMPLES] for start in KEPT_STARTS], axis=1)
