# SPDX-License-Identifier: MIT
"""The training loss: log mean-square error per stem, over the whole spectrum and per band.

The logarithm makes it the negative SDR up to a constant, so every stem counts alike however quiet.
"""

from __future__ import annotations

import torch

from .spectral import NUM_BANDS, NUM_GROUPS, SECTIONS

# Errors below these shares of the mixture's energy are not worth reducing: -35 dB overall, -30 dB in a band.
FLOOR = 3e-4
BAND_FLOOR = 1e-3
BAND_WEIGHT = 0.25


class GroupError(torch.autograd.Function):
    """Sum over frames and channels of m^2 P - 2 m C; the gradient is 2 (m P - C)."""

    @staticmethod
    def forward(ctx, masks, energy, product):
        """masks, product (frames, batch, stems, 2, groups), energy (frames, batch, 2, groups) -> (batch, stems, groups)."""
        residual = masks * energy.unsqueeze(2)
        residual -= product
        ctx.save_for_backward(residual)
        value = residual - product
        value *= masks
        return value.sum(dim=(0, 3))

    @staticmethod
    def backward(ctx, gradient):
        (residual,) = ctx.saved_tensors
        return residual * (2.0 * gradient).unsqueeze(2).unsqueeze(0), None, None


def band_matrix() -> torch.Tensor:
    """(groups, bands) of zeros and ones: which group lies in which band."""
    matrix, group, band = torch.zeros(NUM_GROUPS, NUM_BANDS), 0, 0
    for count, size, _ in SECTIONS:
        for _ in range(count):
            matrix[group:group + size, band] = 1.0
            group, band = group + size, band + 1
    return matrix


def separation_loss(masks: torch.Tensor, energy: torch.Tensor, product: torch.Tensor, stem_energy: torch.Tensor,
                    bands: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and the error-to-mixture ratio in dB per stem (for the log).

    Parameters
    ----------
    masks, product : tensor (frames, batch, stems, 2, groups)
    energy : tensor (frames, batch, 2, groups)
    stem_energy : tensor (batch, stems, 2, groups), summed over the same frames
    bands : tensor (groups, bands) from `band_matrix`
    """
    error = GroupError.apply(masks, energy, product) + stem_energy.sum(2)  # (batch, stems, groups)
    mixture = energy.sum(dim=(0, 2))  # (batch, groups)
    total = error.sum(-1).clamp_min(0.0)
    total_mixture = mixture.sum(-1, keepdim=True) + 1e-3
    whole = torch.log(total / total_mixture + FLOOR)
    in_band = (error @ bands).clamp_min(0.0)
    band_mixture = (mixture @ bands).unsqueeze(1) + 1e-4 * total_mixture.unsqueeze(1) + 1e-3
    per_band = torch.log(in_band / band_mixture + BAND_FLOOR)
    loss = whole.mean() + BAND_WEIGHT * per_band.mean()
    return loss, 10.0 / 2.302585 * whole.detach().mean(0)
