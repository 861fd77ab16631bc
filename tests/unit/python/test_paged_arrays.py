# SPDX-License-Identifier: MIT
"""Arrays that give back their memory and can be written again."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from stemlane.engine.paged_arrays import forget, forget_freed, paged_zeros


def resident_bytes() -> int:
    with open("/proc/self/status", encoding="utf-8") as file:
        return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def test_an_array_takes_memory_only_between_writing_and_forgetting():
    size = 1 << 26
    before = resident_bytes()
    values = paged_zeros((size // 16, 4))
    assert resident_bytes() - before < size / 2
    values.fill(1)
    assert resident_bytes() - before > size / 2
    forget(values)
    assert resident_bytes() - before < size / 2
    values[-1] = 2
    assert values.sum() == 8


def test_an_empty_one_and_one_of_numpy():
    assert paged_zeros((0, 3)).shape == (0, 3)
    kept = np.ones(5, np.float32)
    forget(kept)
    np.testing.assert_array_equal(kept, 1)


def test_what_malloc_keeps_is_given_back():
    """Arrays of 64 KiB come from the heap, and the last one keeps the others from being given back by themselves."""
    count, size = 1 << 10, 1 << 16
    many = [np.ones(size, np.uint8) for _ in range(count)]
    last = np.ones(size, np.uint8)
    many.clear()
    before = resident_bytes()
    forget_freed()
    assert before - resident_bytes() > count * size / 2
    assert last.sum() == size


LARGE_ARRAYS = """
import sys
sys.path[:0] = {paths!r}
import ctypes
import numpy as np
from stemlane.engine import paged_arrays, session
# What malloc learns from freed arrays, unless its environment says otherwise: take large ones from the heap.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
libc = ctypes.CDLL(None)
assert libc.mallopt(M_MMAP_THRESHOLD, 32 << 20) and libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)
{prepared}
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
many, outliving = [], []
for _ in range(4):
    many.append(np.ones(16 << 20, np.uint8))
    outliving.append(np.ones(64 << 10, np.uint8))
many.clear()
print(resident() - before)
"""


def left_behind(prepared: str) -> int:
    """Bytes that a process keeps of large arrays that are gone, after these lines."""
    program = LARGE_ARRAYS.format(paths=sys.path, prepared=prepared)
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout)


def test_large_arrays_leave_nothing_behind():
    """Whatever malloc has learned, and whatever outlives them."""
    assert left_behind("paged_arrays.keep_large_arrays_apart()") < 4 << 20
    assert left_behind("") > 40 << 20  # or there would be nothing to do


def test_nor_do_they_beside_large_networks():
    network = Path(__file__).resolve().parents[3] / "models" / "live" / "network.onnx"
    for large in (False, True):
        loaded = f"from pathlib import Path; session._load(Path({str(network)!r}), large={large})"
        assert (left_behind(loaded) < 4 << 20) is large
