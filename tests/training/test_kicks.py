# SPDX-License-Identifier: MIT
"""Where electronic kicks go: the figures are those of the formulas, and nothing of the measure is trained on."""

import numpy as np
import pytest
import torch

from models.training.data import modules
from models.training.network.configs import CONFIGS
from models.training.network.network import NUM_STEMS
from models.training.panel import kicks


class Fixed(torch.nn.Module):
    """The same masks everywhere: of vocals, drums, bass and other."""

    def __init__(self, *masks):
        super().__init__()
        self.masks = torch.tensor(masks)
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def forward(self, energy, cross, states=None):
        shape = (*energy.shape[:2], NUM_STEMS, 2, energy.shape[-1])
        return self.masks[:, None, None].expand(shape).clone(), states


def test_shares_and_scores_are_those_of_the_masks():
    stems = 0.1 * np.random.default_rng(3).standard_normal((4, 2, 6 * 44100)).astype(np.float32)
    stems[0] = stems[3] = 0.0
    found = kicks.measure_kicks(Fixed(0.0, 0.7, 0.2, 0.1), CONFIGS["live"], stems, ([0.0] * 4, [10.0] * 4))
    assert found.drums_in_bass == pytest.approx(0.2, abs=1e-3)
    # Of two equally loud stems m of the mixture errs by (1 - m)^2 + m^2.
    expected = [-np.log10(0.3**2 + 0.7**2), -np.log10(0.8**2 + 0.2**2)]
    assert found.score == pytest.approx(expected, abs=0.005)


def test_every_excerpt_is_kept_at_one_level_and_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path))
    noise = np.random.default_rng(4).standard_normal((2, 44100)).astype(np.float32)
    made = []
    monkeypatch.setattr(
        kicks, "_made", lambda: made.append(1) or {"one": {"drums": noise, "bass": 0.5 * noise, "other": 0.0 * noise}}
    )
    for _ in range(2):
        [stems] = kicks.excerpts().values()
    assert len(made) == 1
    assert 10 * np.log10((stems.sum(0) ** 2).mean()) == pytest.approx(kicks.LEVEL_DB, abs=0.01)
    assert not stems[0].any() and stems[2] == pytest.approx(0.5 * stems[1]) and not stems[3].any()


def test_the_modules_of_the_measure_go_to_no_pool():
    assert {package for package, _ in kicks.MODULES} == set(modules.KICKS) <= set(modules.PACKAGES)
