# SPDX-License-Identifier: MIT
"""Which provider runs a model: the one that the user asks for, if it gives the right stems.

Providers for graphics cards and other devices have computed single operators wrongly before, and say nothing when they
do. So the first time a model runs on one, its known output is computed there; where that is wrong, or the provider
fails, the CPU takes over, with a message.
"""

import threading
import warnings
from pathlib import Path

from stemlane.engine import known_output
from stemlane.engine.providers import AUTO, CPU, asked, available, in_use, use
from stemlane.errors import StemlaneError, StemlaneWarning, one_line
from stemlane.manifests.model import Manifest

_lock = threading.Lock()
_chosen: dict[tuple[Path, str], str] = {}


def choose(manifest: Manifest, provider: str | None = None) -> str:
    """The provider that runs a model: what is asked for, if it is there and gives the model's known output.

    Warns with one line where it does not, and the CPU takes over. Each model is checked once in a process.
    """
    if (name := in_use()) is not None:
        return name
    if (wanted := asked(provider)) == CPU:
        return CPU
    with _lock:
        key = (manifest.folder, wanted)
        if key not in _chosen:
            _chosen[key] = _check(manifest, wanted)
        return _chosen[key]


def _check(manifest: Manifest, wanted: str) -> str:
    there = available()
    if wanted != AUTO and wanted not in there:
        _warn(f"provider {wanted!r} is not in this onnxruntime, which has: {', '.join(there)}; the CPU computes")
        return CPU
    known = manifest.self_test
    for name in there if wanted == AUTO else [wanted]:
        if name == CPU:
            break
        try:
            if not known:
                with use(CPU):
                    known = known_output.measure(manifest)
            with use(name):
                problem = known_output.difference(known_output.measure(manifest), known)
        except StemlaneError as error:
            problem = one_line(error)
        if not problem:
            return name
        _warn(f"provider {name!r} does not run model {manifest.name!r} as it should ({problem}); the CPU computes")
    return CPU


def _warn(text: str) -> None:
    warnings.warn(text, StemlaneWarning, stacklevel=2)
