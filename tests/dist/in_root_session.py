# SPDX-License-Identifier: MIT
"""A session that plays on while the plugin is upgraded; runs inside a bare system.

Each line on standard input has it play another second; it answers `separated` or `mixture` for that second. The line
`kill` kills its engine before. It ends with its input.
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pedalboard


def engines():
    """Process ids of the engines that this process has started."""
    children = [pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()]
    return [pid for pid in children if Path(f"/proc/{pid}/comm").read_text().startswith("stemlane-engin")]


plugin = pedalboard.load_plugin(sys.argv[1])
plugin.vocals_mute = True
generator = np.random.default_rng(6)
# Played with the reset of each bounce: what comes back is as long as what goes in.
for line in sys.stdin:
    if line.strip() == "kill":
        for pid in engines():
            os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.5)
    mixture = (0.1 * generator.standard_normal((2, 44100))).astype(np.float32)
    bounce = plugin.process(mixture, 44100.0)
    print("mixture" if np.array_equal(bounce, mixture) else "separated", flush=True)
