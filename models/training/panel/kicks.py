# SPDX-License-Identifier: MIT
"""Where electronic kicks and basses go, of which half A of the panel has few: a side condition beside it.

Run as `python -m models.training.panel.kicks --half A live=models/live/network.onnx new=weights.pt ...`; names as in
`measure`. Half A chooses: rendered songs with seeds that no training uses, and tracker modules that it leaves out
(`modules.KICKS`). Half B is reported: demo songs and modules that no training has ever heard. In both are songs whose
bass is as short and as low as a kick (`staccato`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.training.data import demos, modules, staccato
from models.training.data.pool import STEMS, cache_folder, code_hash
from models.training.data.render import render_part, render_song
from models.training.network.configs import ModelConfig
from models.training.network.network import MaskNetwork
from models.training.network.spectral import SAMPLE_RATE

from .build import loud_part
from .evaluate import bounds_db, masked, sdr_db, separate, shares
from .measure import load_models, models_parser
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
STACCATO_SEEDS = {"A": staccato.MEASURED[:8], "B": staccato.MEASURED[8:]}
STACCATO = "staccato"  # how the names of these excerpts begin
DRUMS, BASS = STEMS.index("drums"), STEMS.index("bass")
LEVEL_DB = -20.0  # of the mixture
HEARD_SECONDS = 10.0  # the start of every excerpt: more says the same
SOURCES = ("demos", "drums", "instruments", "kits", "modules", "render", "scores", "staccato", "synths")

Stems = dict[str, np.ndarray]


@dataclass(frozen=True)
class Kicks:
    """Of one excerpt.

    Attributes
    ----------
    drums_in_bass, bass_in_drums : float
        Share of the one that goes to the other; nan where an excerpt has none of it.
    score : ndarray (2,)
        Of drums and bass, as in `evaluate`; nan likewise.
    """

    drums_in_bass: float
    bass_in_drums: float
    score: np.ndarray


def _songs_of_half_a() -> Iterator[tuple[str, Stems]]:
    for seed in PART_SEEDS:
        yield f"part_{seed}", {stem: render_part(seed, stem, SECONDS) for stem in ("drums", "bass", "other")}
    for seed in SONG_SEEDS:
        yield f"song_{seed}", render_song(seed, SECONDS)
    for package, names in MODULES:
        for path in modules.files(package):
            if path.stem in names:
                yield path.stem, modules.render(path)


def _songs_of_half_b() -> Iterator[tuple[str, Stems]]:
    for name in demos.HELD_OUT:
        yield Path(name).stem, demos.render(demos.PROJECTS / name)
    for path in modules.files(modules.HELD_OUT):
        stems = modules.render(path)
        if stems:
            yield path.stem, stems


def _made(half: str) -> dict[str, Stems]:
    """Drums, bass and other (2, samples) of every excerpt by name."""
    found: dict[str, Stems] = {}
    for name, stems in _songs_of_half_a() if half == "A" else _songs_of_half_b():
        rng = np.random.default_rng([23, len(found)])
        found[name] = dict(zip(stems, loud_part(rng, *stems.values()), strict=True))
    return found | {f"{STACCATO}_{seed}": staccato.render_staccato(seed, SECONDS) for seed in STACCATO_SEEDS[half]}


def excerpts(half: str) -> Stems:
    """Stems (4, 2, samples) by name, at one level; made once and kept in the cache."""
    root = Path(__file__).parents[1]
    digest = code_hash([Path(__file__), *(root / "data" / f"{name}.py" for name in SOURCES)])
    path = cache_folder() / "panel" / f"kicks-{half}-{digest}.npz"
    if not path.exists():
        kept = {}
        for name, parts in _made(half).items():
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
    """Shares and scores of one excerpt (4, 2, samples) with its `evaluate.bounds_db`."""
    mixture, arguments = stems.sum(0), (config.stft, config.lookahead_frames)
    goes = {}
    for source, target in ((DRUMS, BASS), (BASS, DRUMS)):
        heard = stems[source].any()
        masked_part = masked(network, mixture, *arguments, stems[source]) if heard else None
        goes[source] = float(shares(stems[source], masked_part)[target]) if heard else np.nan
    estimates, (base, ideal) = separate(network, mixture, *arguments), bounds
    score = [
        (sdr_db(stems[index], estimates[index]) - base[index]) / (ideal[index] - base[index])
        if stems[index].any()
        else np.nan
        for index in (DRUMS, BASS)
    ]
    return Kicks(goes[DRUMS], goes[BASS], np.array(score))


def print_row(name: str, kind: str, found: dict[str, Kicks]) -> None:
    """Means of the shares, the worst excerpt, medians of the scores."""
    goes = {excerpt: kicks.drums_in_bass for excerpt, kicks in found.items()}
    worst = max(goes, key=lambda excerpt: np.nan_to_num(goes[excerpt]))
    score = np.nanmedian([kicks.score for kicks in found.values()], axis=0)
    print(
        f"| {name} | {kind}, {len(found)} | {np.nanmean(list(goes.values())):.3f}, {goes[worst]:.2f} ({worst}) "
        f"| {np.nanmean([kicks.bass_in_drums for kicks in found.values()]):.3f} "
        f"| {score[0]:.3f} / {score[1]:.3f} | {score.mean():.3f} |",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = models_parser(__doc__)
    parser.add_argument("--half", choices=("A", "B"), required=True)
    parser.add_argument("--excerpts", action="store_true", help="print a line per excerpt, too")
    options = parser.parse_args(arguments)
    items = {name: stems[:, :, : int(HEARD_SECONDS * SAMPLE_RATE)] for name, stems in excerpts(options.half).items()}
    bounds = {name: bounds_db(stems) for name, stems in items.items()}
    print(
        "| model | excerpts | drums in bass, worst | bass in drums | score drums / bass | mean |\n" + "|---" * 6 + "|",
        flush=True,
    )
    for name, config, network in load_models(options.models):
        found = {excerpt: measure_kicks(network, config, stems, bounds[excerpt]) for excerpt, stems in items.items()}
        short = {excerpt: kicks for excerpt, kicks in found.items() if excerpt.startswith(STACCATO)}
        print_row(name, "songs", {excerpt: kicks for excerpt, kicks in found.items() if excerpt not in short})
        print_row(name, "short basses", short)
        if options.excerpts:
            for excerpt, kicks in found.items():
                print(
                    f"  {excerpt}: {kicks.drums_in_bass:.3f} {kicks.bass_in_drums:.3f} {np.round(kicks.score, 2)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
