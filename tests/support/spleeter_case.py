# SPDX-License-Identifier: MIT
"""Seeded weights and recordings on which Spleeter and Stemlane are compared. Needs numpy alone, of any version.

Only raw bits of the generator are used: their stream is fixed for ever, the distributions' are not.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """One comparison: the original's instruments in its order, the network's bins, mask extension, band of the test."""

    instruments: tuple[str, ...]
    network_bins: int
    mask_extension: str
    band_hz: float

    @property
    def num_stems(self) -> int:
        return len(self.instruments)


# With "zeros" the original drops what lies above the network's bins, here it stays in the residual: those cases have
# nothing there (1024 bins end at 11025 Hz), so that all stems can be compared.
CASES = {
    "2stems": Case(("vocals", "accompaniment"), 1024, "zeros", 9000),
    "4stems": Case(("vocals", "drums", "bass", "other"), 1024, "zeros", 9000),
    "5stems": Case(("vocals", "piano", "drums", "bass", "other"), 1536, "average", 20000),
}
FILTERED = "4stems"  # the case that is also compared with the multichannel Wiener filter
SAMPLE_RATE = 44100
NUM_SAMPLES = 600_001  # a little more than one segment of 512 frames, and odd
# Where the outputs are kept: start, middle, around the seam of the segments at (512 - 4) * 1024, end.
KEPT_STARTS = (0, 262_144, 519_500, 520_900, NUM_SAMPLES - 1200)
KEPT_SAMPLES = 1200


def uniform(name: str, num_values: int) -> np.ndarray:
    """(num_values,) float64 in [-1, 1), the same for the same name for ever."""
    bits = np.random.PCG64(zlib.crc32(name.encode())).random_raw(num_values)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def weight(case: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A float32 weight: kernels that keep the level of what passes, batch normalisations that do something."""
    values = uniform(f"{case}/{name}", math.prod(shape)).reshape(shape)
    layer, part = name.split("/")
    if part == "kernel":
        transposed = layer.startswith("conv2d_transpose")
        fan_in = shape[0] * shape[1] * shape[3 if transposed else 2] / (4 if transposed else 1)
        values = values * math.sqrt(3 / fan_in)
    else:
        centre, spread = {
            "bias": (0, 0.05), "gamma": (1, 0.3), "beta": (0, 0.2),
            "moving_mean": (0, 0.2), "moving_variance": (1, 0.5),
        }[part]  # fmt: skip
        values = centre + spread * values
    return values.astype(np.float32)


def recording(case: str) -> np.ndarray:
    """(2, NUM_SAMPLES) float32: tones that come and go and noise, faded at both ends, nothing above the band."""
    times = np.arange(NUM_SAMPLES) / SAMPLE_RATE
    channels = []
    for channel in range(2):
        spectrum = np.fft.rfft(uniform(f"{case}/noise{channel}", NUM_SAMPLES))
        spectrum[int(CASES[case].band_hz * NUM_SAMPLES / SAMPLE_RATE) :] = 0
        signal = (
            0.2 * np.fft.irfft(spectrum, NUM_SAMPLES) * (0.3 + 0.7 * np.sin(2 * np.pi * 0.9 * times + channel) ** 8)
        )
        for frequency, rate, level in ((110, 0.31, 0.15), (441.5, 0.77, 0.1), (2093, 1.9, 0.05), (6644.9, 3.1, 0.02)):
            swell = 0.5 + 0.5 * np.sin(2 * np.pi * rate * times + 2 * channel)
            signal += level * swell * np.sin(2 * np.pi * frequency * times)
        channels.append(signal)
    fade = np.minimum(1, np.minimum(np.arange(NUM_SAMPLES), np.arange(NUM_SAMPLES)[::-1]) / 4410)
    return (np.stack(channels) * np.sin(np.pi / 2 * fade) ** 2).astype(np.float32)


def kept(stem: np.ndarray) -> np.ndarray:
    """(channels, parts, samples): the parts of a stem (channels, NUM_SAMPLES) that references keep."""
    return np.stack([stem[:, start : start + KEPT_SAMPLES] for start in KEPT_STARTS], axis=1)


def projections(stem: np.ndarray) -> np.ndarray:
    """(channels, 8) float64: mean products of the whole stem with eight fixed noises, so that no sample goes unseen."""
    noises = np.stack([uniform(f"projection{number}", NUM_SAMPLES) for number in range(8)])
    return stem.astype(np.float64) @ noises.T / math.sqrt(NUM_SAMPLES)
