# SPDX-License-Identifier: MIT
"""The training loss: the amplitude of every known stem's error relative to the mixture, over all bins and per band.

The square root weighs quiet stems, follows the SDR and saturates gently; unlike a logarithm it stays finite where a
stem is absent, so that leaks count but do not dominate.
"""

from __future__ import annotations

import torch

from .spectral import NUM_BANDS, NUM_GROUPS, SECTIONS

BAND_WEIGHT = 0.3
# Shares of the mixture's energy below which an error no longer matters: -60 dB in all, -50 dB in a band.
WHOLE_FLOOR = 1e-6
BAND_FLOOR = 1e-5
# An excerpt quieter than this is silence: the sum of |X|^2 over its scored frames, as -95 dB re full scale in one bin
# of one frame.
SILENCE = 1e-2


class GroupError(torch.autograd.Function):
    """Sum over frames and channels of m^2 P - 2 m C; the gradient is 2 (m P - C)."""

    @staticmethod
    def forward(ctx, masks, energy, product):
        """Errors (batch, stems, groups).

        masks, product : (frames, batch, stems, 2, groups); energy : (frames, batch, 2, groups)
        """
        residual = masks * energy.unsqueeze(2)
        residual -= product
        ctx.save_for_backward(residual)
        value = residual - product
        value *= masks
        return value.sum(dim=(0, 3))

    @staticmethod
    def backward(ctx, gradient):
        """The gradient of the masks."""
        (residual,) = ctx.saved_tensors
        return residual * (2.0 * gradient).unsqueeze(2).unsqueeze(0), None, None


def band_matrix() -> torch.Tensor:
    """(groups, bands) of zeros and ones: which group lies in which band."""
    matrix, group, band = torch.zeros(NUM_GROUPS, NUM_BANDS), 0, 0
    for count, size, _ in SECTIONS:
        for _ in range(count):
            matrix[group : group + size, band] = 1.0
            group, band = group + size, band + 1
    return matrix


class SeparationLoss:
    """Mean over excerpts and stems of sqrt(error / mixture); unknown stems and silent excerpts count nothing."""

    def __init__(self):
        self.bands = band_matrix()

    def __call__(
        self,
        masks: torch.Tensor,
        energy: torch.Tensor,
        product: torch.Tensor,
        stem_energy: torch.Tensor,
        known: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss, and per stem the mean error relative to the mixture (linear, for the log; nan where none is known).

        Parameters
        ----------
        masks, product : tensor (frames, batch, stems, 2, groups)
        energy : tensor (frames, batch, 2, groups)
        stem_energy : tensor (batch, stems, 2, groups), summed over the same frames
        known : tensor (batch, stems), what each counts: 0 where it is unknown, 1 where it is known
        """
        self.bands = self.bands.to(masks.device)
        error = GroupError.apply(masks, energy, product) + stem_energy.sum(2)  # (batch, stems, groups)
        mixture = energy.sum(dim=(0, 2))  # (batch, groups)
        total = mixture.sum(-1, keepdim=True)
        counted = known * (total > SILENCE)
        whole = error.sum(-1).clamp_min(0.0) / (total + SILENCE)
        # A band that holds little of the excerpt's energy matters little: -30 dB of the mean band.
        floor = (1e-3 * total.unsqueeze(1) + SILENCE) / NUM_BANDS
        in_band = (error @ self.bands).clamp_min(0.0) / ((mixture @ self.bands).unsqueeze(1) + floor)
        value = torch.sqrt(whole + WHOLE_FLOOR) + BAND_WEIGHT * torch.sqrt(in_band + BAND_FLOOR).mean(-1)
        loss = (counted * value).sum() / known.numel()
        return loss, (counted * whole.detach()).sum(0) / counted.sum(0)
