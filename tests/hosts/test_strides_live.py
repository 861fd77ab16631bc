# SPDX-License-Identifier: MIT
"""Real engines let strides come together, as many as the announced block leaves time for, and take what has come.

The program is tests/benchmark/soak.cpp: a stream without a plugin, which sees what the engine says of its steps.
"""

import re
import subprocess
from pathlib import Path

import pytest
import stemlane
from stemlane.plugin.places import engine_path

RATE = 44100
SECONDS = 4  # the program looks every 32 blocks


@pytest.mark.parametrize(
    "model,stride,block,together",
    [
        ("mix", 1024, 512, 3),
        ("mix", 1024, 2048, 2),
        ("mix", 1024, 4096, 4),  # none waits, and a block brings four
        ("live", 1024, 64, 1),
        ("tracking", 256, 64, 1),
    ],
)
def test_steps_take_as_many_strides_as_there_is_time_for(model, stride, block, together):
    """The median step does: one after which the machine was busy with other things may take more or fewer."""
    root = Path(__file__).parents[2]
    (soak,) = root.glob("build/cp*/tests/benchmark/soak")
    index = Path(stemlane.plugin_path()) / "Contents" / "Resources" / "models.index"
    command = [soak, engine_path(stemlane.plugin_path()), index, model, SECONDS, block]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=True)
    milliseconds = float(re.search(r"^steps: \d+, each for ([\d.]+) ms;", done.stdout, re.MULTILINE)[1])
    assert milliseconds == pytest.approx(1000 * together * stride / RATE, abs=0.06), done.stdout
