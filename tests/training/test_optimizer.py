# SPDX-License-Identifier: MIT
"""Muon: updates near the polar factor of the momentum, as large as AdamW's, gate by gate; vectors stay AdamW's."""

import argparse

import pytest
import torch

from models.training.network.network import MaskNetwork, NetworkConfig
from models.training.network.optimizer import Muon, matrix_stack, orthogonalize
from models.training.run.trainer import make_optimizers


@pytest.mark.parametrize("shape", [(3, 24, 60), (2, 60, 24), (1, 32, 32)])
def test_updates_are_nearly_orthogonal(shape):
    """All but the smallest singular values come near 1; their directions stay those of the decomposition."""
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found = orthogonalize(matrices).float()
    assert found.shape == matrices.shape
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    gains = torch.einsum("nik,nij,nkj->nk", left, found, right)
    assert gains[values > 0.1 * values[:, :1]].min() > 0.6
    assert gains.max() < 1.3
    off = found - left @ torch.diag_embed(gains) @ right
    assert off.abs().max() < 0.03  # bfloat16


def test_gates_are_matrices_of_their_own():
    assert matrix_stack("layers.0.band_lstm.weight_ih_l0", torch.zeros(192, 48)) == (4, 48, 48)
    assert matrix_stack("layers.0.squeeze.weight", torch.zeros(12, 48)) == (1, 12, 48)
    assert matrix_stack("decoder.first", torch.zeros(36, 48, 64)) == (36, 48, 64)


@pytest.mark.parametrize("shape", [(40, 100), (100, 40), (64, 64)])
def test_updates_are_as_large_as_those_of_adamw(shape):
    """Root mean square 0.2 of the learning rate, whatever the gradient's size; weight decay is apart."""
    generator = torch.Generator().manual_seed(2)
    for size in (1e-3, 1e3):
        parameter = torch.nn.Parameter(torch.ones(shape))
        optimizer = Muon([("weight", parameter)], lr=0.01, weight_decay=0.5)
        parameter.grad = size * torch.randn(shape, generator=generator)
        optimizer.step()
        update = parameter.detach() - (1.0 - 0.01 * 0.5)
        assert 0.15 * 0.01 < float(update.square().mean().sqrt()) < 0.23 * 0.01


def test_each_parameter_has_one_optimizer():
    network = MaskNetwork(NetworkConfig(width=16, num_layers=1, squeeze=4, bottleneck=24, decoder=24))
    for muon in (True, False):
        options = argparse.Namespace(muon=muon, learning_rate=1e-3, weight_decay=0.0)
        found = [parameter for one in make_optimizers(network, options) for parameter in one.param_groups[0]["params"]]
        assert sorted(map(id, found)) == sorted(map(id, network.parameters()))
    matrices = make_optimizers(network, argparse.Namespace(muon=True, learning_rate=1e-3, weight_decay=0.0))[1]
    assert all(parameter.dim() >= 2 for parameter in matrices.param_groups[0]["params"])
