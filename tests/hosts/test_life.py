# SPDX-License-Identifier: MIT
"""Instances come and go: scans are quick and start nothing, nothing is left behind, forks and threads do no harm."""

import gc
import threading
import time
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import stemlane
from host_tools import engines, noise, wait_for, wait_until_no_engine_is_left


def test_a_scan_starts_no_engine():
    pedalboard.load_plugin(stemlane.plugin_path())  # the first one also loads the library
    wait_until_no_engine_is_left()
    for _ in range(20):
        begin = time.perf_counter()
        plugin = pedalboard.load_plugin(stemlane.plugin_path())
        found = engines()
        # An insert that stays for 0.25 s gets its engine; a scan takes 0.06 s on an idle core.
        assert not found or time.perf_counter() - begin > 0.25
        del plugin
        gc.collect()


def test_an_insert_that_stays_has_its_engine_soon():
    wait_until_no_engine_is_left()
    plugins = [stemlane.load_plugin("tiny-live")]
    wait_for(lambda: stemlane.plugin_status(plugins[0]).engine_state == "ready")
    assert stemlane.plugin_status(plugins[0]).engine_text == "running model 'tiny-live'"
    assert len(engines()) == 1
    plugins.clear()
    wait_until_no_engine_is_left()


FIFTY = """
import os
from pathlib import Path
import stemlane
from host_tools import noise, wait_until_no_engine_is_left, wait_until_ready

mixture = noise(2, 8000, seed=41)


def counts():
    wait_until_no_engine_is_left()
    maps = Path("/proc/self/maps").read_text()
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "shared memory": sum("memfd" in line or "/dev/shm" in line for line in maps.splitlines()),
        "threads": len(os.listdir("/proc/self/task")),
    }


def cycle(index):
    plugin = stemlane.load_plugin("tiny-mix", vocals_mute=True)
    if index % 5 == 0:
        plugin.process(mixture, 44100.0)
        wait_until_ready(plugin)


cycle(0)
before = counts()
for index in range(50):
    cycle(index)
after = counts()
print(before, after)
assert after == before, (before, after)
assert before["shared memory"] == 0
"""


def test_fifty_instances_leave_nothing_behind(run_script):
    run_script(FIFTY)


def test_the_engine_leaves_nothing_in_the_users_home(run_script, tmp_path):
    """Onnxruntime's telemetry would leave an identifier there; in unit tests and CI it would be quiet by itself."""
    quiet = dict.fromkeys(("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME"), "")
    script = (
        "import stemlane; from host_tools import noise, wait_until_ready; "
        "p = stemlane.load_plugin('tiny-mix', vocals_mute=True); p.process(noise(2, 30_000, seed=5), 44100.0); "
        "wait_until_ready(p); print(stemlane.plugin_status(p).engine_state)"
    )
    assert run_script(script, HOME=str(tmp_path), **quiet) == "ready\n"
    assert list(tmp_path.rglob("*")) == []


EXIT = """
import os, sys
import stemlane
from host_tools import engines, noise

plugin = stemlane.load_plugin("tiny-mix", vocals_mute=True)
plugin.process(noise(2, 8000, seed=42), 44100.0)
print(engines()[0], flush=True)
if sys.argv[1] == "abruptly":
    os._exit(0)
"""


@pytest.mark.parametrize("way", ["orderly", "abruptly"])
def test_engines_leave_with_their_host(run_script, way):
    engine = Path("/proc") / run_script(EXIT, way).strip()
    wait_for(lambda: not engine.exists())


FORK = """
import os, sys, time
import numpy as np
import stemlane
from host_tools import engines, noise, stream

mixture = noise(2, 30000, seed=43)
plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
whole = plugin.process(mixture, 44100.0, buffer_size=512)
assert not np.array_equal(whole, mixture)
plugin.reset()
first = plugin.process(mixture[:, :15000], 44100.0, buffer_size=512, reset=False)

child = os.fork()
if child == 0:
    rest = stream(plugin, [mixture[:, 15000:]], 44100.0)
    start = first.shape[1]  # what comes out next, at this position
    fade = 1000
    good = np.array_equal(rest[:, fade:15000 - fade], mixture[:, start + fade:start + 15000 - fade])
    state = stemlane.plugin_status(plugin)
    good = good and state.engine_state == "failed" and "fork" in state.engine_text
    if sys.argv[1] == "destroys":
        del plugin
    os._exit(0 if good else 3)

deadline = time.monotonic() + 60
while True:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid:
        break
    if time.monotonic() > deadline:
        os.kill(child, 9)
        sys.exit("the child hangs")
    time.sleep(0.01)
assert os.waitstatus_to_exitcode(status) == 0, status
assert len(engines()) == 1, "the child took the parent's engine with it"
pieces = [first, plugin.process(mixture[:, 15000:], 44100.0, buffer_size=512, reset=False)]
while sum(piece.shape[1] for piece in pieces) < 30000:
    pieces.append(plugin.process(np.zeros((2, 512), np.float32), 44100.0, buffer_size=512, reset=False))
assert np.array_equal(np.concatenate(pieces, axis=1)[:, :30000], whole)
"""


def test_a_fork_passes_the_mixture_and_the_parent_goes_on(run_script):
    run_script(FORK, "leaves")


def test_a_fork_may_destroy_its_copy(run_script):
    run_script(FORK, "destroys")


FORKED_LOAD = """
import multiprocessing, os, sys
import numpy as np
import stemlane
from host_tools import noise
from stemlane.errors import PluginError


def bounce(_):
    plugin = stemlane.load_plugin("tiny-mix", vocals_gain_db="-inf")
    return plugin.process(noise(2, 20000, seed=46), 44100.0)


if __name__ == "__main__":
    here = bounce(0)
    plugin = stemlane.load_plugin("tiny-mix")
    child = os.fork()
    if child == 0:
        told = stemlane.plugin_status(plugin).engine_text
        try:
            stemlane.load_plugin("tiny-mix")
        except PluginError as error:
            os._exit(0 if "get_context('spawn')" in str(error) and "get_context('spawn')" in told else 4)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with multiprocessing.get_context("spawn").Pool(1) as pool:  # the remedy
        (there,) = pool.map_async(bounce, [0]).get(60)
    assert np.array_equal(here, there)
"""


def test_a_fork_is_told_the_remedy_and_the_remedy_works(run_script, tmp_path):
    script = tmp_path / "forked_load.py"  # a file: a spawned process imports it
    script.write_text(FORKED_LOAD, encoding="utf-8")
    run_script("import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')", script)


def test_instances_in_threads_do_not_disturb_each_other():
    mixture = noise(2, 40000, seed=44)
    plugins = [stemlane.load_plugin(model, vocals_gain_db="-inf") for model in ("tiny-mix", "tiny-live", "tiny-fade")]
    alone = [plugin.process(mixture, 44100.0) for plugin in plugins]
    together: list = [None] * len(plugins)

    def play(index: int) -> None:
        together[index] = plugins[index].process(mixture, 44100.0)

    threads = [threading.Thread(target=play, args=(index,)) for index in range(len(plugins))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("pause", [0.0, 0.26, 0.3, 0.4])  # before, while and after the engine starts
def test_an_instance_can_be_destroyed_at_any_moment(pause):
    plugin = stemlane.load_plugin("tiny-mix")
    time.sleep(pause)
    del plugin
    gc.collect()
    wait_until_no_engine_is_left()
