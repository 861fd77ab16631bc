# SPDX-License-Identifier: MIT
"""What a model is known by: four numbers a stem, for a fixed short recording, and how far they may be off."""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.engine.frontends import ModelStream, create_stream
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import check_model

_SECONDS = 1.5
_SEED = 20191104
# float32 sums in another order differ by a few 1e-6; a wrong weight that can be heard changes more than this.
_TOLERANCE = 1e-4
_NUMBERS = (
    "the left channel's level",
    "the right channel's level",
    "the left channel's noise",
    "the right channel's noise",
)


def measure(manifest: Manifest) -> dict[str, tuple[float, ...]]:
    """RMS of both channels, and their mean products with the noise in the recording, of every separated stem."""
    recording, noise = _recording(manifest.sample_rate)
    check_model(manifest)
    stream = ModelStream(create_stream(manifest), manifest.name)
    stems = np.concatenate([stream.process(recording), stream.finish()], axis=2).astype(np.float64)
    level = np.sqrt(np.mean(stems**2, axis=2))
    products = np.mean(stems * noise, axis=2)
    values = np.concatenate([level, products], axis=1)
    return {stem: tuple(float(f"{value:.7f}") for value in row) for stem, row in zip(stream.stems, values, strict=True)}


def difference(found: Mapping[str, Sequence[float]], known: Mapping[str, Sequence[float]]) -> str:
    """What differs between two such outputs, in words; empty if nothing does."""
    problems = []
    for stem, values in found.items():
        worst = int(np.argmax(np.abs(np.subtract(values, known[stem]))))
        if not abs(values[worst] - known[stem][worst]) <= _TOLERANCE:
            problems.append(f"{_NUMBERS[worst]} of {stem} is {values[worst]:.6f}, was {known[stem][worst]:.6f}")
    return "; ".join(problems)


def _recording(sample_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """(2, samples) float32 of rising tones and noise, and the noise, uniform in [-1, 1). The same on every machine."""
    num_samples = round(_SECONDS * sample_rate)
    bits = np.random.PCG64(_SEED).random_raw(2 * num_samples).reshape(2, num_samples)
    noise = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1
    times = np.arange(num_samples) / sample_rate
    tones = np.stack([np.sin(2 * np.pi * (low + 400 * times) * times) for low in (110, 440)])
    return (0.3 * tones + 0.1 * noise).astype(np.float32), noise
