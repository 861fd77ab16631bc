# SPDX-License-Identifier: MIT
"""Sessions: states travel from step to step, and networks that differ from their description are refused."""

import os

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
from onnx import TensorProto, helper
from stemlane.cli.main import main
from stemlane.engine import running
from stemlane.engine.session import SegmentSession, StatefulSession, available_threads
from stemlane.errors import ModelError
from support.tiny_models import build_model
from support.tiny_segment import build_segment

SHAPES = {"input_shape": (1, 2, 2, 2, 129), "output_shape": (1, 3, 2, 2, 2, 129)}
NAMES = {"input_name": "mixture", "output_name": "stems"}
STATES = (("history", "next_history"), ("fade", "next_fade"))


@pytest.fixture
def network(tmp_path):
    return build_model(tmp_path, fade_in=True, masks=(0.5, 1, 2)) / "network.onnx"


def test_states_are_carried_and_reset(network):
    session = StatefulSession(network, **NAMES, **SHAPES, state_names=STATES)
    rng = np.random.default_rng(7)
    for _ in range(2):  # a reset makes everything as at first
        frames = np.zeros((1, 2, 2, 1, 129), np.float32)
        for step in range(5):
            chunk = rng.standard_normal(SHAPES["input_shape"]).astype(np.float32)
            session.input[...] = chunk
            frames = np.concatenate([frames, chunk], axis=3)
            delayed = frames[:, :, :, -3:-1]
            fade = 1 - 0.5 ** (step + 1)
            expected = np.stack([delayed * mask * fade for mask in (0.5, 1, 2)], axis=1)
            np.testing.assert_allclose(session.run(), expected, rtol=1e-6)  # two float32 products
        session.reset()


@pytest.mark.parametrize("interleaved", [2, 3])
def test_interleaved_states_are_sessions_that_take_turns(network, interleaved):
    together = StatefulSession(network, **NAMES, **SHAPES, state_names=STATES, interleaved=interleaved)
    alone = [StatefulSession(network, **NAMES, **SHAPES, state_names=STATES) for _ in range(interleaved)]
    rng = np.random.default_rng(8)
    for _ in range(2):
        for step in range(4 * interleaved):
            session = alone[step % interleaved]
            together.input[...] = session.input[...] = rng.standard_normal(SHAPES["input_shape"])
            np.testing.assert_array_equal(together.run(), session.run())
        for session in (together, *alone):
            session.reset()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"input_name": "mix"}, "has no input 'mix'; it has: mixture, history, fade"),
        ({"output_name": "masks"}, "has no output 'masks'"),
        (
            {"input_shape": (1, 2, 2, 4, 129)},
            r"input 'mixture' has shape \(1, 2, 2, 2, 129\), should be \(1, 2, 2, 4, 129\)",
        ),
        ({"output_shape": (1, 2, 2, 2, 2, 129)}, r"output 'stems' has shape"),
        ({"state_names": STATES[:1]}, "input 'fade' is neither the mixture nor a state"),
        ({"state_names": (*STATES, ("gone", "next_gone"))}, "has no input 'gone'"),
        ({"state_names": (STATES[0], ("fade", "next_history"))}, "output 'next_history' has shape"),
    ],
)
def test_wrong_descriptions_are_refused(network, change, words):
    arguments = {**NAMES, **SHAPES, "state_names": STATES, **change}
    with pytest.raises(ModelError, match=words):
        StatefulSession(network, **arguments)


def test_files_that_are_no_networks(tmp_path):
    with pytest.raises(ModelError, match="no such file"):
        StatefulSession(tmp_path / "none.onnx", **NAMES, **SHAPES)
    (tmp_path / "text.onnx").write_text("hello", encoding="utf-8")
    with pytest.raises(ModelError, match="not a network") as caught:
        StatefulSession(tmp_path / "text.onnx", **NAMES, **SHAPES)
    assert "\n" not in str(caught.value)


def segment_network(folder):
    """`sum` = `a` + `b` and `difference` = `a` - `b`, each (2, 3)."""
    sizes = {"sum": (2, 3), "difference": (2, 3)}
    tensors = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in ("a", "b", *sizes)}
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Sub", ["a", "b"], ["difference"])]
    graph = helper.make_graph(nodes, "two", [tensors["a"], tensors["b"]], [tensors[name] for name in sizes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "network.onnx")
    return folder / "network.onnx"


def test_segments_with_several_inputs_and_outputs(tmp_path):
    path = segment_network(tmp_path)
    shapes = {"inputs": {"a": (2, 3), "b": (2, 3)}, "outputs": {"sum": (2, 3), "difference": (2, 3)}, "threads": 2}
    sessions = [SegmentSession(path, **shapes) for _ in range(2)]  # which share their memory
    sessions.append(sessions[0].clone())  # which shares the network
    for number, session in enumerate(sessions):
        session.inputs["a"][...] = 5 + number
        session.inputs["b"][...] = np.arange(6).reshape(2, 3)
    for session in sessions:
        session.run()
    for number, session in enumerate(sessions):
        np.testing.assert_array_equal(session.outputs["sum"].ravel(), 5 + number + np.arange(6))
        np.testing.assert_array_equal(session.outputs["difference"].ravel(), 5 + number - np.arange(6))


@pytest.mark.parametrize(
    "change, words",
    [
        ({"inputs": {"a": (2, 3)}}, "input 'b' is not in the manifest"),
        ({"inputs": {"a": (2, 3), "c": (2, 3)}}, "has no input 'c'; it has: a, b"),
        ({"outputs": {"sum": (3, 2)}}, r"output 'sum' has shape \(2, 3\), should be \(3, 2\)"),
    ],
)
def test_segment_networks_that_are_refused(tmp_path, change, words):
    shapes = {"inputs": {"a": (2, 3), "b": (2, 3)}, "outputs": {"sum": (2, 3)}, **change}
    with pytest.raises(ModelError, match=words):
        SegmentSession(segment_network(tmp_path), **shapes, threads=1)


@pytest.mark.parametrize(
    "words", ["bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 335544320", "std::bad_alloc"]
)
def test_a_network_without_memory_says_so(tmp_path, monkeypatch, words):
    session = SegmentSession(
        segment_network(tmp_path), inputs={"a": (2, 3), "b": (2, 3)}, outputs={"sum": (2, 3)}, threads=1
    )

    class Failing:
        def run_with_iobinding(self, *_):
            raise RuntimeError(words)

    monkeypatch.setattr(session, "_session", Failing())
    with pytest.raises(MemoryError, match=words[-20:]):
        session.run()


def test_only_large_steps_give_their_memory_back():
    key = "memory.enable_memory_arena_shrinkage"
    assert running.run_options(1 << 20).get_run_config_entry(key) == "cpu:0"
    with pytest.raises(RuntimeError, match=key):
        running.run_options((1 << 20) - 1).get_run_config_entry(key)


def test_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert available_threads() == 3
    for many in ("1025", "100000", "9" * 5000):
        monkeypatch.setenv("OMP_NUM_THREADS", many)
        assert available_threads() == 1024
    for nothing in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", nothing)
        assert 1 <= available_threads() <= 8


@pytest.mark.parametrize("command", ["separate", "render"])
def test_threads_of_one_command(tmp_path, monkeypatch, command):
    """The network is loaded with that number; afterwards the environment says what it said before."""
    model, song, asked = build_segment(tmp_path), tmp_path / "song.wav", []

    def session(path, options, **more):
        asked.append(options.intra_op_num_threads)
        return real(path, options, **more)

    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    soundfile.write(song, np.zeros((5000, 2), np.float32), 44100)
    arguments = [command, str(song), "-o", str(tmp_path / "out.wav"), "--model", str(model)]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert main([*arguments, "--threads", "2"]) == 0
    assert main(arguments) == 0
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert main([*arguments, "--threads", "5"]) == 0
    assert "OMP_NUM_THREADS" not in os.environ
    assert asked == [2, 3, 5]


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "many", "1025", "9" * 5000])
def test_numbers_of_threads_that_are_none(capsys, text):
    with pytest.raises(SystemExit) as stop:
        main(["separate", "a.wav", "--threads", text])
    assert stop.value.code == 2
    assert "argument --threads: is '" in (said := capsys.readouterr().err) and "from 1 to 1024" in said


def test_threads_of_a_cluster_are_the_workers_own(capsys):
    with pytest.raises(SystemExit):
        main(["separate", "a.wav", "--threads", "2", "--dask", "tcp://host:8786"])
    assert "give the cluster's workers OMP_NUM_THREADS" in capsys.readouterr().err
