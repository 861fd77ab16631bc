# SPDX-License-Identifier: MIT
"""The band-split network that turns mixture spectra into masks, for training and for streaming.

Training feeds it grouped energies of whole excerpts; `StreamingSeparator` wraps the same weights
for the ONNX graph: spectra and states in, stem spectra and states out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from .spectral import NUM_BANDS, NUM_GROUPS, SECTIONS, group_of_bin

NUM_STEMS = 4  # vocals, drums, bass and the residual other, in this order
NUM_FEATURES = 3  # per group: log energy left, log energy right, their coherence


@dataclass(frozen=True)
class NetworkConfig:
    """Widths of the network; the numbers of the committed models are the defaults."""

    width: int = 48
    num_layers: int = 3
    squeeze: int = 12
    bottleneck: int = 128
    decoder: int = 64
    attention: int = 0  # channels of the attention across bands in every layer; 0: none
    dropout: float = 0.0  # in training only


def features(energy: torch.Tensor, cross: torch.Tensor) -> torch.Tensor:
    """Network input (..., NUM_GROUPS, NUM_FEATURES).

    Parameters
    ----------
    energy : tensor (..., 2, groups)
        |L|^2 and |R|^2 summed over each mask group.
    cross : tensor (..., groups)
        Re(L R*) summed over each mask group.
    """
    # The floor 1e-2 is about -95 dB re full scale in one bin of a 4096 frame: below it, silence.
    log_energy = 0.2 * torch.log(energy + 1e-2) - 0.2
    coherence = cross / (0.5 * (energy[..., 0, :] + energy[..., 1, :]) + 1e-2)
    return torch.stack([log_energy[..., 0, :], log_energy[..., 1, :], coherence], dim=-1)


class BandEncoder(nn.Module):
    """One linear map per band from its features to `width` channels."""

    def __init__(self, width: int):
        super().__init__()
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(count, size * NUM_FEATURES, width) * (size * NUM_FEATURES) ** -0.5)
            for count, size, _ in SECTIONS
        )
        self.bias = nn.Parameter(torch.zeros(NUM_BANDS, width))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(n, groups, features) -> (n, bands, width)."""
        parts, start = [], 0
        for (count, size, _), weight in zip(SECTIONS, self.weights, strict=True):
            part = values[:, start : start + count * size].reshape(values.shape[0], count, size * NUM_FEATURES)
            parts.append(torch.matmul(part.transpose(0, 1), weight))
            start += count * size
        return torch.cat(parts, dim=0).transpose(0, 1) + self.bias


class BandDecoder(nn.Module):
    """A two-layer map per band from its channels to mask logits (n, stems, 2, groups)."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Parameter(torch.randn(NUM_BANDS, width, hidden) * (2.0 / width) ** 0.5)
        self.first_bias = nn.Parameter(torch.zeros(NUM_BANDS, 1, hidden))
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(count, hidden, NUM_STEMS * 2 * size) * 0.3 * hidden**-0.5)
            for count, size, _ in SECTIONS
        )
        self.bias = nn.Parameter(torch.zeros(NUM_STEMS, 2, NUM_GROUPS))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(n, bands, width) -> (n, stems, 2, groups)."""
        n = values.shape[0]
        hidden = torch.matmul(self.norm(values).transpose(0, 1), self.first) + self.first_bias
        hidden = torch.relu(hidden)
        parts, band = [], 0
        for (count, size, _), weight in zip(SECTIONS, self.weights, strict=True):
            part = torch.matmul(hidden[band : band + count], weight)  # (count, n, stems * 2 * size)
            part = part.reshape(count, n, NUM_STEMS * 2, size).permute(1, 2, 0, 3)
            parts.append(part.reshape(n, NUM_STEMS, 2, count * size))
            band += count
        return torch.cat(parts, dim=-1).float() + self.bias


class BandAttention(nn.Module):
    """Every band looks at all bands of its own frame; it starts as nothing and adds to its input."""

    def __init__(self, width: int, channels: int):
        super().__init__()
        self.channels = channels
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * channels)
        self.out = nn.Linear(channels, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(frames, batch, bands, width) -> the same."""
        query, key, value = self.query_key_value(self.norm(x)).split(self.channels, dim=-1)
        weights = torch.softmax(query @ key.transpose(-1, -2) * self.channels**-0.5, dim=-1)
        return x + self.out(weights @ value)


class Layer(nn.Module):
    """An LSTM over time shared by all bands, then an LSTM over time on a squeezed view of all bands.

    Between them, where the configuration asks for it, attention across the bands.
    """

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.band_norm = nn.LayerNorm(config.width)
        self.band_lstm = nn.LSTM(config.width, config.width)
        self.band_out = nn.Linear(config.width, config.width)
        self.attention = BandAttention(config.width, config.attention) if config.attention else nn.Identity()
        self.full_norm = nn.LayerNorm(config.width)
        self.squeeze = nn.Linear(config.width, config.squeeze)
        self.full_lstm = nn.LSTM(NUM_BANDS * config.squeeze, config.bottleneck)
        self.full_out = nn.Linear(config.bottleneck, NUM_BANDS * config.squeeze)
        self.expand = nn.Linear(config.squeeze, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor, states: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """X (frames, batch, bands, width); states: h and c of both LSTMs."""
        frames, batch, bands, width = x.shape
        y = self.band_norm(x).reshape(frames, batch * bands, width)
        y, (h0, c0) = self.band_lstm(y, (states[0], states[1]))
        x = self.attention(x + self.dropout(self.band_out(y).reshape(frames, batch, bands, width)))
        y = self.squeeze(self.full_norm(x)).reshape(frames, batch, -1)
        y, (h1, c1) = self.full_lstm(y, (states[2], states[3]))
        y = torch.relu(self.full_out(y)).reshape(frames, batch, bands, -1)
        return x + self.dropout(self.expand(y)), [h0, c0, h1, c1]


class MaskNetwork(nn.Module):
    """Grouped energies of the mixture -> masks of all stems (they sum to one in every bin)."""

    def __init__(self, config: NetworkConfig = NetworkConfig()):
        super().__init__()
        self.config = config
        self.encoder = BandEncoder(config.width)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_layers))
        self.decoder = BandDecoder(config.width, config.decoder)

    def initial_states(self, batch: int, device: torch.device | None = None) -> list[torch.Tensor]:
        """Zero states on a device: per layer h, c (1, batch * bands, width) and h, c (1, batch, bottleneck)."""
        shapes = [(1, batch * NUM_BANDS, self.config.width)] * 2 + [(1, batch, self.config.bottleneck)] * 2
        return [torch.zeros(shape, device=device) for _ in self.layers for shape in shapes]

    def forward(
        self,
        energy: torch.Tensor,
        cross: torch.Tensor,
        states: list[torch.Tensor] | None = None,
        decoded: slice | None = None,
    ):
        """Masks (decoded frames, batch, stems, 2, groups) and the next states.

        Parameters
        ----------
        energy : tensor (frames, batch, 2, groups)
        cross : tensor (frames, batch, groups)
        states : list of tensors, from `initial_states` or the previous call
        decoded : slice
            The frames whose masks are wanted; None: all.
        """
        frames, batch = energy.shape[:2]
        if states is None:
            states = self.initial_states(batch, energy.device)
        x = self.encoder(features(energy, cross).reshape(frames * batch, NUM_GROUPS, NUM_FEATURES))
        x = x.reshape(frames, batch, NUM_BANDS, -1)
        next_states = []
        for index, layer in enumerate(self.layers):
            x, new = layer(x, states[4 * index : 4 * index + 4])
            next_states += new
        if decoded is not None:
            x = x[decoded]
            frames = x.shape[0]
        logits = self.decoder(x.reshape(frames * batch, NUM_BANDS, -1))
        masks = torch.softmax(logits, dim=1)
        return masks.reshape(frames, batch, NUM_STEMS, 2, NUM_GROUPS), next_states


class StreamingSeparator(nn.Module):
    """Spectra in, stem spectra out, a few frames at a time: what the ONNX graph holds.

    The mask made at frame t is applied to the mixture of frame t - lookahead, kept in the last state.
    """

    def __init__(self, network: MaskNetwork, *, num_bins: int, lookahead_frames: int):
        super().__init__()
        self.network = network
        self.num_bins = num_bins
        self.lookahead_frames = lookahead_frames
        self.register_buffer("group_of_bin", torch.from_numpy(group_of_bin(num_bins)))

    def initial_states(self) -> list[torch.Tensor]:
        """Silence."""
        states = self.network.initial_states(1)
        if self.lookahead_frames:
            states.append(torch.zeros(1, 2, 2, self.lookahead_frames, self.num_bins))
        return states

    def group_sum(self, values: torch.Tensor) -> torch.Tensor:
        """Torch twin of `spectral.group_sum`."""
        parts, start = [], 0
        for count, width, step in SECTIONS:
            stop = start + count * width * step
            part = values[..., start:stop]
            if step > 1:
                part = part.reshape(*values.shape[:-1], count * width, step).sum(dim=-1)
            parts.append(part)
            start = stop
        last = parts[-1][..., -1:] + values[..., start:].sum(dim=-1, keepdim=True)
        return torch.cat([*parts[:-1], parts[-1][..., :-1], last], dim=-1)

    def forward(self, mixture: torch.Tensor, *states: torch.Tensor):
        """Mixture (1, 2 channels, 2 re/im, frames, bins) -> stems (1, 3, 2, 2, frames, bins), states."""
        network_states = list(states[: 4 * len(self.network.layers)])
        energy = self.group_sum((mixture * mixture).sum(dim=2))  # (1, 2, frames, groups)
        cross = self.group_sum((mixture[:, 0] * mixture[:, 1]).sum(dim=1))  # (1, frames, groups)
        masks, next_states = self.network(energy.permute(2, 0, 1, 3), cross.permute(1, 0, 2), network_states)
        masks = masks[:, 0, : NUM_STEMS - 1].permute(1, 2, 0, 3)  # (stems, 2, frames, groups)
        masks = masks.index_select(3, self.group_of_bin)
        if self.lookahead_frames:
            history = torch.cat([states[-1], mixture], dim=3)
            mixture = history[:, :, :, : mixture.shape[3]]
            next_states.append(history[:, :, :, -self.lookahead_frames :])
        stems = mixture.unsqueeze(1) * masks.unsqueeze(0).unsqueeze(3)
        return (stems, *next_states)
