# SPDX-License-Identifier: MIT
"""Where the plugin's bundle is, where it is installed to, and what lies where in it."""

import os
import sys
from pathlib import Path

from stemlane.contract import BUNDLED_PYTHON, ENGINE_CONFIGURATION_FILE, PYTHON_KEY
from stemlane.errors import PluginError
from stemlane.package_folder import PACKAGE, built

BUNDLE_NAME = "Stemlane.vst3"
# As Steinberg names them: https://steinbergmedia.github.io/vst3_dev_portal ("Plug-in Locations").
_VST3_FOLDERS = {"darwin": "Library/Audio/Plug-Ins/VST3", "win32": "AppData/Local/Programs/Common/VST3"}
_BUILT = f"plugin/Stemlane_artefacts/Release/VST3/{BUNDLE_NAME}"


def plugin_path() -> str:
    """Path of the plugin bundle, for `pedalboard.load_plugin`.

    The first that exists of: STEMLANE_PLUGIN, the package's own, the self-contained bundle this package is part of, and
    the build folder of a source checkout.

    Raises
    ------
    PluginError
        If there is none.

    Examples
    --------
    >>> Path(plugin_path()).name
    'Stemlane.vst3'
    """
    named = os.environ.get("STEMLANE_PLUGIN")
    if named:
        if not Path(named).is_dir():
            raise PluginError(f"STEMLANE_PLUGIN names {named}, which is not a plugin bundle")
        return str(Path(named).absolute())
    around = [folder for folder in PACKAGE.parents if python_folder(folder) in PACKAGE.parents]
    for path in (PACKAGE / BUNDLE_NAME, *around, *built(_BUILT)):
        if path.is_dir():
            return str(path)
    raise PluginError(
        f"{PACKAGE / BUNDLE_NAME} is missing; install the stemlane package again, or name the bundle in STEMLANE_PLUGIN"
    )


def installed_path() -> Path:
    """Where `install` puts the bundle: the user's VST3 folder."""
    return Path.home() / _VST3_FOLDERS.get(sys.platform, ".vst3") / BUNDLE_NAME


def engine_path(bundle: str | Path) -> Path:
    """The engine executable inside a bundle."""
    found = [*Path(bundle).glob("Contents/*/stemlane-engine"), *Path(bundle).glob("Contents/*/stemlane-engine.exe")]
    if not found:
        raise PluginError(f"{bundle}: holds no stemlane-engine; install the stemlane package again")
    return found[0]


def engine_configuration(bundle: str | Path) -> Path:
    """The file in a bundle that names the Python the engine runs, if the bundle has none of its own."""
    return Path(bundle) / "Contents" / "Resources" / ENGINE_CONFIGURATION_FILE


def configured_python(bundle: str | Path) -> Path | None:
    """The Python that `engine_configuration` names; None if there is no such file or it names none."""
    try:
        lines = engine_configuration(bundle).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    return next((Path(line.removeprefix(PYTHON_KEY)) for line in lines if line.startswith(PYTHON_KEY)), None)


def python_folder(bundle: str | Path) -> Path:
    """Where a self-contained bundle keeps its Python."""
    return Path(bundle) / "Contents" / "Resources" / "python"


def bundled_python(bundle: str | Path) -> Path:
    """The executable of a self-contained bundle's Python; others have none."""
    return Path(bundle) / "Contents" / "Resources" / BUNDLED_PYTHON.get(sys.platform, BUNDLED_PYTHON["linux"])


def this_python() -> Path:
    """The Python that runs this, by the path that belongs to its environment."""
    executable = Path(sys.prefix) / "bin" / "python3"
    return executable if executable.exists() else Path(sys.executable)
