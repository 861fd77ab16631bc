# SPDX-License-Identifier: MIT
"""A frozen network that says what drums and bass are in music without stems, so that a training doesn't forget them.

Partial labels know the vocals of real music and nothing else. A network trained on them drifts away from the drums and
basses that it could tell before; in these excerpts it is held to the teacher's masks for them. Other is left free:
what leaves the vocals belongs there.
"""

from __future__ import annotations

import torch

from models.training.data.pool import STEMS
from models.training.network.network import MaskNetwork

TAUGHT = (STEMS.index("drums"), STEMS.index("bass"))


class Teacher:
    """Fills in the unknown drums and basses of a batch.

    Parameters
    ----------
    network : MaskNetwork
        Sees the same frames as the network in training, and is frozen here.
    weight : float
        What a taught stem counts in the loss; one whose stem is known counts 1.
    everywhere : bool
        Teach in labelled excerpts, too, in place of what is known: drums and basses then stay as they are, and a small
        pool's cannot be learned by heart.
    """

    def __init__(self, network: MaskNetwork, weight: float, everywhere: bool = False):
        self.network = network.eval().requires_grad_(False)
        self.weight = weight
        self.everywhere = everywhere

    @torch.no_grad()
    def fill(self, batch: tuple[torch.Tensor, ...], scored: slice, decoded: slice) -> tuple[torch.Tensor, ...]:
        """The same batch (`data.batches.Batch.parts`) with the teacher's estimates for stems that are unknown.

        Parameters
        ----------
        batch : tuple of tensors
            Left as it is: its mirror image is made later.
        scored, decoded : slice
            The frames of the batch that are scored, and those whose masks belong to them.
        """
        energy, cross, product, stem_energy, known = batch
        unknown = known[:, list(TAUGHT)].sum(1) == 0
        excerpts = torch.nonzero(unknown | self.everywhere).flatten()
        if not len(excerpts):
            return batch
        masks = self.network(energy[:, excerpts], cross[:, excerpts], decoded=decoded)[0].float()
        product, stem_energy, known = product.clone(), stem_energy.clone(), known.clone()
        for stem in TAUGHT:
            mask = masks[:, :, stem]
            estimate = mask * energy[scored][:, excerpts]  # Re(S X*) of S = mask X
            product[:, excerpts, stem] = estimate
            stem_energy[excerpts, stem] = (mask * estimate).sum(0)
            known[excerpts, stem] = self.weight
        return energy, cross, product, stem_energy, known
