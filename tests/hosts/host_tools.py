# SPDX-License-Identifier: MIT
"""Helpers for tests in hosts: signals, the engine processes of this process, streaming through pedalboard."""

import contextlib
import gc
import time
from pathlib import Path

import numpy as np
import pedalboard
import stemlane
from stemlane.plugin import presets


def noise(num_channels: int, num_samples: int, seed: int) -> np.ndarray:
    """Noise (channels, samples) of about -20 dB, float32."""
    generator = np.random.default_rng(seed)
    return (0.1 * generator.standard_normal((num_channels, num_samples))).astype(np.float32)


def engines() -> list[int]:
    """Process ids of the engines that this process has started."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text(encoding="ascii").split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended, before or while it is read
                name = (Path("/proc") / pid / "comm").read_text(encoding="utf-8")
                if name.startswith("stemlane-engin"):  # the system cuts names at 15 characters
                    found.append(int(pid))
    return found


def wait_for(condition, seconds: float = 60.0) -> None:
    """Return as soon as `condition()` holds; fail if it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)


def wait_until_ready(plugin) -> None:
    """Return when the engine has said that it runs: a thread of its own hears it, maybe after the first stems."""
    wait_for(lambda: stemlane.plugin_status(plugin).engine_state == "ready")


def wait_until_no_engine_is_left() -> None:
    """Return when all instances that nobody refers to, and their engines, are gone."""
    gc.collect()  # plugins that pedalboard has loaded refer to themselves through their parameters
    wait_for(lambda: not engines())


def set_model(plugin, name: str) -> None:
    """Give the plugin another model, as a host does that loads a state."""
    state = presets.read(plugin.preset_data)
    state.set("model", name)
    plugin.preset_data = presets.replaced(plugin.preset_data, state)


def bounce(plugin, mixture: np.ndarray, sample_rate: float, **options) -> np.ndarray:
    """Process as a DAW does, which hears what there is: without the errors that scripts get."""
    return pedalboard.VST3Plugin.process(plugin, mixture, sample_rate, **options)


def stream(plugin, chunks, sample_rate: float, *, block_samples: int = 512) -> np.ndarray:
    """Play chunks (channels, samples) one after the other as `bounce`, then silence until all of them have come out."""
    num_in = num_out = 0
    pieces = []
    silence = None
    for chunk in chunks:
        num_in += chunk.shape[1]
        pieces.append(bounce(plugin, chunk, sample_rate, buffer_size=block_samples, reset=False))
        num_out += pieces[-1].shape[1]
        silence = np.zeros((chunk.shape[0], block_samples), np.float32)
    while num_out < num_in:
        pieces.append(bounce(plugin, silence, sample_rate, buffer_size=block_samples, reset=False))
        num_out += pieces[-1].shape[1]
    return np.concatenate(pieces, axis=1)[:, :num_in]
