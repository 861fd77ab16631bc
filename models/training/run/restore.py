# SPDX-License-Identifier: MIT
"""Turns a committed ONNX graph back into a state dict to continue training from.

Run as `python -m models.training.run.restore models/mix/network.onnx weights.pt`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from models.training.network.configs import CONFIGS, ModelConfig
from models.training.network.network import MaskNetwork, StreamingSeparator

from .export import write_graph


def _initialisers(path: Path) -> dict[str, np.ndarray]:
    """Float constants of a graph by name, without the mark of those stored in half precision."""
    tensors = {
        tensor.name.removesuffix("_half"): numpy_helper.to_array(tensor)
        for tensor in onnx.load(str(path)).graph.initializer
    }
    return {name: values for name, values in tensors.items() if values.dtype in (np.float16, np.float32)}


def restore(path: Path, config: ModelConfig) -> dict[str, torch.Tensor]:
    """State dict of the network in the graph at `path`.

    The exporter transposes, reorders and renames weights. So a network whose weights are their own
    serial numbers (exact in float32 below 2^24) is exported, and its graph tells where each one went.

    Raises
    ------
    ValueError
        If the graph was not made from a network of this configuration.
    """
    network = MaskNetwork(config.network)
    serial, places = 1, {}
    with torch.no_grad():
        for name, value in network.named_parameters():
            places[name] = serial
            value.copy_(torch.arange(serial, serial + value.numel(), dtype=torch.float32).reshape(value.shape))
            serial += value.numel()
    separator = StreamingSeparator(network, num_bins=config.stft.num_bins, lookahead_frames=config.lookahead_frames)
    with tempfile.TemporaryDirectory() as folder:
        write_graph(separator, config, Path(folder) / "serial.onnx")
        serials = _initialisers(Path(folder) / "serial.onnx")
    values = _initialisers(path)
    flat = np.full(serial, np.nan, np.float32)
    for name, numbers in serials.items():
        if numbers.size and numbers.min() >= 1 and np.array_equal(numbers, np.round(numbers)) and name in values:
            found = values[name]
            if found.ndim == 4:  # a row at a time, see frames.py
                found = found[:, 0]
            if found.shape != numbers.shape:
                raise ValueError(f"{path}: {name} has shape {found.shape}, expected {numbers.shape}")
            flat[numbers.astype(np.int64)] = found
    if np.isnan(flat[1:]).any():
        raise ValueError(f"{path}: {int(np.isnan(flat[1:]).sum())} weights of {serial - 1} not found")
    return {
        name: torch.from_numpy(flat[places[name] : places[name] + value.numel()].reshape(value.shape).copy())
        for name, value in network.named_parameters()
    }


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graph", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--config", choices=sorted(CONFIGS), default=None, help="default: the folder's name")
    options = parser.parse_args(arguments)
    config = CONFIGS[options.config or options.graph.resolve().parent.name]
    torch.save(restore(options.graph, config), options.weights)


if __name__ == "__main__":
    main()
