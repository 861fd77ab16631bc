# SPDX-License-Identifier: MIT
"""Arrays that give back their memory and can be written again."""

import numpy as np
from stemlane.engine.paged_arrays import forget, paged_zeros


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
