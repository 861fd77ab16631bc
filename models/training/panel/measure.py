# SPDX-License-Identifier: MIT
"""Measures models on the panel and prints tables with bootstrap intervals; half A chooses, half B is reported.

Run as `python -m models.training.panel.measure --half B mix=models/mix/network.onnx old=weights.pt ...`; names that
start with `live` or `studio` use that configuration, all others that of `mix`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.training.data.pool import STEMS
from models.training.network.configs import CONFIGS, ModelConfig
from models.training.network.network import MaskNetwork
from models.training.network.spectral import SAMPLE_RATE

from . import build
from .build import Item
from .evaluate import masked, median_sdr_db, sdr_db, separate, shares

AUDIBLE_DB = -30.0  # a stem is scored where it is louder than this against the mixture
LEAST_SPAN_DB = 3.0  # and where the ideal mask is at least this much better than the base, as in `stemlane evaluate`
WINDOW_SECONDS = 5.0  # of the worst window
DRAWS = 2000  # of the bootstrap


@dataclass(frozen=True)
class Result:
    """Of one excerpt; nan where it says nothing.

    Attributes
    ----------
    score, sdr_db, museval_db : ndarray (stems,)
    invented_db, worst_db : float
        Vocals found where there are none, against the mixture: in all, and in the worst window of 5 s.
    guitar : ndarray (stems,)
        Share of the guitar that goes to each stem.
    """

    score: np.ndarray
    sdr_db: np.ndarray
    museval_db: np.ndarray
    invented_db: float
    worst_db: float
    guitar: np.ndarray


def level_db(part: np.ndarray, whole: np.ndarray) -> float:
    """Energy of `part` against `whole` in dB, at least -80."""
    return 10.0 * float(
        np.log10((part.astype(np.float64) ** 2).sum() / ((whole.astype(np.float64) ** 2).sum() + 1e-12) + 1e-8)
    )


def measure_item(network: MaskNetwork, config: ModelConfig, item: Item) -> Result:
    """Everything the panel asks of one excerpt."""
    mixture = item.stems.sum(0)
    estimates = separate(network, mixture, config.stft, config.lookahead_frames)
    score, sdr, museval = (np.full(len(STEMS), np.nan) for _ in range(3))
    for index in range(len(STEMS)):
        stem = item.stems[index]
        if not item.known[index] or level_db(stem, mixture) < AUDIBLE_DB:
            continue
        base, ideal = item.base_db[index], item.ideal_db[index]
        sdr[index], museval[index] = sdr_db(stem, estimates[index]), median_sdr_db(stem, estimates[index])
        if ideal - base >= LEAST_SPAN_DB:
            score[index] = (sdr[index] - base) / (ideal - base)
    invented, worst = np.nan, np.nan
    if not item.stems[0].any():
        size = int(WINDOW_SECONDS * SAMPLE_RATE)
        parts = [slice(start, start + size) for start in range(0, mixture.shape[1] - size + 1, size)]
        loud = [part for part in parts if level_db(mixture[:, part], mixture) > -20.0]
        invented = level_db(estimates[0], mixture)
        worst = max(level_db(estimates[0][:, part], mixture[:, part]) for part in loud)
    guitar = np.full(len(STEMS), np.nan)
    if item.guitar is not None and level_db(item.guitar, mixture) > -15.0:
        guitar = shares(item.guitar, masked(network, mixture, config.stft, config.lookahead_frames, item.guitar))
    return Result(score, sdr, museval, invented, worst, guitar)


def measure(network: MaskNetwork, config: ModelConfig, items: list[Item]) -> list[Result]:
    """Results in the order of the excerpts."""
    return [measure_item(network, config, item) for item in items]


def summary(results: list[Result]) -> dict:
    """Medians over the excerpts per stem, the mean score of the stems, invented vocals, the guitar's shares, the merit.

    merit = mean score + 0.25 x guitar in other - 0.01 x median of invented vocals in dB: what half A chooses by.
    """

    def median(name):
        return np.array(
            [np.nanmedian([getattr(result, name)[stem] for result in results]) for stem in range(len(STEMS))]
        )

    score = median("score")
    invented = np.array([result.invented_db for result in results])
    guitar = np.nanmean(np.array([result.guitar for result in results]), axis=0)
    return {
        "score": score,
        "sdr_db": median("sdr_db"),
        "museval_db": median("museval_db"),
        "mean_score": float(score.mean()),
        "invented_db": float(np.nanmedian(invented)),
        "invented_worst_db": float(np.nanmax(invented)),
        "worst_window_db": float(np.nanmax([result.worst_db for result in results])),
        "guitar": guitar,
        "merit": float(score.mean() + 0.25 * guitar[-1] - 0.01 * np.nanmedian(invented)),
    }


def interval(results: list[Result], base: list[Result] | None = None) -> tuple[float, float]:
    """5 and 95 % of the mean score over bootstrap draws of the excerpts; with `base`, of the difference to it."""
    scores = np.array([result.score for result in results])
    others = None if base is None else np.array([result.score for result in base])
    rng, means = np.random.default_rng(31), []
    for _ in range(DRAWS):
        drawn = rng.integers(len(scores), size=len(scores))
        if np.isnan(scores[drawn]).all(0).any():
            continue  # a stem that no drawn excerpt has
        mean = np.nanmedian(scores[drawn], axis=0).mean()
        means.append(mean if others is None else mean - np.nanmedian(others[drawn], axis=0).mean())
    low, high = np.percentile(means, [5.0, 95.0])
    return float(low), float(high)


def load_network(path: Path, config: ModelConfig) -> MaskNetwork:
    """A network in evaluation mode from an ONNX graph of a model folder, a checkpoint or a state dict."""
    from models.training.run.restore import restore
    from models.training.run.trainer import load_weights

    network = MaskNetwork(config.network)
    network.load_state_dict(restore(path, config) if path.suffix == ".onnx" else load_weights(path))
    return network.eval()


def models_parser(description: str | None) -> argparse.ArgumentParser:
    """A command line that takes models as NAME=PATH, for `load_models`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "models",
        nargs="+",
        metavar="NAME=PATH",
        help="a name that starts with mix, live or studio is of that kind",
    )
    return parser


def load_models(models: list[str]) -> Iterator[tuple[str, ModelConfig, MaskNetwork]]:
    """Name, configuration and network of each NAME=PATH in turn; sets up torch for measuring."""
    torch.set_num_threads(1)  # the steps are too small for two
    torch.set_flush_denormal(True)  # the states of silence decay into denormal numbers, ten times slower
    for name, path in (model.split("=", 1) for model in models):
        config = CONFIGS[max((known for known in CONFIGS if name.startswith(known)), key=len, default="mix")]
        yield name, config, load_network(Path(path), config)


def print_table(measured: dict[str, list[Result]]) -> None:
    """One row per model, the first one the base of the differences."""
    print(
        "| model | mean score (5-95 %) | difference to the first | score V/D/B/O | SDR | median of 1 s | "
        "invented vocals, worst excerpt, worst 5 s | guitar to V/D/B/O | merit |\n" + "|---" * 9 + "|"
    )
    base = next(iter(measured.values()))
    for name, results in measured.items():
        s = summary(results)
        low, high = interval(results)
        below, above = interval(results, base)
        cells = [" / ".join(f"{value:.2f}" for value in s[key]) for key in ("score", "sdr_db", "museval_db", "guitar")]
        print(
            f"| {name} | {s['mean_score']:.3f} ({low:.3f} to {high:.3f}) | {below:+.3f} to {above:+.3f} "
            f"| {cells[0]} | {cells[1]} | {cells[2]} "
            f"| {s['invented_db']:.1f}, {s['invented_worst_db']:.1f}, {s['worst_window_db']:.1f} dB "
            f"| {cells[3]} | {s['merit']:.3f} |",
            flush=True,
        )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = models_parser(__doc__)
    parser.add_argument("--half", choices=("A", "B"), required=True)
    parser.add_argument("--excerpts", action="store_true", help="print a line per excerpt, too")
    options = parser.parse_args(arguments)
    items, measured = build.load(options.half), {}
    for name, config, network in load_models(options.models):
        measured[name] = measure(network, config, items)
        if options.excerpts:
            for item, result in zip(items, measured[name], strict=True):
                print(
                    json.dumps(
                        {
                            "model": name,
                            "excerpt": item.excerpt.name,
                            "sdr_db": np.round(result.sdr_db, 2).tolist(),
                            "invented_db": round(result.invented_db, 1),
                            "guitar": np.round(result.guitar, 2).tolist(),
                        }
                    )
                )
    print_table(measured)


if __name__ == "__main__":
    main()
