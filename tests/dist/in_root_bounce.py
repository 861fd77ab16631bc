# SPDX-License-Identifier: MIT
"""Bounces two seconds through the plugin whose path is given, without vocals; runs inside a bare system.

Prints `separated` or `mixture`, the sum of the bounce, and what the engine has mapped from outside of the bundle.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pedalboard


def engines():
    """Process ids of the engines that this process has started."""
    children = [pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()]
    return [pid for pid in children if Path(f"/proc/{pid}/comm").read_text().startswith("stemlane-engin")]


bundle = sys.argv[1]
plugin = pedalboard.load_plugin(bundle)
plugin.vocals_mute = True
time = np.arange(88200) / 44100.0
tone = 0.2 * np.sin(2 * np.pi * 220 * time) * (1 + np.sin(2 * np.pi * 3 * time))
noise = 0.05 * np.random.default_rng(5).standard_normal((2, 88200))
mixture = (tone + noise).astype(np.float32)
bounce = plugin.process(mixture, 44100.0)
assert bounce.shape == mixture.shape and np.isfinite(bounce).all()
print("mixture" if np.array_equal(bounce, mixture) else "separated")
print(hashlib.sha256(bounce.tobytes()).hexdigest())
mapped = set()
for pid in engines():
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if ".so" in line or "/bin/" in line:
            mapped.add(line.split(maxsplit=5)[5])
assert any("onnxruntime" in path for path in mapped)
print(*sorted(path for path in mapped if not path.startswith(bundle)))
