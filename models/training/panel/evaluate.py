# SPDX-License-Identifier: MIT
"""Separates audio as the streaming model does, and measures it: SDR, score and its bounds, what a guitar goes to.

SDR = 10 log10(sum |s|^2 / sum |s - s'|^2) per stem over the whole excerpt; its median over frames of a second is what
museval reports for images. Score of a stem = (SDR - base) / (ideal mask - base), base = the better of the mixture
and silence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from models.training.data.pool import STEMS
from models.training.network.network import MaskNetwork
from models.training.network.spectral import StftConfig, group_of_bin, group_sum, istft, stft

SCORE_STFT = StftConfig(2048, 2048, 512)  # the ideal mask of the score is at 2048/512


def sdr_db(stem: np.ndarray, estimate: np.ndarray) -> float:
    """SDR in dB; both (channels, samples)."""
    error = float(((stem - estimate).astype(np.float64) ** 2).sum())
    return 10.0 * float(np.log10((float((stem.astype(np.float64) ** 2).sum()) + 1e-9) / (error + 1e-9)))


def median_sdr_db(stem: np.ndarray, estimate: np.ndarray, frame: int = 44100) -> float:
    """Median SDR over one-second frames in which the stem is not silent."""
    values = []
    for start in range(0, stem.shape[1] - frame + 1, frame):
        part = stem[:, start : start + frame]
        if float((part**2).mean()) > 1e-8:
            values.append(sdr_db(part, estimate[:, start : start + frame]))
    return float(np.median(values)) if values else float("nan")


def ideal_mask_estimates(stems: np.ndarray) -> np.ndarray:
    """Estimates by the ideal ratio mask |S|^2 / sum |S|^2 at 2048/512; (stems, channels, samples)."""
    padded = np.pad(stems, ((0, 0), (0, 0), (0, 2 * SCORE_STFT.fft_samples - stems.shape[-1] % 512)))
    spectra = stft(padded.sum(0), SCORE_STFT)
    powers = [np.abs(stft(stem, SCORE_STFT)) ** 2 for stem in padded]
    total = sum(powers) + 1e-12
    return np.stack([istft(spectra * (power / total), SCORE_STFT)[:, : stems.shape[-1]] for power in powers])


def bounds_db(stems: np.ndarray) -> tuple[list[float], list[float]]:
    """(base, ideal mask) per stem in dB."""
    mixture = stems.sum(0)
    base = [max(0.0, sdr_db(stem, mixture)) for stem in stems]
    ideal = [sdr_db(stem, estimate) for stem, estimate in zip(stems, ideal_mask_estimates(stems), strict=True)]
    return base, ideal


@torch.no_grad()
def masked(
    network: MaskNetwork, mixture: np.ndarray, config: StftConfig, lookahead_frames: int, target: np.ndarray
) -> np.ndarray:
    """`target` (2, samples) through the masks that the network makes for `mixture` (2, samples): (4, 2, samples).

    As the streaming model does it, latency removed; all four masks, so the last stem is no residual here.
    """
    device = next(network.parameters()).device
    samples, hop = mixture.shape[1], config.hop_samples
    extra = (lookahead_frames + 2) * hop + config.fft_samples
    padding = ((0, 0), (0, extra + (-samples) % hop))
    spectra = stft(np.pad(mixture, padding), config)
    energy = group_sum(spectra.real**2 + spectra.imag**2).transpose(1, 0, 2)[:, None]
    cross = group_sum((spectra[0] * spectra[1].conj()).real)[:, None]
    index = group_of_bin(config.num_bins)
    masks, states = [], None
    for start in range(0, len(energy), 1024):
        part, states = network(
            torch.from_numpy(energy[start : start + 1024]).to(device),
            torch.from_numpy(cross[start : start + 1024]).to(device),
            states,
        )
        masks.append(part[:, 0].float().cpu().numpy())
    masks = np.concatenate(masks)[lookahead_frames:].transpose(1, 2, 0, 3)  # (stems, 2, frames, groups)
    if target is not mixture:
        spectra = stft(np.pad(target, padding), config)
    spectra = spectra[:, : masks.shape[2]]
    return np.stack([istft(spectra * mask[..., index], config)[:, :samples] for mask in masks])


def separate(network: MaskNetwork, mixture: np.ndarray, config: StftConfig, lookahead_frames: int) -> np.ndarray:
    """Stems (4, 2, samples) of a mixture (2, samples); the last one is the residual."""
    stems = masked(network, mixture, config, lookahead_frames, mixture)
    stems[-1] = mixture - stems[:-1].sum(0)
    return stems


def shares(part: np.ndarray, through_masks: np.ndarray) -> np.ndarray:
    """Of a part of the mixture (2, samples), what goes to each stem (4,): <masked, part> / <part, part>; sums to 1."""
    product = (through_masks.astype(np.float64) * part).sum((1, 2))
    return product / product.sum()


def load_song(folder: Path) -> np.ndarray:
    """Stems (4, 2, samples) of a folder with <stem>.ogg files; a piano counts as other."""
    from models.training.data.material import read_stereo

    parts = {path.stem: read_stereo(path) for path in sorted(folder.glob("*.ogg"))}
    length = min(audio.shape[1] for audio in parts.values())
    stems = np.zeros((len(STEMS), 2, length), np.float32)
    for name, audio in parts.items():
        stems[STEMS.index(name) if name in STEMS else STEMS.index("other")] += audio[:, :length]
    return stems


class Evaluation:
    """A song and its bounds, ready to score networks on."""

    def __init__(self, folder: Path, *, seconds: float | None = None):
        stems = load_song(folder)
        self.stems = stems if seconds is None else stems[:, :, : int(seconds * 44100)]
        self.base, self.ideal = bounds_db(self.stems)

    def run(self, network: MaskNetwork, config: StftConfig, lookahead_frames: int) -> dict:
        """SDR, median SDR and score per stem, and the mean score."""
        estimates = separate(network, self.stems.sum(0), config, lookahead_frames)
        sdr = [sdr_db(stem, estimate) for stem, estimate in zip(self.stems, estimates, strict=True)]
        median = [median_sdr_db(stem, estimate) for stem, estimate in zip(self.stems, estimates, strict=True)]
        score = [(s - b) / (i - b) for s, b, i in zip(sdr, self.base, self.ideal, strict=True)]
        return {"sdr_db": sdr, "median_db": median, "score": score, "mean_score": float(np.mean(score))}
