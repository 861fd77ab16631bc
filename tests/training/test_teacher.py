# SPDX-License-Identifier: MIT
"""What a teacher fills in: drums and basses that nobody knows, scored as the distance of two masks."""

import pytest
import torch

from models.training.network.configs import CONFIGS
from models.training.network.loss import WHOLE_FLOOR, SeparationLoss
from models.training.network.network import MaskNetwork
from models.training.network.spectral import NUM_GROUPS
from models.training.run.teacher import TAUGHT, Teacher

FRAMES, SCORED, DECODED = 14, slice(4, 12, 2), slice(5, 13, 2)  # a lookahead of one frame
LOOKAHEAD = {"lookahead_frames": 1}


@pytest.fixture
def batch():
    """A labelled excerpt and one of which only the vocals, silence, are known."""
    generator = torch.Generator().manual_seed(1)
    energy = 10.0 * torch.rand((FRAMES, 2, 2, NUM_GROUPS), generator=generator)
    cross = 0.3 * energy[:, :, 0]
    share = torch.softmax(torch.randn((4, 2, 4, 2, NUM_GROUPS), generator=generator), dim=2)
    share[:, 1] = torch.tensor([0.0, 0.0, 0.0, 1.0])[None, :, None, None]
    product = share * energy[SCORED].unsqueeze(2)
    return energy, cross, product, (share * product).sum(0), torch.tensor([[1.0] * 4, [1.0, 0.0, 0.0, 0.0]])


@pytest.fixture
def networks():
    torch.manual_seed(2)
    return MaskNetwork(CONFIGS["smoke"].network), MaskNetwork(CONFIGS["smoke"].network)


def test_a_taught_stem_costs_the_distance_of_the_masks(batch, networks):
    network, teacher = networks
    before = [part.clone() for part in batch]
    energy, _, *sums, known = Teacher(teacher, 0.5, **LOOKAHEAD).fill(batch, SCORED)
    assert all(torch.equal(part, kept) for part, kept in zip(batch, before, strict=True))
    assert known.tolist() == [[1.0] * 4, [1.0, 0.5, 0.5, 0.0]]
    masks, taught = (net(energy, batch[1], decoded=DECODED)[0].detach() for net in (network, teacher))
    heard, loss = energy[SCORED][:, 1], SeparationLoss()
    for stem in TAUGHT:
        only = torch.zeros(2, 4)
        only[1, stem] = 1.0
        _, share = loss(masks, energy[SCORED], *sums, only)
        expected = (heard * (masks[:, 1, stem] - taught[:, 1, stem]) ** 2).sum() / heard.sum()
        assert share[stem].item() == pytest.approx(expected.item(), rel=1e-3)
        same, _ = loss(taught, energy[SCORED], *sums, only)
        assert same.item() < 3.0 * WHOLE_FLOOR**0.5  # of a network that is its teacher, but for rounding


def test_what_is_known_stays_as_it_is(batch, networks):
    filled = Teacher(networks[1], 0.5, **LOOKAHEAD).fill(batch, SCORED)
    for part, kept in zip(filled[2:], batch[2:], strict=True):
        first = (slice(None), 0) if part.dim() == 5 else 0
        assert torch.equal(part[first], kept[first])
    labelled = (*batch[:4], torch.ones(2, 4))
    assert Teacher(networks[1], 0.5, **LOOKAHEAD).fill(labelled, SCORED) is labelled


def test_everywhere_it_takes_the_place_of_what_is_known(batch, networks):
    energy, _, product, stem_energy, known = Teacher(networks[1], 0.5, everywhere=True, **LOOKAHEAD).fill(batch, SCORED)
    assert known.tolist() == [[1.0, 0.5, 0.5, 1.0], [1.0, 0.5, 0.5, 0.0]]
    masks = networks[1](energy, batch[1], decoded=DECODED)[0].detach()[:, :, list(TAUGHT)]
    torch.testing.assert_close(product[:, :, list(TAUGHT)], masks * energy[SCORED].unsqueeze(2))
    torch.testing.assert_close(stem_energy[:, list(TAUGHT)], (masks**2 * energy[SCORED].unsqueeze(2)).sum(0))
    for part, kept, others in ((product, batch[2], (slice(None), 0, [0, 3])), (stem_energy, batch[3], (0, [0, 3]))):
        assert torch.equal(part[others], kept[others])


def test_a_teacher_of_the_split_keeps_the_sum_of_drums_and_bass(batch, networks):
    energy, _, product, _, known = Teacher(networks[1], 0.5, split=1.0, **LOOKAHEAD).fill(batch, SCORED)
    assert known.tolist() == [[1.0] * 4, [1.0, 0.5, 0.5, 0.0]]
    taught, before = product[:, 0][:, list(TAUGHT)], batch[2][:, 0][:, list(TAUGHT)]
    torch.testing.assert_close(taught.sum(1), before.sum(1), rtol=1e-5, atol=1e-5)
    masks = networks[1](energy, batch[1], decoded=DECODED)[0].detach()[:, 0][:, list(TAUGHT)]
    torch.testing.assert_close(taught[:, 0] * masks[:, 1], taught[:, 1] * masks[:, 0], rtol=1e-3, atol=1e-4)
    for stem in (0, 3):
        assert torch.equal(product[:, 0, stem], batch[2][:, 0, stem])
    half = Teacher(networks[1], 0.5, split=0.5, **LOOKAHEAD).fill(batch, SCORED)[2][:, 0][:, list(TAUGHT)]
    torch.testing.assert_close(half, 0.5 * (taught + before))


def test_labels_that_count_more_are_not_shared_anew(batch, networks):
    known = batch[4].clone()
    known[0, list(TAUGHT)] = 1.5
    energy, _, product, stem_energy, filled = Teacher(networks[1], 0.5, split=0.75, **LOOKAHEAD).fill(
        (*batch[:4], known), SCORED
    )
    assert filled.tolist() == [[1.0, 1.5, 1.5, 1.0], [1.0, 0.5, 0.5, 0.0]]
    torch.testing.assert_close(product[:, 0], batch[2][:, 0])
    heard = energy[SCORED][:, 0]
    for stem in TAUGHT:  # what the best mask of each group makes of them
        torch.testing.assert_close(
            stem_energy[0, stem], (batch[2][:, 0, stem] ** 2 / heard).sum(0), rtol=1e-4, atol=1e-5
        )
