# SPDX-License-Identifier: MIT
"""Networks made to do harm: what may not end is refused, the rest is tried in a process of bounded time and memory."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from stemlane.catalog import network_check, trial, trial_process
from stemlane.catalog.install import add_model, verify
from stemlane.errors import ModelError
from stemlane.manifests.model import load_manifest
from support.hostile_networks import constant, endless_loop, fills_memory, model_with, network_of
from support.tiny_models import build_model

pytestmark = pytest.mark.usefixtures("no_models")


def left_in(data: Path) -> list[str]:
    return sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())


def test_networks_that_may_never_end_are_refused(tmp_path):
    with pytest.raises(ModelError, match="own/network.onnx: holds a Loop, which may never end"):
        add_model(str(model_with(tmp_path, endless_loop())))
    assert left_in(tmp_path / "data") == []


@pytest.fixture
def unchecked(monkeypatch):
    """Networks are not looked through beforehand, so that those are tried that would be refused."""
    monkeypatch.setattr(network_check, "_REFUSED_OPERATORS", ())


def test_a_trial_that_does_not_end_is_ended(tmp_path, monkeypatch, unchecked):
    folder = model_with(tmp_path, endless_loop())
    monkeypatch.setattr(trial, "PROCESSOR_SECONDS", 3)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(ModelError, match="model 'own' does not run: the network has computed for 3 s without an end"):
        add_model(str(folder))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 10
    monkeypatch.setattr(trial, "PROCESSOR_SECONDS", 900)
    monkeypatch.setattr(trial, "WALL_SECONDS", 3)
    with pytest.raises(ModelError, match="the network has run for 3 s without an end"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


def test_a_trial_may_not_fill_the_memory(tmp_path, monkeypatch, unchecked):
    monkeypatch.setattr(trial, "MEMORY_BYTES", 2 << 30)
    with pytest.raises(ModelError, match="does not run: .*([Ff]ailed to allocate|bad_alloc|more memory)"):
        add_model(str(model_with(tmp_path, fills_memory())))
    assert left_in(tmp_path / "data") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_who_stops_the_command_stops_the_trial(tmp_path, number):
    """The network's process is gone with the command, however that is ended."""
    folder = model_with(tmp_path, endless_loop())
    code = (
        "import sys; from stemlane.catalog import network_check; network_check._REFUSED_OPERATORS = ()\n"
        "from stemlane.cli.main import main; sys.exit(main(['models', 'add', sys.argv[1]]))"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stderr=subprocess.PIPE,
        text=True,
        # As a shell starts it: what runs the tests in the background ignores interrupts.
        preexec_fn=None if number == signal.SIGKILL else lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
    )
    started = waited_for(lambda: processes(command.pid))
    waited_for(lambda: busy_seconds(started[0]) > 2)  # long after it has begun
    command.send_signal(number)
    _, said = command.communicate(timeout=60)
    assert command.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert said == ("" if number == signal.SIGKILL else "stemlane: interrupted\n")
    waited_for(lambda: not Path(f"/proc/{started[0]}").exists() or is_dead(started[0]))
    if number != signal.SIGKILL:
        assert left_in(tmp_path / "data") == []


def waited_for(found, seconds: float = 120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it does not happen")


def processes(parent: int) -> list[int]:
    return [int(entry) for entry in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()]


def busy_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def is_dead(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] in "ZX"


@pytest.mark.parametrize("line, words", [
    ("print('{\"result\": {}}')", "ended without a result"),
    ("print('{\"result\": {\"self_test\": [{\"vocals\": [1e999, 0, 0, 0]}], \"measured\": null}}')", "a result"),
    ("print('[' * 60000)", "ended without a result"),
    ("print('x' * 10_000_000)", "ended without a result"),
    ("print('{\"problem\": \"a\\\\u001b[2Jb\"}')", r"a\\x1b\[2Jb"),
    ("import os; os.abort()", r"the network crashed \(SIGABRT\)"),
    ("import os; os._exit(3)", "ended without a result"),
])  # fmt: skip
def test_a_trial_that_was_taken_over_says_anything(tmp_path, monkeypatch, line, words):
    manifest = load_manifest(build_model(tmp_path, name="own"))
    monkeypatch.setattr(trial, "_COMMAND", [sys.executable, "-c", line])
    with pytest.raises(ModelError, match=words) as refusal:
        trial.try_models([manifest])
    assert "\x1b" not in str(refusal.value) and len(str(refusal.value)) < 2000


def test_networks_refer_to_the_models_own_files_only(tmp_path):
    network = network_of(constants=[constant("seed", np.float32([0]))])
    weight = next(tensor for tensor in network.graph.initializer if tensor.name == "masks")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../private")
    (tmp_path / "private").write_bytes(bytes(100))
    for place in ("../private", str(tmp_path / "private"), "network.data", "/dev/zero"):
        weight.external_data[0].value = place
        with pytest.raises(ModelError, match="refers to the file '.*', which is none of the model's"):
            add_model(str(model_with(tmp_path / str(len(place)), network)))
    nested = onnx.ModelProto()
    nested.CopyFrom(network_of(constants=[constant("seed", np.float32([0]))]))
    branch = nested.graph.node[0].attribute.add(name="x", type=onnx.AttributeProto.GRAPH).g
    branch.initializer.add(name="w", data_type=1).external_data.add(key="location", value="../private")
    with pytest.raises(ModelError, match="refers to the file '../private'"):
        add_model(str(model_with(tmp_path / "nested", nested)))


def test_verifying_needs_no_converter_and_ends_too(tmp_path, monkeypatch):
    folder = model_with(tmp_path, endless_loop())
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr(trial, "PROCESSOR_SECONDS", 3)
    with pytest.raises(ModelError, match="the network has computed for 3 s without an end"):
        verify(str(folder))
    assert verify("mix").name == "mix"


def test_on_windows_a_trial_ends_with_the_process_that_asked_for_it(monkeypatch):
    """Not with its parent, which in a virtual environment there is a launcher that waits for the trial."""
    opened, ended = [], threading.Event()
    functions = {
        "SYNCHRONIZE": 0x100000, "INFINITE": -1, "OpenProcess": lambda access, inherits, pid: opened.append(pid),
        "WaitForSingleObject": lambda handle, milliseconds: 0,
    }  # fmt: skip
    monkeypatch.setitem(sys.modules, "_winapi", types.SimpleNamespace(**functions))
    monkeypatch.setattr(trial_process.sys, "platform", "win32")
    monkeypatch.setattr(trial_process.os, "_exit", lambda status: ended.set())
    trial_process.follow(4711)
    assert ended.wait(10) and opened == [4711]


def test_a_trial_follows_the_process_that_asked_for_it(tmp_path, monkeypatch):
    """The number that reaches it is that of the process itself, not of its parent."""
    manifest = load_manifest(build_model(tmp_path, name="own"))
    code = (
        "from stemlane.catalog import trial_process\n"
        "trial_process.follow = lambda parent: trial_process._say(problem=f'follows {parent}')\n"
        "trial_process.main()"
    )
    monkeypatch.setattr(trial, "_COMMAND", [sys.executable, "-P", "-c", code])
    with pytest.raises(ModelError, match=f"^follows {os.getpid()}$"):
        trial.try_models([manifest])
