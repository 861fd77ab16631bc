# SPDX-License-Identifier: MIT
"""A frozen network that says what drums and bass are in music without stems, so that a training doesn't forget them.

Partial labels know the vocals of real music and nothing else. A network trained on them drifts away from the drums and
basses that it could tell before; in these excerpts it is held to the teacher's masks for them. Other is left free:
what leaves the vocals belongs there.

In labelled excerpts it may say how what is drums or bass is shared among the two (`split`). Which of both a boom is, a
small pool teaches badly; what is neither, a guitar in the bass's range, the labels say better than any teacher.
"""

from __future__ import annotations

import torch

from models.training.data.pool import STEMS
from models.training.network.network import MaskNetwork

TAUGHT = (STEMS.index("drums"), STEMS.index("bass"))


def later(frames: slice, lookahead_frames: int) -> slice:
    """The frames at which a network with this lookahead makes the masks of `frames`."""
    return slice(frames.start + lookahead_frames, frames.stop + lookahead_frames, frames.step)


class Teacher:
    """Fills in the unknown drums and basses of a batch.

    Parameters
    ----------
    network : MaskNetwork
        Sees the same frames as the network in training, and is frozen here. It may look further ahead.
    weight : float
        What a taught stem counts in the loss; one whose stem is known counts 1.
    everywhere : bool
        Teach in labelled excerpts, too, in place of what is known: drums and basses then stay as they are, and a small
        pool's cannot be learned by heart.
    split : float
        In labelled excerpts that are not taught: what the teacher counts, 0 to 1, in how the sum of drums and bass is
        shared among them. The sum itself stays as it is known, and excerpts whose labels count more than 1 stay as
        they are: there it is the teacher that errs.
    lookahead_frames : int
        Its mask of frame t is made when frame t + lookahead is known.
    """

    def __init__(
        self,
        network: MaskNetwork,
        weight: float,
        everywhere: bool = False,
        split: float = 0.0,
        *,
        lookahead_frames: int,
    ):
        self.network = network.eval().requires_grad_(False)
        self.weight = weight
        self.everywhere = everywhere
        self.split = split
        self.lookahead_frames = lookahead_frames

    @torch.no_grad()
    def fill(self, batch: tuple[torch.Tensor, ...], scored: slice) -> tuple[torch.Tensor, ...]:
        """The same batch (`data.batches.Batch.parts`) with the teacher's estimates for stems that are unknown.

        Parameters
        ----------
        batch : tuple of tensors
            Left as it is: its mirror image is made later.
        scored : slice
            The frames of the batch that are scored; as many as its lookahead come after them.
        """
        energy, cross, product, stem_energy, known = batch
        labelled = known[:, list(TAUGHT)].sum(1) > 0
        excerpts = torch.arange(len(known), device=known.device)
        if not (self.everywhere or self.split):
            excerpts = excerpts[~labelled]
        if not len(excerpts):
            return batch
        decoded = later(scored, self.lookahead_frames)
        masks = self.network(energy[:, excerpts], cross[:, excerpts], decoded=decoded)[0][:, :, list(TAUGHT)].float()
        heard = energy[scored][:, excerpts].unsqueeze(2)
        targets, weight = masks * heard, torch.full_like(known[excerpts, 0], self.weight)  # Re(S X*) of S = mask X
        if not self.everywhere:
            keep = labelled[excerpts]
            counts = known[excerpts[keep]][:, list(TAUGHT)].amax(1)
            split = torch.where(counts > 1.0, 0.0, self.split).view(1, -1, 1, 1, 1)
            truth = product[:, excerpts[keep]][:, :, list(TAUGHT)]
            shares = masks[:, keep] / masks[:, keep].sum(2, keepdim=True).clamp_min(1e-6)
            targets[:, keep] = torch.lerp(truth, shares * truth.sum(2, keepdim=True), split)
            weight[keep] = counts
        product, stem_energy, known = product.clone(), stem_energy.clone(), known.clone()
        for index, stem in enumerate(TAUGHT):
            target = targets[:, :, index]
            product[:, excerpts, stem] = target
            # Of the stem that a mask makes exactly: the loss is the distance of two masks.
            stem_energy[excerpts, stem] = (target**2 / (heard[:, :, 0] + 1e-9)).sum(0)
            known[excerpts, stem] = weight
        return energy, cross, product, stem_energy, known
