# SPDX-License-Identifier: MIT
"""The network: streamed as trained, masks that share the mixture, an exact loss, a graph that agrees."""

import tomllib
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from models.training.network.configs import CONFIGS
from models.training.network.grow import grow
from models.training.network.loss import GroupError, SeparationLoss, band_matrix
from models.training.network.network import BandAttention, MaskNetwork, StreamingSeparator
from models.training.network.spectral import NUM_BANDS, NUM_GROUPS, group_of_bin, istft, stft
from models.training.panel.evaluate import separate
from models.training.run import export as exporter
from models.training.run import frames
from models.training.run.lighten import lighten
from models.training.run.restore import restore
from models.training.run.rework import rework

CONFIG = CONFIGS["smoke"]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return MaskNetwork(CONFIG.network).eval()


def noise(*shape, seed=4):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@torch.no_grad()
def test_streamed_in_pieces_equals_at_once(network):
    energy = torch.from_numpy(noise(12, 2, 2, NUM_GROUPS)) ** 2
    cross = torch.from_numpy(noise(12, 2, NUM_GROUPS, seed=5)) * 0.1
    whole, _ = network(energy, cross)
    states, parts = None, []
    for start, stop in ((0, 1), (1, 5), (5, 12)):
        part, states = network(energy[start:stop], cross[start:stop], states)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=0)  # float32 in another order
    torch.testing.assert_close(whole.sum(2), torch.ones_like(whole[:, :, 0]), atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_streaming_separator_equals_the_offline_one(network):
    mixture = 0.1 * noise(2, 12 * CONFIG.stft.hop_samples)
    expected = separate(network, mixture, CONFIG.stft, CONFIG.lookahead_frames)
    separator = StreamingSeparator(network, num_bins=CONFIG.stft.num_bins, lookahead_frames=CONFIG.lookahead_frames)
    states, frames = separator.initial_states(), []
    spectra = stft(mixture, CONFIG.stft)
    for index in range(spectra.shape[1]):
        frame = spectra[:, index : index + 1]
        packed = torch.from_numpy(np.stack([frame.real, frame.imag], axis=1)[None])
        stems, *states = separator(packed, *states)
        frames.append(stems.numpy()[0, :, :, 0] + 1j * stems.numpy()[0, :, :, 1])
    streamed = istft(np.concatenate(frames, axis=2).astype(np.complex64), CONFIG.stft)
    delay = CONFIG.lookahead_frames * CONFIG.stft.hop_samples
    final = mixture.shape[1] - (CONFIG.stft.synthesis_samples - CONFIG.stft.hop_samples) - delay
    np.testing.assert_allclose(streamed[:, :, delay : delay + final], expected[:3, :, :final], atol=1e-5)  # float32
    np.testing.assert_allclose(expected.sum(0), mixture, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize(
    "large",
    [
        replace(CONFIG.network, width=32),
        replace(CONFIG.network, num_layers=3),
        replace(CONFIG.network, width=32, num_layers=2, attention=8),
    ],
    ids=str,
)
def test_a_grown_network_does_what_the_small_one_does_and_its_pairs_can_part(large):
    torch.manual_seed(6)
    small = MaskNetwork(CONFIG.network)
    for value in small.parameters():
        value.copy_(0.3 * torch.randn(value.shape))
    grown = MaskNetwork(large)
    grown.load_state_dict(grow(small.state_dict(), CONFIG.network, large))
    energy = torch.from_numpy(noise(6, 2, 2, NUM_GROUPS)) ** 2
    cross = torch.from_numpy(noise(6, 2, NUM_GROUPS, seed=5)) * 0.1
    torch.testing.assert_close(
        grown(energy, cross)[0], small(energy, cross)[0], atol=1e-4, rtol=0
    )  # float32 in another order
    if large.width == 32:
        weight = grown.decoder.first
        assert (weight[:, :16] - weight[:, 16:]).abs().mean() > 0.01 * weight.abs().mean()


def test_what_cannot_grow_is_refused():
    state = MaskNetwork(CONFIG.network).state_dict()
    for large in (
        replace(CONFIG.network, width=24),
        replace(CONFIG.network, squeeze=8),
        replace(CONFIG.network, num_layers=0),
    ):
        with pytest.raises(ValueError, match="does not grow into"):
            grow(state, CONFIG.network, large)


def test_silence_stays_silent(network):
    silent = separate(network, np.zeros((2, 8192), np.float32), CONFIG.stft, CONFIG.lookahead_frames)
    assert (silent == 0.0).all()


def test_the_loss_counts_the_error_of_the_spectra():
    spectra = noise(4, 2, 6, 2049, seed=6) + 1j * noise(4, 2, 6, 2049, seed=7)
    mixture = spectra.sum(0)
    masks = torch.rand(6, 1, 4, 2, NUM_GROUPS, dtype=torch.float64, requires_grad=True)
    index = group_of_bin(2049)
    groups = np.eye(NUM_GROUPS)[index]
    energy = torch.from_numpy((np.abs(mixture) ** 2 @ groups).transpose(1, 0, 2)[:, None])
    product = torch.from_numpy(((spectra * mixture.conj()).real @ groups).transpose(2, 0, 1, 3)[:, None])
    stem_energy = torch.from_numpy((np.abs(spectra) ** 2).sum(2) @ groups)[None]
    error = GroupError.apply(masks, energy, product) + stem_energy.sum(2)
    expanded = masks.detach().numpy()[:, 0].transpose(1, 2, 0, 3)[..., index]
    expected = (np.abs(spectra - expanded * mixture) ** 2).sum((1, 2)) @ groups
    np.testing.assert_allclose(error.detach().numpy()[0], expected, rtol=1e-6)  # spectra are float32
    assert torch.autograd.gradcheck(lambda m: GroupError.apply(m, energy, product)[:, :, :3], masks, fast_mode=True)
    sums = (masks.float(), energy.float(), product.float(), stem_energy.float())
    loss, share = SeparationLoss()(*sums, torch.ones(1, 4))
    np.testing.assert_allclose(share, expected.sum(-1) / (np.abs(mixture) ** 2).sum(), rtol=1e-4)  # float32 sums
    vocals, share = SeparationLoss()(*sums, torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
    assert 0.0 < vocals.item() < loss.item() and torch.isnan(share).tolist() == [False, True, True, True]
    [gradient] = torch.autograd.grad(vocals, masks)
    assert gradient[:, :, 0].abs().max() > 0.0 and (gradient[:, :, 1:] == 0.0).all()  # unknown stems teach nothing
    assert band_matrix().sum(1).eq(1).all() and band_matrix().shape == (NUM_GROUPS, NUM_BANDS)


def test_a_silent_excerpt_counts_nothing_and_its_gradient_is_finite():
    masks = torch.full((6, 2, 4, 2, NUM_GROUPS), 0.25, requires_grad=True)
    energy, product, stem_energy = (
        torch.zeros(6, 2, 2, NUM_GROUPS),
        torch.zeros(6, 2, 4, 2, NUM_GROUPS),
        torch.zeros(2, 4, 2, NUM_GROUPS),
    )
    energy[:, 1], product[:, 1, 0], stem_energy[1, 0] = 1.0, 1.0, 6.0  # the second one is vocals alone
    loss, _ = SeparationLoss()(masks, energy, product, stem_energy, torch.ones(2, 4))
    [gradient] = torch.autograd.grad(loss, masks)
    assert torch.isfinite(loss) and torch.isfinite(gradient).all() and (gradient[:, 0] == 0.0).all()
    # vocals err by 0.75^2, the others by 0.25^2, in every band alike: (0.75 + 3 * 0.25) / 8 of 1 + BAND_WEIGHT
    assert loss.item() == pytest.approx(1.5 / 8 * 1.3, rel=1e-3)  # the floors of the loss


def test_the_export_agrees_and_refuses_what_does_not(tmp_path, monkeypatch):
    difference = exporter.export(CONFIG, None, tmp_path / "smoke", version="0.0.1")
    assert difference < exporter.TOLERANCE
    session = onnxruntime.InferenceSession(tmp_path / "smoke" / "network.onnx", providers=["CPUExecutionProvider"])
    shapes = {tensor.name: tensor.shape for tensor in session.get_inputs()}
    assert shapes.pop("mixture") == [1, 2, 2, "frames", 2049]
    assert all(isinstance(size, int) for shape in shapes.values() for size in shape)
    manifest = tomllib.loads((tmp_path / "smoke" / "manifest.toml").read_text())
    assert [name for name, _ in manifest["tensors"]["states"]] == list(shapes)
    assert manifest["streaming"]["free_frames"]
    before = (tmp_path / "smoke" / "network.onnx").read_bytes()
    monkeypatch.setattr(exporter, "largest_difference", lambda *_: 2e-4)
    with pytest.raises(exporter.ExportError, match="differ by 2.00e-04"):
        exporter.export(CONFIG, None, tmp_path / "smoke", version="0.0.2")
    assert (tmp_path / "smoke" / "network.onnx").read_bytes() == before


def test_frames_are_freed_only_with_the_same_bits(tmp_path):
    separator = StreamingSeparator(MaskNetwork(CONFIG.network), num_bins=2049, lookahead_frames=1)
    exporter.write_graph(separator, CONFIG, tmp_path / "network.onnx")
    fixed = onnx.load(tmp_path / "network.onnx")
    freed = frames.free_frames(fixed, lookahead_frames=1)
    frames.compare(fixed.SerializeToString(), freed.SerializeToString())
    with pytest.raises(frames.FramesError, match="does not take one frame at once"):
        frames.free_frames(freed, lookahead_frames=1)
    bias = next(tensor for tensor in freed.graph.initializer if tensor.name == "network.decoder.bias")
    other = numpy_helper.to_array(bias) + np.float32([0.1, 0, 0, 0]).reshape(4, 1, 1)
    bias.CopyFrom(numpy_helper.from_array(other, bias.name))
    with pytest.raises(frames.FramesError, match="1 frames at once give other bits"):
        frames.compare(fixed.SerializeToString(), freed.SerializeToString())


def test_lighter_operators_give_the_same_stems(tmp_path):
    separator = StreamingSeparator(MaskNetwork(CONFIG.network), num_bins=2049, lookahead_frames=1)
    exporter.write_graph(separator, CONFIG, tmp_path / "network.onnx")
    plain = onnx.load(tmp_path / "network.onnx")
    lighter = lighten(plain)
    operators = [node.op_type for node in lighter.graph.node]
    assert "Softmax" not in operators and operators.count("Exp") == 1
    mixture = 10 * noise(1, 2, 2, 20, 2049)
    expected = frames.run_in_steps(plain.SerializeToString(), mixture, 1)
    found = frames.run_in_steps(lighter.SerializeToString(), mixture, 1)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(mixture).max())  # the last bits of the masks
    assert lighten(lighter) == lighter
    assert rework(rework(plain, lookahead_frames=1), lookahead_frames=1) == rework(plain, lookahead_frames=1)


@torch.no_grad()
def test_attention_lets_a_band_see_the_others_of_its_own_frame():
    torch.manual_seed(7)
    layer = BandAttention(16, 8)
    x = torch.randn(3, 1, NUM_BANDS, 16)
    assert torch.equal(layer(x), x)  # nothing at first
    layer.out.weight.normal_()
    other = x.clone()
    other[1, :, 5] = torch.randn(16)
    change = (layer(other) - other - layer(x) + x).abs().amax((1, 3))
    assert (change[1] > 1e-4).all() and (change[[0, 2]] < 1e-6).all()


def test_a_network_with_attention_is_exported(tmp_path):
    config = replace(CONFIG, network=replace(CONFIG.network, attention=8))
    assert exporter.export(config, None, tmp_path / "smoke", version="0.0.1") < exporter.TOLERANCE


def test_the_weights_come_back_from_the_graph(tmp_path):
    network = MaskNetwork(CONFIG.network)
    with torch.no_grad():  # equal tensors, as fresh norms are, would be stored once only
        for value in network.parameters():
            value.normal_()
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    exporter.export(CONFIG, tmp_path / "weights.pt", tmp_path / "smoke", version="0.0.1")
    restored = restore(tmp_path / "smoke" / "network.onnx", CONFIG)
    assert restored.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(restored[name], value.half().float()), name
    with pytest.raises(ValueError, match="shape"):
        restore(tmp_path / "smoke" / "network.onnx", CONFIGS["mix"])
