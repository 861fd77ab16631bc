# SPDX-License-Identifier: MIT
"""The models this folder trains: transform, latency and network sizes by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .network import NetworkConfig
from .spectral import StftConfig


@dataclass(frozen=True)
class ModelConfig:
    """One trainable model.

    Attributes
    ----------
    lookahead_frames : int
        The mask of frame t is made when frame t + lookahead is known.
    frames_per_step : int
        Frames the exported network takes at once.
    compute_allowance_samples : int
        Time given to the engine, part of the latency.
    """

    name: str
    title: str
    stft: StftConfig
    lookahead_frames: int
    frames_per_step: int
    compute_allowance_samples: int
    network: NetworkConfig = field(default_factory=NetworkConfig)


# 4096-sample frames: the ideal mask gains 0.4 dB on drums and bass over 2048 (validation song), and a hop
# of 1024 costs under 0.1 dB against 512 while it halves the work.
MIX = ModelConfig(
    "mix",
    "Stemlane mix",
    StftConfig(4096, 4096, 1024),
    lookahead_frames=2,
    frames_per_step=1,
    compute_allowance_samples=4096,
)
# The same bins and hop, so that it starts from the weights of `mix`; its frames overlap by 512 samples only:
# 512 + 1024 + 1024 samples of latency and the core's 64 are 59.5 ms, and a host may take 1024 samples at once.
LIVE = ModelConfig(
    "live",
    "Stemlane live",
    StftConfig(4096, 1536, 1024),
    lookahead_frames=0,
    frames_per_step=1,
    compute_allowance_samples=1024,
)
# A toy with the transform of `mix` for tests: learns something within a minute.
SMOKE = ModelConfig(
    "smoke",
    "smoke test",
    StftConfig(4096, 4096, 1024),
    lookahead_frames=1,
    frames_per_step=1,
    compute_allowance_samples=4096,
    network=NetworkConfig(width=16, num_layers=1, squeeze=4, bottleneck=24, decoder=24),
)
# The frames of `mix` and a network of 2.7 million weights; `grow` makes its first ones from those of `mix`.
STUDIO = replace(
    MIX, name="studio", title="Stemlane studio", network=NetworkConfig(width=96, num_layers=4, attention=32)
)
CONFIGS = {config.name: config for config in (MIX, LIVE, SMOKE, STUDIO)}
