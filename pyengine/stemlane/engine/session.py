# SPDX-License-Identifier: MIT
"""Runs one ONNX network, step by step with states that are carried, or on whole segments; buffers are allocated once.

Two input/output bindings alternate, so that the state written by a step is read by the next without a copy.
What the tensors mean is the front end's business.
"""

import copy
import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from stemlane.arguments import MOST_THREADS
from stemlane.engine import providers
from stemlane.engine.mapped_weights import MappedWeights, is_mapped
from stemlane.engine.paged_arrays import forget, forget_freed, keep_large_arrays_apart, paged_zeros
from stemlane.engine.running import failure, run, run_options
from stemlane.errors import ModelError, one_line

Shape = tuple[int, ...]
Arrays = dict[tuple[str, Shape], np.ndarray]

# After each run the arena is given back, but for its first stretch of addresses, which therefore holds one page. The
# next run's is one that large networks fit into: each of several would end with room too small to be used. What they do
# not touch takes addresses on Linux, no memory; Windows promises it. A piece 256 KiB larger than asked for is cut.
_ARENA = {
    "initial_chunk_size_bytes": 1 << 12, "initial_growth_chunk_size_bytes": 1 << 29,
    "max_dead_bytes_per_chunk": 1 << 18,
}  # fmt: skip
_DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


class StatefulSession:
    """An ONNX network with one input, one output and any number of carried states.

    Parameters
    ----------
    path
        The ONNX file.
    input_name, input_shape
        The network's input, float32.
    output_name, output_shape
        The network's output, float32.
    state_names
        Pairs of input and output names. Their shapes are read from the graph and must be fixed. They start at zero.
    interleaved
        Independent sets of states that take turns: step k goes on from what step k - interleaved has left.
    warm_up
        Run once at once, so that the first step takes no longer than the others. Not beside large steps, whose memory
        is not kept from one to the next.
    threads
        Threads that share the computing of a step.

    Raises
    ------
    ModelError
        If the file cannot be loaded or a tensor is not as described.
    """

    def __init__(
        self,
        path: Path,
        *,
        input_name: str,
        input_shape: Shape,
        output_name: str,
        output_shape: Shape,
        state_names: Sequence[tuple[str, str]] = (),
        interleaved: int = 1,
        warm_up: bool = True,
        threads: int = 1,
    ):
        self._path, self._input_name, self._output_name = path, input_name, output_name
        # Step by step malloc is as fast as an arena, which keeps 1 MiB more; there are many engines.
        self._session = _load(path, threads, large=not warm_up)
        self._is_large = not warm_up
        self._weights = _mapped_weights(path, self._session)
        inputs = {tensor.name: tensor for tensor in self._session.get_inputs()}
        outputs = {tensor.name: tensor for tensor in self._session.get_outputs()}
        _check(path, inputs, input_name, "input", np.float32, input_shape)
        _check(path, outputs, output_name, "output", np.float32, output_shape)
        unfed = set(inputs) - {input_name} - {source for source, _ in state_names}
        if unfed:
            raise ModelError(f"{path}: input {min(unfed)!r} is neither the mixture nor a state of the manifest")
        self._interleaved = interleaved
        self._states: list[tuple[str, str, list[np.ndarray]]] = []
        for source, target in state_names:
            dtype, shape = _check(path, inputs, source, "input")
            _check(path, outputs, target, "output", dtype, shape)
            # Each set of states has two homes, read and written in turn.
            self._states.append((source, target, [np.zeros(shape, dtype) for _ in range(2 * interleaved)]))
        self._size = self.add_size(input_shape, output_shape)
        self.input, self.output = self._size.input, self._size.output
        self._turn = 0
        if warm_up:
            self.run()  # the first run plans and allocates the network's own memory
            self.reset()

    def run(self) -> np.ndarray:
        """Run one step on `self.input`; returns `self.output`, valid until the next step."""
        self._run(self._size)
        return self.output

    def add_size(self, input_shape: Shape, output_shape: Shape) -> "StepSize":
        """Steps of another size for a network whose sizes are free; all sizes go on from the same states."""
        return self._step_size(np.zeros(input_shape, np.float32), np.zeros(output_shape, np.float32))

    def _step_size(self, values: np.ndarray, results: np.ndarray) -> "StepSize":
        num_turns = 2 * self._interleaved
        bindings = [self._session.io_binding() for _ in range(num_turns)]
        for turn, binding in enumerate(bindings):
            for name, weight in self._weights.arrays.items():
                _bind(binding.bind_input, name, weight)
            _bind(binding.bind_input, self._input_name, values)
            _bind(binding.bind_output, self._output_name, results)
            for source, target, homes in self._states:
                _bind(binding.bind_input, source, homes[turn])
                _bind(binding.bind_output, target, homes[(turn + self._interleaved) % num_turns])
        num_bytes = values.nbytes + results.nbytes if self._is_large else 0
        return StepSize(values, results, bindings, run_options(num_bytes))

    def run_size(self, size: "StepSize") -> np.ndarray:
        """Run one step of a size of `add_size` on `size.input`; returns `size.output`."""
        self._run(size)
        return size.output

    def part(self, input_shape: Shape, output_shape: Shape) -> "StepSize":
        """A step of another size than planned, for a network without states; in the memory of the planned one.

        Run it with `run_part` before the next step of another size.
        """
        return self._step_size(_within(self.input, input_shape), _within(self.output, output_shape))

    def run_part(self, size: "StepSize") -> np.ndarray:
        """Run a step of `part` on `size.input`; returns `size.output`."""
        try:
            with self._weights.in_use():
                self._session.run_with_iobinding(size.bindings[0], size.options)
        except Exception as error:  # noqa: BLE001 - onnxruntime raises several unrelated types
            raise failure(
                error, f"{self._path}: the network does not take an input of {size.input.shape}: {one_line(error)}"
            ) from None
        return size.output

    def reset(self) -> None:
        """Set all states to zero, as before the first step."""
        for _, _, homes in self._states:
            for state in homes:
                state.fill(0)
        self._turn = 0

    def _run(self, size: "StepSize") -> None:
        with self._weights.in_use():
            run(self._path, self._session, size.bindings[self._turn], size.options)
        self._turn = (self._turn + 1) % len(size.bindings)


class StepSize(NamedTuple):
    """Arrays of one size of step of a `StatefulSession`, and a binding for each turn of its states."""

    input: np.ndarray
    output: np.ndarray
    bindings: list[onnxruntime.IOBinding]
    options: onnxruntime.RunOptions


class SegmentSession:
    """An ONNX network with any number of inputs and outputs of fixed shapes, and no states.

    Parameters
    ----------
    path
        The ONNX file.
    inputs, outputs
        Shapes by name, all float32.
    threads
        Threads that compute. They sleep while there is nothing to do.
    shared
        Arrays by name and shape, taken from here and added where there is none, for sessions that run in turn.

    Attributes
    ----------
    inputs, outputs
        Arrays by name; `run` reads and writes them.

    Raises
    ------
    ModelError
        If the file cannot be loaded or a tensor is not as described.
    """

    def __init__(
        self, path: Path, *, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape], threads: int,
        shared: Arrays | None = None,
    ):  # fmt: skip
        self._path = path
        self._session = _load(path, threads, large=True)
        self._weights = _mapped_weights(path, self._session)
        self._allocate(inputs, outputs, {} if shared is None else shared)

    def clone(self) -> "SegmentSession":
        """The same loaded network with arrays of its own, for another thread to run at the same time."""
        clone = copy.copy(self)
        inputs, outputs = ({name: array.shape for name, array in side.items()} for side in (self.inputs, self.outputs))
        clone._allocate(inputs, outputs, {})  # noqa: SLF001 - its own class
        return clone

    def run(self) -> None:
        """Compute the outputs from the inputs."""
        for array in self.outputs.values():
            forget(array)  # a network writes them at its end, when it holds less than in between
        forget_freed()
        with self._weights.in_use():
            run(self._path, self._session, self._binding, self._run_options)

    def _allocate(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape], shared: Arrays) -> None:
        self.inputs, self.outputs = (
            {name: shared.setdefault((name, shape), paged_zeros(shape)) for name, shape in side.items()}
            for side in (inputs, outputs)
        )
        self._run_options = run_options(sum(array.nbytes for array in (*self.inputs.values(), *self.outputs.values())))
        self._binding = self._session.io_binding()
        for name, array in self._weights.arrays.items():
            _bind(self._binding.bind_input, name, array)
        for role, found, arrays, bind in (
            ("input", self._session.get_inputs(), self.inputs, self._binding.bind_input),
            ("output", self._session.get_outputs(), self.outputs, self._binding.bind_output),
        ):
            tensors = {tensor.name: tensor for tensor in found}
            for name, array in arrays.items():
                _check(self._path, tensors, name, role, np.float32, array.shape)
                _bind(bind, name, array)
            if role == "input" and set(tensors) - set(arrays):
                raise ModelError(f"{self._path}: input {min(set(tensors) - set(arrays))!r} is not in the manifest")


def available_threads() -> int:
    """How many threads a large network should have: OMP_NUM_THREADS, or one for each processor, up to eight.

    Of a variable beyond `MOST_THREADS`, as many: each thread has a stack.
    """
    named = os.environ.get("OMP_NUM_THREADS", "")
    if named.isdecimal() and int(named[:9]):
        return min(int(named[:9]), MOST_THREADS)
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)


def _mapped_weights(path: Path, session: onnxruntime.InferenceSession) -> MappedWeights:
    defaults = {tensor.name: tensor for tensor in session.get_overridable_initializers()}
    # Another device has the weights in its own memory from the start.
    on_cpu = session.get_providers() == ["CPUExecutionProvider"]
    mapped = [name for name in defaults if on_cpu and is_mapped(name)]
    return MappedWeights(path, {name: _check(path, defaults, name, "weight") for name in mapped})


def _check(
    path: Path,
    tensors: Mapping[str, Any],
    name: str,
    role: str,
    dtype: type[np.generic] | None = None,
    shape: Shape | None = None,
) -> tuple[type[np.generic], Shape]:
    """Type and shape of the tensor `name`, compared with what is expected where that is given."""
    if name not in tensors:
        raise ModelError(f"{path}: has no {role} {name!r}; it has: {', '.join(tensors)}")
    found_dtype, found_shape = _DTYPES.get(tensors[name].type), tuple(tensors[name].shape)
    if found_dtype is None or (dtype is not None and found_dtype != dtype):
        raise ModelError(
            f"{path}: {role} {name!r} is {tensors[name].type}, should be {np.dtype(dtype or np.float32).name}"
        )
    if not _fits(found_shape, shape):
        raise ModelError(f"{path}: {role} {name!r} has shape {found_shape}, should be {shape or 'of fixed sizes'}")
    return found_dtype, found_shape


def _fits(found: tuple[int | str | None, ...], shape: Shape | None) -> bool:
    """Whether a tensor of the graph, whose free sizes have names, can be of `shape`; without one, all must be fixed."""
    if shape is None:
        return all(isinstance(size, int) for size in found)
    free_or_equal = (not isinstance(size, int) or size == wanted for size, wanted in zip(found, shape, strict=True))
    return len(found) == len(shape) and all(free_or_equal)


@functools.cache
def _share_memory() -> None:
    """Make one arena for all large networks: those that run in turn need the memory of the largest only.

    Beside it, arrays that are gone leave nothing behind.
    """
    keep_large_arrays_apart()
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(_ARENA))


def _load(path: Path, threads: int = 1, *, large: bool = False) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelError(f"{path}: no such file; install the model again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = large
    if large:
        _share_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
        # Weights in the arena would keep it from being given back.
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        # What a plan saves is nothing beside large networks, and its memory comes on top of the first run's.
        options.enable_mem_pattern = False
        # Tensors that are planned to share a buffer keep it between the first and the last of them: twice the memory.
        options.enable_mem_reuse = False
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # errors come back as exceptions; nothing is printed into the host's log
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers.session_providers())
    except Exception as error:  # noqa: BLE001 - onnxruntime raises several unrelated types
        raise failure(error, f"{path}: not a network onnxruntime can load: {one_line(error)}") from None


def _within(array: np.ndarray, shape: Shape) -> np.ndarray:
    """An array of `shape` in the memory of another where it is large enough."""
    count = math.prod(shape)
    return array.reshape(-1)[:count].reshape(shape) if count <= array.size else np.zeros(shape, array.dtype)


def _bind(bind: Callable[..., None], name: str, array: np.ndarray) -> None:
    bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
