# SPDX-License-Identifier: MIT
"""Training batches made on the device: excerpts, speeds, levels, equalisers, transforms and group sums, in torch.

The twin of data.batches for a machine whose processors could not feed it. What is drawn follows the same recipe
with three simplifications: speeds resample linearly, the sum is not mastered, and every known stem counts 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import torch

from models.training.data.batches import KINDS, draw_by_kind, random_curve
from models.training.data.pool import SCALE, STEMS
from models.training.data.recipe import Recipe
from models.training.network.spectral import NUM_GROUPS, StftConfig, group_of_bin, window_pair

from .pack import Recording


def sums(stems: torch.Tensor, curves: torch.Tensor, config: StftConfig, scored: slice) -> tuple[torch.Tensor, ...]:
    """Energy, cross, product and stem energy of excerpts; shapes as in data.batches.Batch.

    Parameters
    ----------
    stems : tensor (batch, stems, 2, samples)
    curves : tensor (batch, stems, 2, bins), gains
    """
    window = torch.from_numpy(window_pair(config)[0]).to(stems)
    frames = stems.unfold(-1, config.fft_samples, config.hop_samples)  # (batch, stems, 2, frames, N)
    spectra = torch.fft.rfft(frames * window) * curves.unsqueeze(3)
    mixture = spectra.sum(1)
    groups = torch.from_numpy(group_of_bin(config.num_bins)).to(stems.device)

    def grouped(values: torch.Tensor) -> torch.Tensor:
        result = torch.zeros(*values.shape[:-1], NUM_GROUPS, device=values.device, dtype=values.dtype)
        return result.index_add_(-1, groups, values)

    energy = grouped(mixture.real**2 + mixture.imag**2).permute(2, 0, 1, 3)
    cross = grouped((mixture[:, 0] * mixture[:, 1].conj()).real).permute(1, 0, 2)
    spectra, mixture = spectra[:, :, :, scored], mixture[:, :, scored]
    product = grouped((spectra * mixture.unsqueeze(1).conj()).real).permute(3, 0, 1, 2, 4)
    stem_energy = grouped((spectra.real**2 + spectra.imag**2).sum(3))
    return energy.contiguous(), cross.contiguous(), product.contiguous(), stem_energy


class DeviceBatches:
    """An endless iterator of batches (five tensors on the device).

    Parameters
    ----------
    audio : ndarray (samples, 2), int16
    recordings : list of Recording
    config : StftConfig
    batch, frames : int
    scored : slice of frames
    """

    def __init__(
        self,
        audio: np.ndarray,
        recordings: list[Recording],
        config: StftConfig,
        *,
        batch: int,
        frames: int,
        scored: slice,
        device: torch.device,
        seed: int,
        recipe: Recipe | None = None,
    ):
        self.audio = torch.from_numpy(audio).to(device)
        self.config, self.batch, self.frames, self.scored = config, batch, frames, scored
        self.device, self.recipe, self.seed = device, recipe or Recipe(), seed
        self.num_samples = (frames - 1) * config.hop_samples + config.fft_samples
        self.songs: dict[str, dict[str, Recording]] = {}
        self.single: dict[str, list[Recording]] = {kind: [] for kind in (*STEMS, "instrumentals")}
        for recording in recordings:
            if recording.song:
                self.songs.setdefault(recording.song, {})[recording.kind] = recording
            else:
                self.single[recording.kind].append(recording)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        return self.starting_at(0)

    def starting_at(self, first: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Batches from number `first` on, for ever."""
        return map(self.make, itertools.count(first))

    def make(self, index: int) -> tuple[torch.Tensor, ...]:
        """Batch number `index`: energy, cross, product, stem_energy, known."""
        rng = np.random.default_rng([self.seed, index])
        share = np.array(self.recipe.kind_share)
        if not self.single["instrumentals"]:
            share[3:] = 0.0
        counts = np.diff(
            np.floor(np.append(0.0, np.cumsum(share / share.sum())) * self.batch + rng.random()).astype(int)
        )
        kinds = [kind for kind, count in zip(KINDS, counts, strict=True) for _ in range(count)]
        places, speeds, levels = (np.zeros((self.batch, len(STEMS))) for _ in range(3))
        for item, kind in enumerate(kinds):
            places[item], speeds[item], levels[item] = self._draw(rng, kind)
        stems = self.read(places, speeds, np.isfinite(levels))
        known = np.ones((self.batch, len(STEMS)), np.float32)
        known[[kind in ("real", "sung") for kind in kinds], 1:] = 0.0
        stems = self._levelled(stems, torch.from_numpy(levels).to(stems))
        if rng.random() < 0.5:
            stems = stems.flip(2)
        curves = torch.from_numpy(
            np.stack([random_curve(rng, self.recipe, self.config) for _ in range(self.batch)])
        ).to(self.device)
        return (*sums(stems, curves, self.config, self.scored), torch.from_numpy(known).to(self.device))

    def read(self, places: np.ndarray, speeds: np.ndarray, audible: np.ndarray) -> torch.Tensor:
        """Excerpts (batch, stems, 2, samples) from samples `places` on, `speeds` times as fast.

        Interpolated linearly; zeros where not `audible`. All three arguments are (batch, stems).
        """
        steps = torch.arange(self.num_samples, device=self.device, dtype=torch.float64)
        position = (
            torch.from_numpy(places).to(self.device)[..., None]
            + torch.from_numpy(speeds).to(self.device)[..., None] * steps
        )
        position = position.clamp_(0, len(self.audio) - 2)
        whole = position.long()
        part = (position - whole).float()[..., None]
        excerpt = torch.lerp(self.audio[whole].float(), self.audio[whole + 1].float(), part) / SCALE
        return (excerpt * torch.from_numpy(audible).to(excerpt)[..., None, None]).transpose(-1, -2)

    def _levelled(self, stems: torch.Tensor, level_db: torch.Tensor) -> torch.Tensor:
        power = (stems**2).mean((2, 3))
        gain = 10.0 ** (level_db / 20.0) / torch.sqrt(power.clamp_min(1e-7))
        stems = stems * torch.where(torch.isfinite(level_db), gain, 0.0)[..., None, None]
        peak = stems.sum(1).abs().amax((1, 2)).clamp_min(1.5)
        return stems * (1.5 / peak)[:, None, None, None]

    def _draw(self, rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where each stem begins, its speed and its level in dB (-inf: silent) of one excerpt."""
        recipe = self.recipe
        chosen: list[Recording | None] = [None] * len(STEMS)
        level = np.array(recipe.level_db) + rng.normal(0.0, recipe.level_spread_db, len(STEMS))
        aligned = kind not in ("real", "sung") and self.songs and rng.random() < recipe.song_probability
        if kind in ("real", "sung"):
            chosen[-1] = self._single(rng, "instrumentals")
            level[-1] = -20.0
            if kind == "sung":
                chosen[0], level[0] = self._single(rng, "vocals"), -20.0 + rng.uniform(*recipe.sung_db)
        else:
            song = (
                self.songs[list(self.songs)[draw_by_kind(rng, list(self.songs), recipe.song_weights)]]
                if aligned
                else {}
            )
            chosen = [
                song.get(stem) if song and (stem in song or stem != "vocals") else self._single(rng, stem)
                for stem in STEMS
            ]
        dropped = rng.random(len(STEMS)) < np.array(recipe.drop_probability)
        if kind == "instrumental":
            dropped[0] = True
        if kind == "alone":
            dropped[:] = True
            dropped[0 if rng.random() < 0.5 else int(rng.integers(len(STEMS)))] = False
        if kind in ("real", "sung"):
            dropped[:] = False
        speed = np.full(len(STEMS), self._speed(rng, recipe.speed_octaves))
        if not aligned:
            speed = np.array(
                [self._speed(rng, recipe.voice_octaves if stem == "vocals" else recipe.speed_octaves) for stem in STEMS]
            )
        common, place = rng.random(), np.zeros(len(STEMS))
        for index, recording in enumerate(chosen):
            if recording is None or dropped[index]:
                level[index] = -np.inf
                continue
            room = max(0.0, recording.length - self.num_samples * speed[index] - 2)
            place[index] = recording.start + int(room * (common if recording.song and aligned else rng.random()))
        return place, speed, level

    def _speed(self, rng: np.random.Generator, octaves: float) -> float:
        return float(2.0 ** rng.uniform(-octaves, octaves)) if rng.random() < self.recipe.speed_probability else 1.0

    def _single(self, rng: np.random.Generator, kind: str) -> Recording | None:
        """A recording of a kind: one alone, or a stem of a song, as the recipe says."""
        from_songs = {name: song[kind] for name, song in self.songs.items() if kind in song}
        singles, recipe = self.single[kind], self.recipe
        share = recipe.song_stem_probability[STEMS.index(kind)] if kind in STEMS else 0.0
        if from_songs and (not singles or rng.random() < share):
            return from_songs[list(from_songs)[draw_by_kind(rng, list(from_songs), recipe.song_weights)]]
        if not singles:
            return None
        return singles[draw_by_kind(rng, [recording.name for recording in singles], recipe.single_weights)]
