# SPDX-License-Identifier: MIT
"""Where electronic kicks go: songs of drum machines and basses, a side condition beside half A, which has few of them.

Run as `python -m models.training.panel.kicks live=models/live/network.onnx new=weights.pt ...`; names as in `measure`.
Rendered songs with seeds that no training uses, and tracker modules that it leaves out (`modules.KICKS`).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.training.data import modules
from models.training.data.pool import STEMS, cache_folder, code_hash
from models.training.data.render import render_part, render_song
from models.training.network.configs import CONFIGS, ModelConfig
from models.training.network.network import MaskNetwork
from models.training.network.spectral import SAMPLE_RATE

from .build import loud_part
from .evaluate import bounds_db, masked, sdr_db, separate, shares
from .measure import load_network
from .recipe import SECONDS

PART_SEEDS = tuple(range(9000, 9008))  # a drum machine, a synthesised bass and figures, at one tempo
SONG_SEEDS = (9002, 9003, 9004, 9005, 9006, 9010)  # of `render`, the first electronic ones
MODULES = (
    ("heroes-sound-tracks", ("heroes01", "heroes03", "heroes05", "heroes07", "heroes09", "menu")),
    (
        "tecnoballz-data",
        ("area1-game", "area3-game", "area5-game", "mon-lapin_reg-zbb", "tecno-winn", "tecnoballz"),
    ),
)
DRUMS, BASS = STEMS.index("drums"), STEMS.index("bass")
LEVEL_DB = -20.0  # of the mixture
HEARD_SECONDS = 10.0  # the start of every excerpt: more says the same


@dataclass(frozen=True)
class Kicks:
    """Of one excerpt.

    Attributes
    ----------
    drums_in_bass : float
        Share of the drums that goes to bass.
    score : ndarray (2,)
        Of drums and bass, as in `evaluate`.
    """

    drums_in_bass: float
    score: np.ndarray


def _made() -> dict[str, dict[str, np.ndarray]]:
    """Drums, bass and other (2, samples) of every excerpt by name."""
    found = {
        f"part_{seed}": {stem: render_part(seed, stem, SECONDS) for stem in ("drums", "bass", "other")}
        for seed in PART_SEEDS
    }
    found |= {f"song_{seed}": render_song(seed, SECONDS) for seed in SONG_SEEDS}
    for package, names in MODULES:
        for path in modules.files(package):
            if path.stem in names:
                stems = modules.render(path)
                found[path.stem] = dict(
                    zip(stems, loud_part(np.random.default_rng([23, len(found)]), *stems.values()), strict=True)
                )
    return found


def excerpts() -> dict[str, np.ndarray]:
    """Stems (4, 2, samples) by name, at one level; made once and kept in the cache."""
    root = Path(__file__).parents[1]
    sources = [
        root / "data" / f"{name}.py" for name in ("drums", "instruments", "modules", "render", "scores", "synths")
    ]
    path = cache_folder() / "panel" / f"kicks-{code_hash([Path(__file__), *sources])}.npz"
    if not path.exists():
        kept = {}
        for name, parts in _made().items():
            stems = np.stack([np.zeros_like(parts["drums"]), *(parts[stem] for stem in STEMS[1:])])
            power = float((stems.sum(0) ** 2).mean())
            kept[name] = stems * np.float32(10.0 ** (LEVEL_DB / 20.0) / np.sqrt(power + 1e-12))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **kept)
        part.rename(path)
    with np.load(path) as content:
        return {name: content[name] for name in content.files}


def measure_kicks(
    network: MaskNetwork, config: ModelConfig, stems: np.ndarray, bounds: tuple[list[float], list[float]]
) -> Kicks:
    """Share and scores of one excerpt (4, 2, samples) with its `evaluate.bounds_db`."""
    mixture, arguments = stems.sum(0), (config.stft, config.lookahead_frames)
    goes = shares(stems[DRUMS], masked(network, mixture, *arguments, stems[DRUMS]))
    estimates, (base, ideal) = separate(network, mixture, *arguments), bounds
    score = [
        (sdr_db(stems[index], estimates[index]) - base[index]) / (ideal[index] - base[index]) for index in (DRUMS, BASS)
    ]
    return Kicks(float(goes[BASS]), np.array(score))


def print_row(name: str, found: dict[str, Kicks]) -> None:
    """Mean of the shares, the worst excerpt, medians of the scores."""
    goes = {excerpt: kicks.drums_in_bass for excerpt, kicks in found.items()}
    worst = max(goes, key=goes.get)
    score = np.median([kicks.score for kicks in found.values()], axis=0)
    print(
        f"| {name} | {np.mean(list(goes.values())):.3f}, {goes[worst]:.2f} ({worst}) "
        f"| {score[0]:.3f} / {score[1]:.3f} | {score.mean():.3f} |",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="NAME=PATH")
    parser.add_argument("--excerpts", action="store_true", help="print a line per excerpt, too")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    items = {name: stems[:, :, : int(HEARD_SECONDS * SAMPLE_RATE)] for name, stems in excerpts().items()}
    bounds = {name: bounds_db(stems) for name, stems in items.items()}
    print("| model | drums in bass, worst | score drums / bass | mean |\n" + "|---" * 4 + "|", flush=True)
    for name, path in (model.split("=", 1) for model in options.models):
        config = CONFIGS["live" if name.startswith("live") else "mix"]
        network = load_network(Path(path), config)
        found = {excerpt: measure_kicks(network, config, stems, bounds[excerpt]) for excerpt, stems in items.items()}
        print_row(name, found)
        if options.excerpts:
            for excerpt, kicks in found.items():
                print(f"  {excerpt}: {kicks.drums_in_bass:.3f} {np.round(kicks.score, 2)}", flush=True)


if __name__ == "__main__":
    main()
