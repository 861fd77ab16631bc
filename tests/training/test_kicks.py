# SPDX-License-Identifier: MIT
"""Where electronic kicks go: the figures are those of the formulas, and nothing of the measure is trained on."""

import numpy as np
import pytest
import torch

from models.training.data import modules, staccato
from models.training.data.pool import PoolError
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
    assert found.bass_in_drums == pytest.approx(0.7, abs=1e-3)
    # Of two equally loud stems m of the mixture errs by (1 - m)^2 + m^2.
    expected = [-np.log10(0.3**2 + 0.7**2), -np.log10(0.8**2 + 0.2**2)]
    assert found.score == pytest.approx(expected, abs=0.005)


def test_what_an_excerpt_lacks_has_no_figure():
    stems = np.zeros((4, 2, 3 * 44100), np.float32)
    stems[1] = 0.1 * np.random.default_rng(5).standard_normal(stems[1].shape)
    found = kicks.measure_kicks(Fixed(0.0, 0.7, 0.2, 0.1), CONFIGS["live"], stems, ([0.0] * 4, [10.0] * 4))
    assert found.drums_in_bass == pytest.approx(0.2, abs=1e-3) and np.isnan(found.bass_in_drums)
    assert np.isfinite(found.score[0]) and np.isnan(found.score[1])


def test_every_excerpt_is_kept_at_one_level_and_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path))
    noise = np.random.default_rng(4).standard_normal((2, 44100)).astype(np.float32)
    made = []
    monkeypatch.setattr(
        kicks,
        "_made",
        lambda half: made.append(half) or {"one": {"drums": noise, "bass": 0.5 * noise, "other": 0.0 * noise}},
    )
    for half in "AABB":
        [stems] = kicks.excerpts(half).values()
    assert made == ["A", "B"]
    assert 10 * np.log10((stems.sum(0) ** 2).mean()) == pytest.approx(kicks.LEVEL_DB, abs=0.01)
    assert not stems[0].any() and stems[2] == pytest.approx(0.5 * stems[1]) and not stems[3].any()


def test_the_modules_of_the_measure_go_to_no_pool():
    assert {package for package, _ in kicks.MODULES} == set(modules.KICKS) <= set(modules.PACKAGES)


def test_no_excerpt_of_short_basses_is_in_both_halves_or_in_a_pool():
    a, b = (set(kicks.STACCATO_SEEDS[half]) for half in "AB")
    assert a and b and not a & b and a | b == set(staccato.MEASURED)
    with pytest.raises(PoolError, match="seed 9003 belongs to panel.kicks"):
        staccato._render_to_pool(("song", 9003, 1.0))
