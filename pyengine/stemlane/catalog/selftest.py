# SPDX-License-Identifier: MIT
"""A known output for every model: four numbers a stem for a fixed short recording, stored in the manifest when added.

`stemlane models verify` computes them again, so that a network that loads but computes something else is found.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ModelError
from stemlane.manifests.model import MANIFEST_NAME, Manifest

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
    separator = StreamingSeparator(manifest, manifest.sample_rate, 2)
    stems = np.concatenate([separator.process(recording), separator.finish()], axis=2).astype(np.float64)
    level = np.sqrt(np.mean(stems**2, axis=2))
    products = np.mean(stems * noise, axis=2)
    values = np.concatenate([level, products], axis=1)
    return {
        stem: tuple(float(f"{value:.7f}") for value in row) for stem, row in zip(separator.stems, values, strict=True)
    }


def check(manifest: Manifest) -> bool:
    """Compare with the numbers in the manifest; False if it has none.

    Raises
    ------
    ModelError
        If the model computes something else than when it was added.
    """
    if not manifest.self_test:
        return False
    problems = []
    for stem, values in measure(manifest).items():
        known = manifest.self_test[stem]
        worst = int(np.argmax(np.abs(np.subtract(values, known))))
        if not abs(values[worst] - known[worst]) <= _TOLERANCE:
            problems.append(f"{_NUMBERS[worst]} of {stem} is {values[worst]:.6f}, was {known[worst]:.6f}")
    if problems:
        raise ModelError(
            f"model {manifest.name!r} gives something else than when it was added: {'; '.join(problems)}; "
            "install the model again, or report this machine"
        )
    return True


def store(manifest: Manifest, known: Mapping[str, Sequence[float]]) -> None:
    """Add what `measure` gave to a manifest that has no such numbers."""
    lines = [f"{stem} = [{', '.join(f'{value:.7f}' for value in row)}]" for stem, row in known.items()]
    with (manifest.folder / MANIFEST_NAME).open("a", encoding="utf-8") as file:
        file.write("\n[self_test]\n" + "\n".join(lines) + "\n")


def _recording(sample_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """(2, samples) float32 of rising tones and noise, and the noise, uniform in [-1, 1). The same on every machine."""
    num_samples = round(_SECONDS * sample_rate)
    bits = np.random.PCG64(_SEED).random_raw(2 * num_samples).reshape(2, num_samples)
    noise = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1
    times = np.arange(num_samples) / sample_rate
    tones = np.stack([np.sin(2 * np.pi * (low + 400 * times) * times) for low in (110, 440)])
    return (0.3 * tones + 0.1 * noise).astype(np.float32), noise
