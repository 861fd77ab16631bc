# SPDX-License-Identifier: MIT
"""Models played live: stems come at the reported latency, at a sound card's pace, and again after an underrun.

HTDemucs above all, whose engine computes for a while and then for a longer while does not.

The host is stemlane-validator with `--live`, see tests/hosts/validator/live.h.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import stemlane
from stemlane.catalog import measured
from stemlane.catalog.install import add_model, remove_model
from stemlane.engine.streaming import StreamingSeparator
from support import tiny_htdemucs
from support.live_playing import RATE, heard, in_real_time_or_slower, music, runs
from support.tiny_models import short_recording


@pytest.fixture(scope="module")
def live_host():
    """The executable that `make test-python` builds."""
    found = sorted(Path(__file__).parents[2].glob("build/cp*/plugin/validator/*_artefacts/Release/stemlane-validator"))
    assert found, "stemlane-validator is not built; run 'make test-python'"
    return found[0]


@pytest.fixture(scope="module", autouse=True)
def added(tmp_path_factory, user_folder):
    """Both windows of a tiny HTDemucs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measured, "recording", short_recording)
        folders = tiny_htdemucs.build(tmp_path_factory.mktemp("own"))
        names = [add_model(str(folder))[0].name for folder in folders]
    yield
    for name in names:
        remove_model(name)


def play(live_host, folder, model, mixture, *, slower=1, block=512, while_playing=lambda engine: None):
    """Play live without vocals; (latency, output (2, samples), the engine's states as they came)."""
    source, target = folder / "in", folder / "out"
    source.write_bytes(mixture.tobytes())
    command = [live_host, "--live", stemlane.plugin_path(), model, "vocals", RATE, block, source, target, slower]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as host:
        try:
            ready = host.stdout.readline().split()
            assert ready[:1] == ["ready"], ready
            while_playing(engine_of(host.pid))
            said, _ = host.communicate(timeout=300)
        finally:
            host.kill()
    assert host.returncode == 0
    states = said.splitlines()[0].split()[1:]
    return int(ready[1]), np.frombuffer(target.read_bytes(), np.float32).reshape(2, -1), states


def engine_of(host: int) -> int:
    """Process id of the engine that the host with that process id has started."""
    for children in Path(f"/proc/{host}/task").glob("*/children"):
        for pid in children.read_text(encoding="ascii").split():
            return int(pid)
    raise AssertionError("the host has no engine")


@pytest.mark.parametrize("model,seconds", [("tiny-htdemucs", 4), ("tiny-htdemucs-3s", 2.5)])
def test_stems_arrive_at_their_place(live_host, tmp_path, model, seconds):
    mixture = music(seconds)

    def check(slower):
        latency, out, states = play(live_host, tmp_path, model, mixture, slower=slower)
        separated, _ = heard(model, mixture, latency, out)
        assert runs(separated)
        assert set(states) <= {"ready", "late"}

    in_real_time_or_slower(check)


@pytest.mark.parametrize("block", [64, 512, 2048, 4096])
def test_strides_that_come_together_have_the_bits_of_single_ones(live_host, tmp_path, block):
    """`mix` lets three strides come together at the first two blocks, two at the third; the last brings four."""
    mixture = music(3)
    stream = StreamingSeparator("mix", RATE, 2)
    strides = np.split(mixture, range(1024, mixture.shape[1], 1024), axis=1)
    vocals = np.concatenate([*map(stream.process, strides), stream.finish()], axis=2)[stream.stems.index("vocals")]

    def check(slower):
        latency, out, states = play(live_host, tmp_path, "mix", mixture, slower=slower, block=block)
        heard("mix", mixture, latency, out)
        num_out = out.shape[1] - latency
        assert runs((out[:, latency:] == (mixture - vocals)[:, :num_out]).all(axis=0))
        assert set(states) <= {"ready", "late"}

    in_real_time_or_slower(check)


def test_an_underrun_is_noticed_and_heals_in_place(live_host, tmp_path):
    """The engine stands still for longer than the latency; then it goes on, and so do the stems, at their place."""
    model, mixture = "tiny-htdemucs-3s", music(6)

    def check(slower):
        def stand_still(engine):
            time.sleep(2 * slower)
            os.kill(engine, signal.SIGSTOP)
            time.sleep(1.2 * slower)
            assert Path(f"/proc/{engine}").exists(), "the engine is gone: out of memory?"
            os.kill(engine, signal.SIGCONT)

        latency, out, states = play(live_host, tmp_path, model, mixture, slower=slower, while_playing=stand_still)
        separated, passed = map(runs, heard(model, mixture, latency, out))
        assert separated and passed and separated[0].start < passed[0].start < separated[-1].start
        assert states.index("late") > 0 and set(states) == {"ready", "late"}

    in_real_time_or_slower(check)
