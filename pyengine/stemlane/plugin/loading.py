# SPDX-License-Identifier: MIT
"""Where the plugin is, installing it for the user, and loading it into pedalboard with a model and parameters set.

What the saved state looks like inside is `plugin_state`'s business.
"""

import functools
import os
import secrets
import shutil
import sys
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stemlane.audio_checks import HIGHEST_RATE, LOWEST_RATE
from stemlane.errors import PluginError
from stemlane.plugin import state as plugin_state

if TYPE_CHECKING:
    import pedalboard

BUNDLE_NAME = "Stemlane.vst3"
_PACKAGE = Path(__file__).resolve().parents[1]
_STATUS_PIECES = 32  # as StatusParameter.h
_BUILT = f"plugin/Stemlane_artefacts/Release/VST3/{BUNDLE_NAME}"


def plugin_path() -> str:
    """Path of the plugin bundle, to be handed to `pedalboard.load_plugin`.

    It is named by STEMLANE_PLUGIN, or lies in the package, or in the build folder of a source checkout.

    Raises
    ------
    PluginError
        If it is nowhere.
    """
    named = os.environ.get("STEMLANE_PLUGIN")
    if named:
        if not Path(named).is_dir():
            raise PluginError(f"STEMLANE_PLUGIN names {named}, which is not a plugin bundle")
        return str(Path(named).absolute())
    build = _PACKAGE.parents[1] / "build"
    for path in (_PACKAGE / BUNDLE_NAME, build / _BUILT, *build.glob(f"*/{_BUILT}")):
        if path.is_dir():
            return str(path)
    raise PluginError(
        f"{_PACKAGE / BUNDLE_NAME} is missing; install the stemlane package again, "
        "or name the bundle in STEMLANE_PLUGIN"
    )


def installed_path() -> Path:
    """Where `install` puts the bundle: the user's VST3 folder."""
    return Path.home() / ".vst3" / BUNDLE_NAME


def engine_path(bundle: str | Path) -> Path:
    """The engine executable inside a bundle."""
    found = sorted(Path(bundle).glob("Contents/*/stemlane-engine"))
    if not found:
        raise PluginError(f"{bundle}: holds no stemlane-engine; install the stemlane package again")
    return found[0]


def engine_configuration(bundle: str | Path) -> Path:
    """The file in a bundle that names the Python the engine embeds."""
    return Path(bundle) / "Contents" / "Resources" / "engine.conf"


def this_python() -> Path:
    """The Python that runs this, by the path that belongs to its environment."""
    executable = Path(sys.prefix) / "bin" / "python3"
    return executable if executable.exists() else Path(sys.executable)


def install() -> Path:
    """Copy the bundle to the user's VST3 folder, bound to this Python environment; returns where it is.

    An older installation is replaced only when the copy is complete.
    """
    source, target = plugin_path(), installed_path()
    partial = target.with_name(f".{BUNDLE_NAME}.{secrets.token_hex(4)}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, partial)
        configuration = engine_configuration(partial)
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(f"python={this_python()}\n", encoding="utf-8")
        _replace_folder(partial, target)
    except shutil.Error as error:  # of a tree: a list of source, target and what went wrong
        raise PluginError(f"{target}: cannot be written ({error.args[0][0][2]})") from None
    except OSError as error:
        raise PluginError(f"{target}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _replace_folder(new: Path, target: Path) -> None:
    """Rename `new` to `target`; what was there goes only after that."""
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    if target.is_symlink() or target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:  # an interrupt too
        if old.is_symlink() or old.exists():
            old.rename(target)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def uninstall() -> Path:
    """Remove the installed bundle; returns where it was."""
    target = installed_path()
    if not target.is_symlink() and not target.exists():
        raise PluginError(f"{target}: is not there; nothing to uninstall")
    parked = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    try:
        target.rename(parked)  # hosts see it whole or not at all
        _remove(parked)
    except OSError as error:
        raise PluginError(f"{target}: cannot be removed ({error.strerror or error})") from None
    return target


def load_plugin(model: str = "default", **parameters: float | str | bool) -> "pedalboard.VST3Plugin":
    """Load the plugin into pedalboard.

    Parameters
    ----------
    model
        Name of an installed model, or `default`.
    parameters
        By id: `vocals_gain="-inf"`, `drums_gain=3.0` (dB), `bass_mute=True`, `other_solo=True`, `output_gain=-6`.

    Returns
    -------
    pedalboard.VST3Plugin
        Its `process` raises `PluginError` at a rate at which nothing can be separated. (A `Pedalboard` that holds it
        goes past that: there, the mixture passes and `plugin_status` says so.)

    Raises
    ------
    PluginError
        If pedalboard or the plugin is missing, a parameter is unknown, or this process is a fork of one that has
        loaded the plugin.
    """
    from stemlane.manifests.registry import find_model

    _check_not_forked()
    name = find_model(model).name
    path = plugin_path()
    try:
        import pedalboard
    except ImportError:
        raise PluginError("pedalboard is not installed; run 'pip install pedalboard'") from None
    try:
        plugin = pedalboard.VST3Plugin(path)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise PluginError(f"{path}: pedalboard cannot load it: {' '.join(str(error).split())}") from None
    state = plugin_state.read(plugin.preset_data)
    state.set("model", name)
    for parameter, value in parameters.items():
        plugin_state.set_parameter(state, parameter, value)
    plugin.preset_data = plugin_state.replaced(plugin.preset_data, state)
    _refuse_impossible_rates(plugin)
    return plugin


_loaded_by: int | None = None  # id of the process that has loaded the plugin first


def _check_not_forked() -> None:
    """Raise `PluginError` where JUCE would wait for ever for a message thread that has not survived a fork."""
    global _loaded_by
    if _loaded_by not in (None, os.getpid()):
        raise PluginError(
            "this process is a fork of one that has loaded the plugin, whose threads a fork does not have; "
            "start workers with multiprocessing.get_context('spawn')"
        )
    _loaded_by = os.getpid()


def _refuse_impossible_rates(plugin) -> None:
    """Let the `process` of this instance raise where it would pass the mixture unseparated.

    Not a subclass: an instance of one is never collected, as pedalboard's parameters refer to their plugin.
    """
    reference, process = weakref.ref(plugin), type(plugin).process

    @functools.wraps(process)
    def checked(input_array, sample_rate, *arguments, **options):
        if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise PluginError(f"the sample rate is {sample_rate} Hz, should be from {LOWEST_RATE} to {HIGHEST_RATE}")
        return process(reference(), input_array, sample_rate, *arguments, **options)

    plugin.process = checked


@dataclass(frozen=True)
class PluginStatus:
    """What a plugin says about its engine.

    Attributes
    ----------
    engine_state
        `starting`, `ready`, `late` or `failed`.
    engine_text
        The same in words, with the remedy after a failure.
    model
        Name of its model.
    latency_samples
        Delay from input to output at the host's rate.
    """

    engine_state: str
    engine_text: str
    model: str
    latency_samples: int


def plugin_status(plugin: "pedalboard.VST3Plugin") -> PluginStatus:
    """Ask a plugin loaded in pedalboard how its engine is."""
    engine_state, _, engine_text = _status_text(plugin).partition(": ")
    return PluginStatus(
        engine_state=engine_state,
        engine_text=engine_text,
        model=plugin_state.read(plugin.preset_data).get("model", ""),
        latency_samples=plugin.reported_latency_samples,
    )


def _status_text(plugin) -> str:
    """What the parameter "Engine Status" says, in as many pieces as its length takes."""
    try:
        parameter = plugin.parameters["engine_status"]
    except KeyError:
        raise PluginError("the plugin has no engine status; is it another plugin?") from None

    def read() -> str:
        return "".join(parameter.get_text_for_raw_value(i / (_STATUS_PIECES - 1)) for i in range(_STATUS_PIECES))

    # It may change between two pieces.
    before, now = read(), read()
    while now != before:
        before, now = now, read()
    return now
