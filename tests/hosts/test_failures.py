# SPDX-License-Identifier: MIT
"""What goes wrong: the host lives, the mixture passes in time, and the state names reason and remedy."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import stemlane
from host_tools import (
    bounce,
    engines,
    noise,
    set_model,
    stream,
    wait_for,
    wait_until_no_engine_is_left,
    wait_until_ready,
)
from stemlane.errors import EngineError, PluginError
from stemlane.plugin.places import engine_configuration, engine_path, plugin_path


def test_a_killed_engine_ends_the_bounce_with_the_mixture_and_a_reason():
    wait_until_no_engine_is_left()
    mixture = noise(2, 40000, seed=31)
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    healthy = plugin.process(mixture, 44100.0, buffer_size=512)
    plugin.reset()

    def chunks():
        yield mixture[:, :20000]
        os.kill(engines()[0], signal.SIGKILL)
        wait_for(lambda: not engines())
        yield mixture[:, 20000:]

    out = stream(plugin, chunks(), 44100.0)
    status = stemlane.plugin_status(plugin)
    assert status.engine_state == "failed" and "incomplete" in status.engine_text and "signal 9" in status.engine_text
    assert out.shape == mixture.shape
    np.testing.assert_array_equal(out[:, :9000], healthy[:, :9000])
    np.testing.assert_array_equal(out[:, 21000:], mixture[:, 21000:])  # the mixture, in time
    # Between the two there is a fade, no step.
    assert np.abs(np.diff(out - mixture)).max() < np.abs(np.diff(mixture)).max()
    # A script that goes on is told so, until it begins anew.
    for process in (plugin.process, plugin):
        with pytest.raises(EngineError, match="^this render is incomplete: .*signal 9"):
            process(mixture[:, :512], 44100.0, reset=False)

    np.testing.assert_array_equal(plugin.process(mixture, 44100.0, buffer_size=512), healthy)
    wait_until_ready(plugin)
    another = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    np.testing.assert_array_equal(another.process(mixture, 44100.0, buffer_size=512), healthy)


@pytest.mark.parametrize("moment", [0, 512, 20_000, 39_000])
def test_a_script_never_gets_a_render_that_is_partly_the_mixture(moment):
    """Before its first stems the engine is started once more; at the end, all stems may be there. Else it raises."""
    wait_until_no_engine_is_left()
    mixture = noise(2, 40000, seed=39)
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    healthy = plugin.process(mixture, 44100.0)
    plugin.reset()
    pieces = [plugin.process(mixture[:, :moment], 44100.0, buffer_size=512, reset=False)] if moment else []
    os.kill(engines()[0], signal.SIGKILL)
    wait_for(lambda: not engines())
    try:
        pieces.append(plugin.process(mixture[:, moment:], 44100.0, buffer_size=512, reset=False))
    except EngineError as error:
        assert "this render is incomplete: " in str(error) and "signal 9" in str(error) and moment != 0
    else:
        whole = np.concatenate(pieces, axis=1)
        assert moment != 20_000
        np.testing.assert_array_equal(whole, healthy[:, : whole.shape[1]])
    np.testing.assert_array_equal(plugin(mixture, 44100.0), healthy)


def test_in_a_pedalboard_only_the_status_tells():
    """Its code runs the plugin without Python in between."""
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    set_model(plugin, "of-a-friend")
    mixture = noise(2, 20000, seed=40)
    np.testing.assert_array_equal(pedalboard.Pedalboard([plugin])(mixture, 44100.0), mixture)
    assert stemlane.plugin_status(plugin).engine_text.startswith("this render is incomplete: model 'of-a-friend'")


def test_an_engine_killed_at_any_moment_never_stops_the_host():
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    mixture = noise(2, 44100 * 20, seed=32)
    plugin.process(mixture[:, :1000], 44100.0)
    done = threading.Event()

    def kill_now_and_then():
        while not done.wait(0.15):
            for pid in engines():
                os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        for _ in range(4):
            assert np.isfinite(bounce(plugin, mixture, 44100.0)).all()
    finally:
        done.set()
        killer.join()


def test_an_unknown_model_passes_the_mixture_and_keeps_its_name():
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    set_model(plugin, "of-a-friend")
    mixture = noise(2, 20000, seed=33)
    np.testing.assert_array_equal(bounce(plugin, mixture, 48000.0), mixture)
    status = stemlane.plugin_status(plugin)
    assert status.engine_state == "failed" and status.model == "of-a-friend"
    with pytest.raises(EngineError, match="^this render is incomplete: model 'of-a-friend' is not installed"):
        plugin.process(mixture, 48000.0)
    assert "model 'of-a-friend' is not installed" in status.engine_text and "tiny-mix" in status.engine_text
    set_model(plugin, "tiny-mix")
    np.testing.assert_allclose(plugin.process(mixture, 44100.0), 0.5 * mixture, rtol=0, atol=1e-6)  # float32 transforms


def test_a_broken_model_passes_the_mixture_and_says_so(user_folder):
    folder = user_folder / "stemlane" / "models"
    network = folder / "tiny-fade" / "network.onnx"
    healthy = network.read_bytes()
    network.write_bytes(healthy[: len(healthy) // 2])
    try:
        plugin = stemlane.load_plugin("tiny-fade", vocals_gain_db="-inf")
        mixture = noise(2, 20000, seed=34)
        np.testing.assert_array_equal(bounce(plugin, mixture, 44100.0), mixture)
        status = stemlane.plugin_status(plugin)
        assert status.engine_state == "failed" and "tiny-fade" in status.engine_text and "\n" not in status.engine_text
    finally:
        network.write_bytes(healthy)


@pytest.mark.parametrize("num_channels", [3, 6, 8])
def test_more_than_two_channels_are_a_clear_error(num_channels):
    plugin = stemlane.load_plugin("tiny-live")
    with pytest.raises(ValueError, match=f"does not support {num_channels}-channel"):
        plugin.process(noise(num_channels, 5000, seed=35), 44100.0)
    mixture = noise(2, 5000, seed=36)
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), mixture)


@pytest.mark.parametrize("rate", [768000.0, 7999.0])
def test_a_rate_that_cannot_work_is_an_error_not_the_mixture(rate):
    wait_until_no_engine_is_left()
    mixture = noise(2, 5000, seed=38)
    plugin = stemlane.load_plugin("tiny-live", vocals_gain_db="-inf")
    with pytest.raises(PluginError, match=f"the sample rate is {rate} Hz, should be from 8000 to 384000"):
        plugin.process(mixture, rate)
    with pytest.raises(PluginError, match="should be from"):
        plugin.process(mixture, sample_rate=rate, reset=False)
    assert not engines()
    # A chain goes past that: the mixture passes, no engine is tried, and the status says why.
    np.testing.assert_array_equal(pedalboard.Pedalboard([plugin])(mixture, rate), mixture)
    status = stemlane.plugin_status(plugin)
    assert status.engine_state == "failed"
    problem = f"the sample rate is {rate:.0f} Hz, should be from 8000 to 384000: choose another one in the host"
    assert status.engine_text == f"this render is incomplete: {problem}"
    assert not engines()
    out = plugin.process(mixture, 44100.0)
    np.testing.assert_allclose(out, 0.5 * mixture, rtol=0, atol=1e-6)  # float32 transforms


BOUNCE = """
import sys
import numpy as np
import pedalboard
from stemlane.plugin.status import plugin_status
from host_tools import noise, set_model

plugin = pedalboard.load_plugin(sys.argv[1])
plugin.vocals_mute = True
mixture = noise(2, 20000, seed=37)
out = plugin.process(mixture, 44100.0)
same = bool(np.array_equal(out, mixture))
status = plugin_status(plugin)
print(status.engine_state, "mixture" if same else "separated", status.engine_text, sep="|")
"""


@pytest.fixture
def bundle(tmp_path):
    """A copy of the plugin, bound to no Python, in a folder with spaces and umlauts."""
    copy = tmp_path / "Zwölf schöne Plugins" / "Stemlane.vst3"
    shutil.copytree(plugin_path(), copy)
    engine_configuration(copy).unlink(missing_ok=True)
    return copy


def test_a_bundle_anywhere_runs_with_the_python_of_its_configuration(run_script, bundle):
    engine_configuration(bundle).write_text(f"python={os.environ['STEMLANE_PYTHON']}\n", encoding="utf-8")
    state, sound, _ = run_script(BOUNCE, bundle, STEMLANE_PYTHON="").strip().split("|")
    assert (state, sound) == ("ready", "separated")


def test_the_setting_of_the_plugin_reaches_the_engine_and_the_status_says_what_computes(run_script, bundle, tmp_path):
    """`coreml` is in no onnxruntime of Linux."""
    (tmp_path / "stemlane").mkdir()
    (tmp_path / "stemlane" / "engine.conf").write_text("provider=coreml\n", encoding="utf-8")
    places = {"XDG_CONFIG_HOME": str(tmp_path), "STEMLANE_PROVIDER": ""}
    state, sound, text = run_script(BOUNCE, bundle, **places).strip().split("|")
    assert (state, sound) == ("ready", "separated")
    assert "provider 'coreml' is not in this onnxruntime, which has: " in text and text.endswith("the CPU computes")


def test_a_missing_python_passes_the_mixture_and_names_the_remedy(run_script, bundle):
    engine_configuration(bundle).write_text("python=/nowhere/bin/python3\n", encoding="utf-8")
    state, sound, text = run_script(BOUNCE, bundle, STEMLANE_PYTHON="").strip().split("|")
    assert (state, sound) == ("failed", "mixture")
    assert "/nowhere/bin/python3" in text and "stemlane plugin install" in text


def test_a_python_without_stemlane_passes_the_mixture_and_names_the_remedy(run_script, bundle):
    python = Path(sys.base_prefix) / "bin" / "python3"
    engine_configuration(bundle).write_text(f"python={python}\n", encoding="utf-8")
    state, sound, text = run_script(BOUNCE, bundle, STEMLANE_PYTHON="").strip().split("|")
    assert (state, sound) == ("failed", "mixture")
    assert "engine.conf cannot load Stemlane (ModuleNotFoundError: No module named 'stemlane')" in text
    assert "run 'stemlane plugin install' again" in text


def test_no_python_at_all_names_the_remedy(run_script, bundle, tmp_path):
    home = tmp_path / "home without configuration"
    home.mkdir()
    state, sound, text = (
        run_script(BOUNCE, bundle, STEMLANE_PYTHON="", HOME=str(home), XDG_CONFIG_HOME=str(home)).strip().split("|")
    )
    assert (state, sound) == ("failed", "mixture")
    assert "stemlane plugin install" in text


def test_a_missing_engine_passes_the_mixture_and_says_so(run_script, bundle):
    Path(engine_path(bundle)).unlink()
    state, sound, text = run_script(BOUNCE, bundle).strip().split("|")
    assert (state, sound) == ("failed", "mixture")
    assert "the engine is missing" in text and "install Stemlane again" in text


def test_no_models_at_all_pass_the_mixture_and_say_so(run_script, bundle, tmp_path):
    (bundle / "Contents" / "Resources" / "models.index").unlink()
    state, sound, text = run_script(BOUNCE, bundle, XDG_DATA_HOME=str(tmp_path)).strip().split("|")
    assert (state, sound) == ("failed", "mixture")
    assert "not installed" in text and "install Stemlane again" in text


MENDED = """
import sys
import numpy as np
import pedalboard
from stemlane.plugin.status import plugin_status
from host_tools import noise, set_model

plugin = pedalboard.load_plugin(sys.argv[1])
plugin.vocals_mute = True
mixture = noise(2, 20000, seed=38)
for _ in range(2):
    out = plugin.process(mixture, 44100.0)
    print(plugin_status(plugin).engine_state, "mixture" if np.array_equal(out, mixture) else "separated", flush=True)
    sys.stdin.readline()
"""


def no_python(bundle):
    configuration = engine_configuration(bundle)
    configuration.write_text("python=/nowhere/bin/python3\n", encoding="utf-8")
    return lambda: configuration.write_text(f"python={os.environ['STEMLANE_PYTHON']}\n", encoding="utf-8")


def no_engine(bundle):
    engine = Path(engine_path(bundle))
    away = engine.rename(engine.with_name("away"))
    return lambda: away.rename(engine)


def no_memory(bundle):
    engine = Path(engine_path(bundle))
    real = engine.rename(engine.with_name("stemlane-engine.real"))
    engine.write_text(f'#!/bin/sh\nulimit -v 167000\nexec "{real}"\n', encoding="utf-8")
    engine.chmod(0o755)
    return lambda: real.rename(engine)


@pytest.mark.parametrize("cause", [no_python, no_engine, no_memory])
def test_a_cause_that_is_mended_needs_no_reload(cause, bundle, script_command):
    mend = cause(bundle)
    # A bundle outside of any environment finds its Python by its configuration.
    environment = {} if cause is not no_python else {"STEMLANE_PYTHON": ""}
    command, variables = script_command(MENDED, bundle, **environment)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables) as host:
        assert host.stdout.readline() == "failed mixture\n"
        mend()
        host.stdin.write("on\n")
        host.stdin.flush()
        assert host.stdout.readline() == "ready separated\n"
        host.stdin.write("over\n")
        host.stdin.flush()
        assert host.wait(20) == 0
