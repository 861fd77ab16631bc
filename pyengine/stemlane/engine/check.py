# SPDX-License-Identifier: MIT
"""What `stemlane-engine --check` runs: the embedded models on a little noise, in the engine's own Python."""

import json
import platform
import sys

import numpy as np

from stemlane import __version__
from stemlane.engine.worker import Worker
from stemlane.errors import EngineError
from stemlane.manifests.model import model_folders
from stemlane.manifests.registry import embedded_folder

SAMPLE_RATE = 44100.0
# Long enough for the first stems of either embedded model to come out.
NUM_SAMPLES = 44100


def run() -> str:
    """Separate noise with every embedded model.

    Returns
    -------
    str
        One line of JSON: the versions of `stemlane`, `python`, `numpy` and `onnxruntime`, the `executable` and the
        names of the `models` that separate.

    Raises
    ------
    StemlaneError
        If a model cannot be loaded or its stems do not add up to the mixture.
    """
    import onnxruntime

    names = [folder.name for folder in model_folders(embedded_folder())]
    if not names:
        raise EngineError(f"no models in {embedded_folder()}; install Stemlane again")
    for name in names:
        _separate(name)
    return json.dumps(
        {
            "stemlane": __version__,
            "python": platform.python_version(),
            "executable": sys.executable,
            "numpy": np.__version__,
            "onnxruntime": onnxruntime.__version__,
            "models": names,
        },
        ensure_ascii=False,
    )


def _separate(name: str) -> None:
    worker = Worker(name, SAMPLE_RATE, 2)
    noise = (0.1 * np.random.default_rng(0).standard_normal((2, NUM_SAMPLES))).astype(np.float32)
    starts = range(0, NUM_SAMPLES - worker.stride_samples, worker.stride_samples)
    stems = np.concatenate([worker.process(noise[:, at : at + worker.stride_samples]) for at in starts], axis=2)
    if stems.shape[2] == 0 or not np.isfinite(stems).all() or not np.abs(stems).max() > 0:
        raise EngineError(f"model {name!r} does not separate: its stems are empty; install Stemlane again")
