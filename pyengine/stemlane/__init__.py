# SPDX-License-Identifier: MIT
"""Stemlane separates music into stems. Names are loaded when first used, so that importing the package costs nothing.

separator = stemlane.Separator("default")
stems = separator.separate(mixture, sample_rate)
files = stemlane.separate_file("song.flac", "stems", two_stems="vocals", file_format="mp3").outputs
models = stemlane.models()
mix = stemlane.render(mixture, sample_rate, gains={"vocals": "-inf"})
plugin = stemlane.load_plugin(model="mix", vocals_gain_db="-inf")
"""

import importlib
import os

__version__: str

# Official builds of onnxruntime from 1.29 on report to their maker what they run, and keep an identifier of the machine
# in the user's cache, unless told not to before they are loaded (its docs/Privacy.md). A plugin must not do that.
os.environ["ORT_DISABLE_TELEMETRY"] = os.environ.get("ORT_DISABLE_TELEMETRY") or "1"

_HOMES = {
    "Separator": "engine.separator",
    "StreamingSeparator": "engine.streaming",
    "StemlaneError": "errors",
    "models": "manifests.registry",
    "separate_file": "files.library",
    "separate_many": "files.library",
    "render": "mix.rendering",
    "plugin_path": "plugin.places",
    "load_plugin": "plugin.hosting",
    "plugin_status": "plugin.status",
}
__all__ = [
    "Separator",
    "StemlaneError",
    "StreamingSeparator",
    "__version__",
    "load_plugin",
    "models",
    "plugin_path",
    "plugin_status",
    "render",
    "separate_file",
    "separate_many",
]


def _version() -> str:
    """What the file VERSION says: beside this one, or in the root of a checkout."""
    from pathlib import Path

    installed = Path(__file__).with_name("VERSION")
    path = installed if installed.is_file() else Path(__file__).parents[2] / "VERSION"
    return path.read_text(encoding="utf-8").strip()


def __getattr__(name: str) -> object:
    if name == "__version__":
        globals()[name] = version = _version()
        return version
    if name not in _HOMES:
        raise AttributeError(f"module 'stemlane' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"stemlane.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
