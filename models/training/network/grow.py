# SPDX-License-Identifier: MIT
"""Grows a trained network without changing what it does: twice the width, more layers, attention across bands.

Run as `python -m models.training.network.grow small.pt large.pt --config mix --to studio`. Widening is Net2Net's
(Chen, Goodfellow & Shlens, 2016): every channel twice, what reads it halved; new layers and attention
add nothing at first.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .configs import CONFIGS
from .network import MaskNetwork, NetworkConfig


def widened(state: dict[str, torch.Tensor], spread: float, seed: int) -> dict[str, torch.Tensor]:
    """Weights of twice the width.

    What reads a pair of channels reads it in shares of 1/2 ± `spread` at random, so that the two can part in training.
    """
    generator = torch.Generator().manual_seed(seed)

    def read(weight: torch.Tensor, dim: int) -> torch.Tensor:
        share = 0.5 + spread * (2.0 * torch.rand(weight.shape, generator=generator) - 1.0)
        return torch.cat([weight * share, weight * (1.0 - share)], dim=dim)

    def gates(weight: torch.Tensor) -> torch.Tensor:  # of an LSTM: four stacked, each doubled
        return torch.cat([torch.cat([gate, gate]) for gate in weight.chunk(4)])

    result = {}
    for name, value in state.items():
        if name.startswith("encoder.weights") or name == "encoder.bias":
            value = torch.cat([value, value], dim=-1)
        elif "norm." in name:
            value = torch.cat([value, value])
        elif "band_lstm.weight" in name:
            value = gates(read(value, 1))
        elif "band_lstm.bias" in name:
            value = gates(value)
        elif name.endswith("band_out.weight"):
            wide = read(value, 1)
            value = torch.cat([wide, wide])
        elif name.endswith(("band_out.bias", "expand.weight", "expand.bias")):
            value = torch.cat([value, value])
        elif name.endswith("squeeze.weight") or name == "decoder.first":
            value = read(value, 1)
        result[name] = value
    return result


def grow(
    state: dict[str, torch.Tensor], small: NetworkConfig, large: NetworkConfig, *, spread: float = 0.1, seed: int = 1
) -> dict[str, torch.Tensor]:
    """State dict of a `large` network that does what the `small` one of `state` does.

    Raises
    ------
    ValueError
        Unless the width is the same or twice as large, no layer is lost, there is no attention yet, and all else
        is equal.
    """
    same = (small.squeeze, small.bottleneck, small.decoder) == (large.squeeze, large.bottleneck, large.decoder)
    if (
        large.width not in (small.width, 2 * small.width)
        or large.num_layers < small.num_layers
        or small.attention
        or not same
    ):
        raise ValueError(f"{small} does not grow into {large}: twice the width, more layers and attention only")
    if large.width == 2 * small.width:
        state = widened(state, spread, seed)
    torch.manual_seed(seed)
    network = MaskNetwork(large)
    with torch.no_grad():
        for layer in network.layers[small.num_layers :]:
            for linear in (layer.band_out, layer.expand):
                linear.weight.zero_()
                linear.bias.zero_()
    return network.state_dict() | state


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--config", choices=sorted(CONFIGS), default="mix")
    parser.add_argument("--to", choices=sorted(CONFIGS), default="studio")
    options = parser.parse_args(arguments)
    content = torch.load(options.weights, map_location="cpu", weights_only=True)
    state = {name: value.float() for name, value in content.get("average", content).items()}
    torch.save(grow(state, CONFIGS[options.config].network, CONFIGS[options.to].network), options.target)


if __name__ == "__main__":
    main()
