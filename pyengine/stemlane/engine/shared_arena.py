# SPDX-License-Identifier: MIT
"""The arena that all large networks compute in, which is given back to the system after each run."""

import functools

import numpy as np
import onnxruntime

from stemlane.engine.paged_arrays import keep_large_arrays_apart
from stemlane.engine.running import giving_back

# After each run the arena is given back, but for its first stretch of addresses, which therefore holds one page. The
# next run's is one that large networks fit into: each of several would end with room too small to be used. What they do
# not touch takes addresses on Linux, no memory; Windows promises it. A piece 256 KiB larger than asked for is cut.
_SETTINGS = {
    "initial_chunk_size_bytes": 1 << 12, "initial_growth_chunk_size_bytes": 1 << 29,
    "max_dead_bytes_per_chunk": 1 << 18,
}  # fmt: skip
# onnxruntime heeds these sizes only from the second run on: a first stretch has room for the first tensor, 32 MB for
# SCNet large, which then stays, and those after it are each twice the last. So this runs first: b (1,) = -a.
_SMALLEST_NETWORK = bytes.fromhex(
    "080812003a320a0b0a016112016222034e65671201675a0f0a0161120a0a08080112040a02080162"
    "0f0a0162120a0a08080112040a02080142040a001011"
)


@functools.cache
def share_memory() -> None:
    """Make one arena for all large networks: those that run in turn need the memory of the largest only.

    Beside it, arrays that are gone leave nothing behind.
    """
    keep_large_arrays_apart()
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(_SETTINGS))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    use_shared(options)
    session = onnxruntime.InferenceSession(_SMALLEST_NETWORK, options, providers=["CPUExecutionProvider"])
    session.run(None, {"a": np.zeros(1, np.float32)}, giving_back())


def use_shared(options: onnxruntime.SessionOptions) -> None:
    """Let a session compute in the shared arena."""
    options.add_session_config_entry("session.use_env_allocators", "1")
