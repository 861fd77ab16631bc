# SPDX-License-Identifier: MIT
"""How a network is run: whether its memory is given back, and what an error of onnxruntime becomes."""

from pathlib import Path

import onnxruntime

from stemlane.errors import ModelError, one_line

_LARGE_BYTES = 1 << 20
_GIVING_BACK = ("memory.enable_memory_arena_shrinkage", "cpu:0")
_OUT_OF_MEMORY = ("ailed to allocate", "bad_alloc", "bad allocation")  # its own words, and those of C++ libraries


def run_options(num_bytes: int) -> onnxruntime.RunOptions:
    """For a step with so many bytes of inputs and outputs.

    After a large one its memory goes back to the system: what is made of its output takes as much. After a small one
    that would take longer than computing.
    """
    options = onnxruntime.RunOptions()
    if num_bytes >= _LARGE_BYTES:
        options.add_run_config_entry(*_GIVING_BACK)
    return options


def run(
    path: Path, session: onnxruntime.InferenceSession, binding: onnxruntime.IOBinding, options: onnxruntime.RunOptions
) -> None:
    """Run a bound step of the network at `path`; whatever goes wrong becomes one of our errors, or a `MemoryError`."""
    try:
        session.run_with_iobinding(binding, options)
    except Exception as error:  # noqa: BLE001 - onnxruntime raises several unrelated types
        raise failure(error, f"{path}: the network failed: {one_line(error)}") from None


def failure(error: Exception, text: str) -> Exception:
    """A `MemoryError` if that is what it says, which has no type there; else a `ModelError` with this text."""
    if any(words in str(error) for words in _OUT_OF_MEMORY):
        return MemoryError(one_line(error))
    return ModelError(text)
