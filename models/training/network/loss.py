# SPDX-License-Identifier: MIT
"""The training loss: mean-square error per stem relative to its running mean, over the whole spectrum and per band.

It weighs every stem alike however quiet, follows the SDR, and saturates gently for unusually hard excerpts.
"""

from __future__ import annotations

import torch

from .spectral import NUM_BANDS, NUM_GROUPS, SECTIONS

BAND_WEIGHT = 0.3
RUNNING_DECAY = 0.98


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


class SeparationLoss:
    """Mean over excerpts of log(error / mixture + running mean of error / mixture), per stem.

    A fixed small floor instead of the running mean makes excerpts in which a stem is absent dominate: there
    every leak counts as many decibels, and the network learns to give up that stem (see LOG.md).
    """

    def __init__(self):
        self.bands = band_matrix()
        self.running: list[torch.Tensor] | None = None

    def __call__(self, masks: torch.Tensor, energy: torch.Tensor, product: torch.Tensor,
                 stem_energy: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss, and the error of each stem relative to the mixture (mean over the batch, linear, for the log).

        Parameters
        ----------
        masks, product : tensor (frames, batch, stems, 2, groups)
        energy : tensor (frames, batch, 2, groups)
        stem_energy : tensor (batch, stems, 2, groups), summed over the same frames
        """
        self.bands = self.bands.to(masks.device)
        error = GroupError.apply(masks, energy, product) + stem_energy.sum(2)  # (batch, stems, groups)
        mixture = energy.sum(dim=(0, 2))  # (batch, groups)
        total_mixture = mixture.sum(-1, keepdim=True) + 1e-3
        whole = error.sum(-1).clamp_min(0.0) / total_mixture
        # A band that holds little of the excerpt's energy matters little: -30 dB of the mean band.
        floor = 1e-3 * total_mixture.unsqueeze(1) / NUM_BANDS
        in_band = (error @ self.bands).clamp_min(0.0) / ((mixture @ self.bands).unsqueeze(1) + floor)
        means = [whole.detach().mean(0), in_band.detach().mean(0)]
        if self.running is None:
            self.running = means
        else:
            self.running = [old.lerp(new, 1.0 - RUNNING_DECAY) for old, new in zip(self.running, means)]
        loss = torch.log(whole + self.running[0] + 1e-5).mean()
        loss = loss + BAND_WEIGHT * torch.log(in_band + self.running[1] + 1e-4).mean()
        return loss, means[0]
