# SPDX-License-Identifier: MIT
"""Training batches: random excerpts of the pool, remixed, as grouped energies of mixture and stems.

Every batch holds excerpts of each kind in `KINDS`: labelled ones, views of them without voices or with one stem
alone, and real instrumentals whose stems nobody knows, of which only the vocals are scored.

The mean-square error of a real mask m shared by a group of bins is exactly
m^2 sum|X|^2 - 2 m sum Re(S X*) + sum|S|^2, so a batch holds these sums instead of spectra.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
import soxr

from models.training.network.spectral import NUM_GROUPS, SAMPLE_RATE, StftConfig, group_sum, stft

from .pool import STEMS, Pool
from .recipe import Recipe

# What an excerpt is. `real`: an instrumental without stems; `sung`: the same with voices laid over it.
KINDS = ("labelled", "instrumental", "alone", "real", "sung")


@dataclass
class Batch:
    """Frame-major sums over mask groups, float32.

    Attributes
    ----------
    energy : (frames, batch, 2, groups)    sum |X|^2
    cross : (frames, batch, groups)        sum Re(X_left X_right*)
    product : (scored frames, batch, stems, 2, groups)    sum Re(S X*)
    stem_energy : (batch, stems, 2, groups)    sum |S|^2, also over the scored frames
    known : (batch, stems)    what the stem counts: 1 where it is known, 0 where it must not be scored, above 1 where
        no teacher knows it better
    """

    energy: np.ndarray
    cross: np.ndarray
    product: np.ndarray
    stem_energy: np.ndarray
    known: np.ndarray

    def parts(self) -> tuple[np.ndarray, ...]:
        """All five arrays in order."""
        return self.energy, self.cross, self.product, self.stem_energy, self.known


def master_gain(rng: np.random.Generator, mixture: np.ndarray) -> np.ndarray:
    """Gain per sample (samples,) of a random bus compressor and soft clipper fed with `mixture` (2, samples).

    Applied to every stem it masters the sum and leaves the stems adding up to it. In double precision and rounded to
    1e-6: processors with other vector units differ in the last bits of logarithms, and the panel's hashes would too.
    """
    mixture, block = mixture.astype(np.float64), 128
    padded = np.pad(mixture, ((0, 0), (0, -mixture.shape[1] % block)))
    power = (padded**2).mean(0).reshape(-1, block).mean(1)
    level_db = 10.0 * np.log10(power + 1e-9)
    threshold_db = 10.0 * np.log10(power.mean() + 1e-9) + float(rng.uniform(-6.0, 3.0))
    reduction_db = np.maximum(0.0, level_db - threshold_db) * float(rng.uniform(0.2, 0.75))
    pole = float(np.exp(-block / SAMPLE_RATE / rng.uniform(0.01, 0.15)))
    reduction_db = scipy.signal.lfilter([1.0 - pole], [1.0, -pole], reduction_db)
    centres = block * (np.arange(len(power)) + 0.5)
    gain = 10.0 ** (-np.interp(np.arange(mixture.shape[1]), centres, reduction_db) / 20.0)
    peak = np.abs(mixture).max(0) * gain
    ceiling = float(rng.uniform(0.5, 1.2)) * float(np.quantile(peak, 0.999)) + 1e-6
    return np.round(gain * np.tanh(peak / ceiling + 1e-9) / (peak / ceiling + 1e-9), 6).astype(np.float32)


def draw_by_kind(rng: np.random.Generator, names: Sequence[str], weights: Mapping[str, float]) -> int:
    """Index into `names`: first the kind (the word before "_") by weight, then evenly within it.

    Names of no weighted kind are one kind, of weight `weights[""]`, or 1 if there is none.
    """
    kinds: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        kind = name.split("_")[0]
        kinds.setdefault(kind if kind in weights else "", []).append(index)
    share = np.array([weights.get(kind, 1.0) for kind in kinds])
    of_kind = kinds[list(kinds)[int(rng.choice(len(share), p=share / share.sum()))]]
    return of_kind[int(rng.integers(len(of_kind)))]


def bump(
    rng: np.random.Generator, gain_db: tuple[float, float], centre_hz: tuple[float, float], config: StftConfig
) -> np.ndarray:
    """A resonance in dB per bin (bins,), of random gain and centre, and 0.7 to 1.9 octaves wide at half its height."""
    centre = centre_hz[0] * (centre_hz[1] / centre_hz[0]) ** rng.random()
    hertz = np.arange(1, config.num_bins) * (SAMPLE_RATE / config.fft_samples)
    shape = np.exp(-0.5 * (np.log2(hertz / centre) / rng.uniform(0.3, 0.8)) ** 2)
    return np.concatenate([[0.0], rng.uniform(*gain_db) * shape])


def random_curve(rng: np.random.Generator, recipe: Recipe, config: StftConfig) -> np.ndarray:
    """A random smooth gain per stem, channel and bin (stems, 2, bins): equaliser, panning, polarity."""
    num_bins = config.num_bins
    knots_db = rng.normal(0.0, recipe.eq_db, (len(STEMS), 8))
    knots_db += rng.normal(0.0, recipe.tilt_db, (len(STEMS), 1)) * np.linspace(-1.0, 1.0, 8)
    knots_db -= knots_db[:, 2:6].mean(1, keepdims=True)
    octave = np.log2(1.0 + np.arange(num_bins) * (1024.0 / num_bins)) * 0.7  # 0 to 7
    curve = np.stack([np.interp(octave, np.arange(8), knots) for knots in knots_db])
    if rng.random() < recipe.boom_probability:
        curve[STEMS.index("drums")] += bump(rng, recipe.boom_db, recipe.boom_hz, config)
    if rng.random() < recipe.body_probability:
        curve[STEMS.index("other")] += bump(rng, recipe.body_db, recipe.body_hz, config)
    pan_db = rng.normal(0.0, 2.0, len(STEMS))
    gain_db = curve[:, None] + np.stack([pan_db, -pan_db], 1)[:, :, None]
    sign = np.where(rng.random(len(STEMS)) < 0.5, -1.0, 1.0)[:, None, None]
    return (sign * 10.0 ** (gain_db / 20.0)).astype(np.float32)


class BatchMaker:
    """Draws batches; every batch depends on the seed, its index and the pool's content only."""

    def __init__(
        self,
        pool: Pool,
        stft_config: StftConfig,
        *,
        batch: int,
        frames: int,
        seed: int,
        scored: slice | None = None,
        recipe: Recipe | None = None,
    ):
        self.pool = pool
        self.stft_config = stft_config
        self.batch = batch
        self.frames = frames
        self.seed = seed
        self.scored = scored or slice(0, frames)
        self.recipe = recipe or Recipe()
        self.num_samples = (frames - 1) * stft_config.hop_samples + stft_config.fft_samples

    def make(self, index: int) -> Batch:
        """Batch number `index`."""
        rng = np.random.default_rng([self.seed, index])
        shape, scored = (self.frames, self.batch), len(range(self.frames)[self.scored])
        batch = Batch(
            np.empty((*shape, 2, NUM_GROUPS), np.float32),
            np.empty((*shape, NUM_GROUPS), np.float32),
            np.empty((scored, self.batch, len(STEMS), 2, NUM_GROUPS), np.float32),
            np.empty((self.batch, len(STEMS), 2, NUM_GROUPS), np.float32),
            np.ones((self.batch, len(STEMS)), np.float32),
        )
        for item, kind in enumerate(self.kinds(rng)):
            stems, batch.known[item] = self.draw_kind(rng, kind)
            self._fill(batch, item, stems, rng)
        return batch

    def kinds(self, rng: np.random.Generator) -> list[str]:
        """The kind of every excerpt of a batch: `kind_share` of each as exactly as whole numbers allow."""
        share = np.array(self.recipe.kind_share) / sum(self.recipe.kind_share)
        if not self.pool.instrumentals:
            share = np.append(share[:3], (0.0, 0.0)) / share[:3].sum()
        # One random offset for all: every batch holds the whole part of its share, and the rest is fair.
        counts = np.diff(np.floor(np.append(0.0, np.cumsum(share)) * self.batch + rng.random()).astype(int))
        return [kind for kind, count in zip(KINDS, counts, strict=True) for _ in range(count)]

    def draw_kind(self, rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Stems (stems, 2, samples) of one excerpt of a kind, and what each of them counts (stems,): `Batch.known`.

        The unknown stems of a real instrumental lie together in the last one.
        """
        if kind in ("real", "sung"):
            return self._real(rng, sung=kind == "sung"), np.array([1.0, 0.0, 0.0, 0.0], np.float32)
        stems, song = self._draw(rng)
        known = np.ones(len(STEMS), np.float32)
        if song in self.recipe.sure_songs:
            known[[STEMS.index("drums"), STEMS.index("bass")]] = self.recipe.sure_weight
        if kind == "instrumental":
            stems[0] = 0.0
        elif kind == "alone":
            audible = np.flatnonzero((stems**2).mean((1, 2)) > 1e-8)
            if len(audible):
                chosen = 0 if 0 in audible and rng.random() < 0.5 else int(rng.choice(audible))
                stems[np.arange(len(STEMS)) != chosen] = 0.0
        return stems, known

    def _real(self, rng: np.random.Generator, *, sung: bool) -> np.ndarray:
        stems = np.zeros((len(STEMS), 2, self.num_samples), np.float32)
        files = self.pool.instrumentals
        for _ in range(5):  # the first audible excerpt
            path = files[int(rng.integers(len(files)))]
            start = int(rng.integers(0, max(1, self.pool.length(path) - self.num_samples)))
            stems[-1] = self._read(path, start, self._speed(rng, self.recipe.speed_octaves))
            power = float((stems[-1] ** 2).mean())
            if power > 1e-6:
                break
        if sung:
            voice = self._single(rng, "vocals")
            ratio = max(power, 1e-6) / max(float((voice**2).mean()), 1e-6)
            stems[0] = voice * np.float32(np.sqrt(ratio) * 10.0 ** (rng.uniform(*self.recipe.sung_db) / 20.0))
        level_db = rng.normal(-20.0, self.recipe.level_spread_db)
        stems *= np.float32(10.0 ** (level_db / 20.0) / np.sqrt(max(1e-6, float((stems.sum(0) ** 2).mean()))))
        return self._mastered(rng, stems)

    def _mastered(self, rng: np.random.Generator, stems: np.ndarray) -> np.ndarray:
        if rng.random() < self.recipe.master_probability:
            stems *= master_gain(rng, stems.sum(0))
        peak = float(np.abs(stems.sum(0)).max())
        return stems * np.float32(1.5 / peak) if peak > 1.5 else stems

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Stems (stems, 2, samples) of one random labelled excerpt, at their levels."""
        return self._draw(rng)[0]

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        """The same, and the kind of the song whose aligned stems they are; nothing where they are of anywhere."""
        recipe, kind = self.recipe, ""
        stems = np.zeros((len(STEMS), 2, self.num_samples), np.float32)
        if self.pool.songs and rng.random() < recipe.song_probability:
            gains_db, kind = self._draw_song(rng, stems)
        else:
            gains_db = rng.normal(0.0, recipe.level_spread_db, len(STEMS))
            for index in range(len(STEMS)):
                self._place(rng, stems, gains_db, index)
        dropped = rng.random(len(STEMS)) < np.array(recipe.drop_probability)
        if dropped.all():
            dropped[int(rng.integers(len(STEMS)))] = False
        gains = np.where(dropped, 0.0, 10.0 ** (np.minimum(gains_db, 40.0) / 20.0))
        gains *= 10.0 ** (rng.normal(0.0, recipe.master_spread_db) / 20.0)
        stems *= gains[:, None, None].astype(np.float32)
        return self._mastered(rng, stems), kind

    def _draw_song(self, rng: np.random.Generator, stems: np.ndarray) -> tuple[np.ndarray, str]:
        """Put aligned stems of one song into `stems`, voices from elsewhere where it has none.

        Returns gains in dB (stems,) and the kind of the song.
        """
        recipe, song = self.recipe, self._song(rng)
        longest = max(self.pool.length(path) for path in song.values())
        for _ in range(4):
            start = int(rng.integers(0, max(1, longest - self.num_samples)))
            speed = self._speed(rng, recipe.speed_octaves)
            for index, stem in enumerate(STEMS):
                if stem in song:
                    stems[index] = self._read(song[stem], start, speed)
            if np.count_nonzero((stems**2).mean((1, 2)) > 1e-7) >= 2:
                break
        gains_db = rng.normal(0.0, recipe.song_spread_db, len(STEMS))
        if "vocals" not in song:
            self._place(rng, stems, gains_db, 0)
        return gains_db, next(iter(song.values())).parent.name.split("_")[0]

    def _speed(self, rng: np.random.Generator, octaves: float) -> float:
        if rng.random() >= self.recipe.speed_probability:
            return 1.0
        return float(2.0 ** rng.uniform(-octaves, octaves))

    def _read(self, path: Path, start: int, speed: float) -> np.ndarray:
        """The excerpt from `start` on (2, num_samples), played `speed` times as fast."""
        if speed == 1.0:
            return self.pool.read(path, start, self.num_samples)
        audio = self.pool.read(path, start, int(self.num_samples * speed) + 64)
        played = soxr.resample(audio.T, SAMPLE_RATE * speed, SAMPLE_RATE, quality="LQ").T[:, : self.num_samples]
        return np.pad(played, ((0, 0), (0, self.num_samples - played.shape[1])))

    def _place(self, rng: np.random.Generator, stems: np.ndarray, gains_db: np.ndarray, index: int) -> None:
        """Put an excerpt from anywhere into `stems[index]` and its gain to the recipe's level."""
        stems[index] = self._single(rng, STEMS[index])
        power = float((stems[index] ** 2).mean())
        if power > 1e-8 and rng.random() < self.recipe.layer_probability[index]:
            layer = self._single(rng, STEMS[index])
            ratio = power / max(1e-8, float((layer**2).mean()))
            stems[index] += layer * np.float32(np.sqrt(ratio) * 10.0 ** (rng.uniform(*self.recipe.layer_db) / 20.0))
            power = float((stems[index] ** 2).mean())
        if power > 1e-8:
            gains_db[index] += self.recipe.level_db[index] - 10.0 * np.log10(power)

    def _song(self, rng: np.random.Generator) -> dict:
        names = [next(iter(song.values())).parent.name for song in self.pool.songs]
        return self.pool.songs[draw_by_kind(rng, names, self.recipe.song_weights)]

    def _single(self, rng: np.random.Generator, stem: str) -> np.ndarray:
        """An excerpt of one stem from anywhere, audible if a few tries find it so."""
        from_songs = [song[stem] for song in self.pool.songs if stem in song]
        singles = self.pool.single[stem]
        excerpt = np.zeros((2, self.num_samples), np.float32)
        for _ in range(5):
            if from_songs and (not singles or rng.random() < self.recipe.song_stem_probability[STEMS.index(stem)]):
                names = [path.parent.name for path in from_songs]
                path = from_songs[draw_by_kind(rng, names, self.recipe.song_weights)]
            elif singles:
                path = singles[draw_by_kind(rng, [path.name for path in singles], self.recipe.single_weights)]
            else:
                break
            start = int(rng.integers(0, max(1, self.pool.length(path) - self.num_samples)))
            octaves = self.recipe.voice_octaves if stem == "vocals" else self.recipe.speed_octaves
            excerpt = self._read(path, start, self._speed(rng, octaves))
            if float((excerpt**2).mean()) > 1e-6:
                break
        return excerpt

    def _fill(self, batch: Batch, item: int, stems: np.ndarray, rng: np.random.Generator) -> None:
        curve = random_curve(rng, self.recipe, self.stft_config)[:, :, None, :]
        if rng.random() < 0.5:
            stems = stems[:, ::-1]
        total = np.zeros((len(STEMS), 2, NUM_GROUPS), np.float32)
        scored, position = np.arange(self.frames)[self.scored], 0
        step = 16  # frames at once: keeps the spectra in the processor's cache
        hop, size = self.stft_config.hop_samples, self.stft_config.fft_samples
        for first in range(0, self.frames, step):
            last = min(first + step, self.frames)
            part = stems[..., first * hop : (last - 1) * hop + size]
            spectra = stft(part, self.stft_config, left_context=False) * curve
            mixture = spectra.sum(0)
            real, imag = mixture.real, mixture.imag
            batch.energy[first:last, item] = group_sum(real**2 + imag**2).transpose(1, 0, 2)
            batch.cross[first:last, item] = group_sum(real[0] * real[1] + imag[0] * imag[1])
            here = scored[(scored >= first) & (scored < last)] - first
            stem_real, stem_imag = spectra.real[:, :, here], spectra.imag[:, :, here]
            product = group_sum(stem_real * real[:, here] + stem_imag * imag[:, here])
            batch.product[position : position + len(here), item] = product.transpose(2, 0, 1, 3)
            position += len(here)
            total += group_sum((stem_real**2 + stem_imag**2).sum(2))
        batch.stem_energy[item] = total
