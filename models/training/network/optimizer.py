# SPDX-License-Identifier: MIT
"""Muon: momentum whose update of every weight matrix is made orthogonal, beside AdamW for all vectors."""

from __future__ import annotations

import torch
from torch import nn

# Quintic Newton-Schulz iteration towards the nearest (semi-)orthogonal matrix, its coefficients as in
# Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalize(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Matrices (n, rows, columns) with their singular values brought near 1; bfloat16 on a GPU, float32 on a CPU.

    Few CPUs compute in bfloat16: where they do not, it takes longer than the rest of the update.
    """
    x = matrices.bfloat16() if matrices.is_cuda else matrices.float()
    wide = x.shape[-1] >= x.shape[-2]
    if not wide:
        x = x.transpose(-2, -1)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.transpose(-2, -1)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x if wide else x.transpose(-2, -1)


def matrix_stack(name: str, parameter: torch.Tensor) -> torch.Size:
    """The shape (n, rows, columns) under which a parameter is a stack of matrices; an LSTM's are its four gates."""
    if parameter.dim() == 3:
        return parameter.shape
    gates = 4 if "lstm.weight" in name else 1
    return torch.Size((gates, parameter.shape[0] // gates, parameter.shape[1]))


class Muon(torch.optim.Optimizer):
    """Updates are scaled to the size of AdamW's, so both take the same learning rate.

    The scale 0.2 sqrt(max(rows, columns)) is from Liu et al., "Muon is scalable for LLM training", 2025.

    Parameters
    ----------
    named : list of (name, parameter), matrices only
    lr, momentum, weight_decay : float
    """

    def __init__(
        self, named: list[tuple[str, nn.Parameter]], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ):
        self.shapes = [matrix_stack(name, parameter) for name, parameter in named]
        super().__init__(
            [parameter for _, parameter in named], {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(self, closure=None):  # noqa: ARG002 -- every optimizer of torch takes one
        """One update from the parameters' gradients."""
        group = self.param_groups[0]
        together: dict[tuple[int, int], list[tuple[nn.Parameter, torch.Tensor]]] = {}
        for parameter, shape in zip(group["params"], self.shapes, strict=True):
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            momentum = state["momentum"].lerp_(parameter.grad, 1.0 - group["momentum"])
            direction = parameter.grad.lerp(momentum, group["momentum"])  # Nesterov
            together.setdefault(tuple(shape[-2:]), []).append((parameter, direction.reshape(shape)))
        for (rows, columns), pairs in together.items():  # all matrices of a size at once: a GPU waits for every launch
            updates = orthogonalize(torch.cat([direction for _, direction in pairs])).split([len(d) for _, d in pairs])
            for (parameter, _), update in zip(pairs, updates, strict=True):
                parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
                parameter.add_(
                    update.reshape(parameter.shape).to(parameter.dtype),
                    alpha=-0.2 * max(rows, columns) ** 0.5 * group["lr"],
                )
