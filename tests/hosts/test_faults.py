# SPDX-License-Identifier: MIT
"""Faults around the engine in a real host: no memory, a model that goes away, hosts side by side, hosts that crash."""

import gc
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import stemlane
from host_tools import bounce, engines, noise, wait_for, wait_until_no_engine_is_left, wait_until_ready
from stemlane.plugin.places import engine_path, plugin_path

BOUNCE = """
import sys
import numpy as np
import pedalboard
from stemlane.plugin.status import plugin_status
from host_tools import noise

plugin = pedalboard.load_plugin(sys.argv[1])
plugin.vocals_mute = True
mixture = noise(2, 20000, seed=51)
out = plugin.process(mixture, 44100.0)
status = plugin_status(plugin)
print(status.engine_state, bool(np.array_equal(out, mixture)), status.engine_text, sep="|")
"""


# Of address space; it takes some 173 000. Libraries fail in different ways: some end the process, some raise anything.
@pytest.mark.parametrize("limit_kib", [30_000, 140_000, 164_000, 167_000, 170_000])
def test_an_engine_without_memory_passes_the_mixture_and_says_so(run_script, tmp_path, limit_kib):
    copy = tmp_path / "Stemlane.vst3"
    shutil.copytree(plugin_path(), copy)
    engine = Path(engine_path(copy))
    engine.rename(engine.with_name("stemlane-engine.real"))
    engine.write_text(f'#!/bin/sh\nulimit -v {limit_kib}\nexec "$0.real"\n', encoding="ascii")
    engine.chmod(0o755)
    state, is_mixture, text = run_script(BOUNCE, copy).strip().split("|")
    assert (state, is_mixture) == ("failed", "True"), text
    assert text.startswith("this render is incomplete: there is not enough memory for the engine: close other"), text


def test_a_model_that_is_deleted_plays_on_until_a_new_engine_needs_it(user_folder):
    wait_until_no_engine_is_left()  # of tests before: the one killed below must be this one's
    folder = user_folder / "stemlane" / "models" / "tiny-fade"
    mixture = noise(2, 30000, seed=52)
    plugin = stemlane.load_plugin("tiny-fade", vocals_gain_db="-inf")
    healthy = plugin.process(mixture, 44100.0)
    away = folder.with_name(".away")
    shutil.move(folder, away)
    try:
        np.testing.assert_array_equal(plugin.process(mixture, 44100.0), healthy)
        os.kill(engines()[0], signal.SIGKILL)
        wait_for(lambda: not engines())
        wait_for(lambda: stemlane.plugin_status(plugin).engine_state == "failed")
        np.testing.assert_array_equal(bounce(plugin, mixture, 44100.0), mixture)
        status = stemlane.plugin_status(plugin)
        assert status.engine_state == "failed" and "tiny-fade" in status.engine_text
    finally:
        shutil.move(away, folder)
    np.testing.assert_array_equal(plugin.process(mixture, 44100.0), healthy)
    wait_until_ready(plugin)


HOST = """
import os, signal, sys
import numpy as np
import stemlane
from host_tools import bounce, engines, noise

plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
mixture = noise(2, 30000, seed=53)
first = plugin.process(mixture, 44100.0)
print(engines()[0], flush=True)
sys.stdin.readline()
for _ in range(3):
    assert np.array_equal(plugin.process(mixture, 44100.0), first)
print(float(np.abs(first).sum()), flush=True)
sys.stdin.readline()
"""


def start_host():
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen(
        [sys.executable, "-c", HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def test_two_hosts_share_nothing_and_a_crash_of_one_leaves_nothing_behind():
    in_shared_memory = set(os.listdir("/dev/shm"))
    with start_host() as one, start_host() as other:
        engine_of_one, engine_of_other = (int(host.stdout.readline()) for host in (one, other))
        one.kill()
        one.wait()
        wait_for(lambda: not Path(f"/proc/{engine_of_one}").exists())
        other.stdin.write("go on\n")
        other.stdin.flush()
        assert float(other.stdout.readline()) > 0
        assert Path(f"/proc/{engine_of_other}").exists()
        other.stdin.write("leave\n")
        other.stdin.flush()
        assert other.wait(20) == 0
    wait_for(lambda: not Path(f"/proc/{engine_of_other}").exists())
    # The memory has no name: it ends with the last process that holds it.
    assert not [name for name in set(os.listdir("/dev/shm")) - in_shared_memory if "stemlane" in name]


def test_sixteen_instances_bounce_alike_and_leave():
    wait_until_no_engine_is_left()
    mixture = noise(2, 12000, seed=54)
    plugins = [stemlane.load_plugin("tiny-live", vocals_gain_db="-inf") for _ in range(16)]
    first = plugins[0].process(mixture, 44100.0)
    assert not np.array_equal(first, mixture)
    for plugin in plugins[1:]:
        np.testing.assert_array_equal(plugin.process(mixture, 44100.0), first)
    assert len(engines()) == 16
    plugins.clear()
    del plugin
    gc.collect()
    wait_until_no_engine_is_left()


@pytest.mark.parametrize("moment", ["while it starts", "while it runs"])
def test_a_stopped_engine_ends_with_the_instance(moment):
    wait_until_no_engine_is_left()
    plugins = [stemlane.load_plugin("tiny-live", vocals_gain_db="-inf")]
    wait_for(engines)
    if moment == "while it runs":
        wait_for(lambda: stemlane.plugin_status(plugins[0]).engine_state == "ready")
    os.kill(engines()[0], signal.SIGSTOP)
    plugins.clear()
    wait_until_no_engine_is_left()
