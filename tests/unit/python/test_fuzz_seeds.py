# SPDX-License-Identifier: MIT
"""What the fuzzers begin with, good files and attacks of old, goes through every reader without fuzzing, too."""

import pytest
from fuzz.reader_seeds import seeds
from fuzz.reader_targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_seeds(target):
    for content in seeds(target):
        TARGETS[target](content)
        for length in range(0, len(content), max(len(content) // 50, 1)):
            TARGETS[target](content[:length])
