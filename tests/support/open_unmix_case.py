# SPDX-License-Identifier: MIT
"""Seeded weights and a recording on which Open-Unmix and Stemlane are compared. Needs numpy alone, of any version."""

import math

import numpy as np

from support.spleeter_case import uniform

STEMS = ("vocals", "drums", "bass", "other")
HIDDEN, INPUT_BINS, NUM_BINS = 32, 1487, 2049  # few hidden units, all else as published
SAMPLE_RATE = 44100
NUM_SAMPLES = 700_001
NUM_FRAMES = 60  # of the spectrogram on which the networks alone are compared
# Where the stems are kept: some seconds in; around the seam of the segments at frame 298 and that of the filter's
# blocks at frame 300; then the very ends.
KEPT_STARTS = (120_000, 304_500, 306_500, 0, NUM_SAMPLES - 1200)
KEPT_SAMPLES = 1200
NUM_INNER_PARTS = 3
FILTERS = {"shares": 0, "filtered": 1, "filtered_twice": 2}  # iterations of the Wiener filter


def weight(stem: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A float32 weight that keeps levels where they are; normalisations and scales that do something."""
    values = uniform(f"{stem}/{name}", math.prod(shape)).reshape(shape)
    last = name.rsplit(".", 1)[-1]
    if last == "running_var" or last.endswith("scale") or (name.startswith("bn") and last == "weight"):
        values = 1 + 0.4 * values
    elif len(shape) == 1:
        values = 0.2 * values + (name == "output_mean")
    else:
        values = values * math.sqrt(3 / shape[1])
        if name == "fc1.weight":
            values = values / 4  # magnitudes are larger than one
    return values.astype(np.float32)


def spectrogram() -> np.ndarray:
    """(2, NUM_FRAMES, NUM_BINS) float32 magnitudes, louder at low frequencies."""
    values = np.abs(uniform("spectrogram", 2 * NUM_FRAMES * NUM_BINS)).reshape(2, NUM_FRAMES, NUM_BINS)
    return (20 * values / (1 + np.arange(NUM_BINS) / 50)).astype(np.float32)


def recording() -> np.ndarray:
    """(2, NUM_SAMPLES) float32: tones that come and go, and noise."""
    times = np.arange(NUM_SAMPLES) / SAMPLE_RATE
    channels = []
    for channel in range(2):
        signal = 0.1 * uniform(f"umx/noise{channel}", NUM_SAMPLES) * np.sin(2 * np.pi * 0.7 * times + channel) ** 4
        for frequency, rate, level in ((98, 0.4, 0.2), (523.3, 0.9, 0.1), (3000, 2.1, 0.05)):
            signal += (
                level * (0.5 + 0.5 * np.sin(2 * np.pi * rate * times + channel)) * np.sin(2 * np.pi * frequency * times)
            )
        channels.append(signal)
    return np.stack(channels).astype(np.float32)


def kept(stem: np.ndarray) -> np.ndarray:
    """(channels, parts, samples): the parts of a stem (channels, NUM_SAMPLES) that references keep."""
    return np.stack([stem[:, start : start + KEPT_SAMPLES] for start in KEPT_STARTS], axis=1)
