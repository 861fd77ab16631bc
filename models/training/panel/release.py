# SPDX-License-Identifier: MIT
"""What is measured once a release and never chosen by: the validation song, and music kept outside training and panel.

Run as `python -m models.training.panel.release mix=models/mix/network.onnx ...`; names as in `measure`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from models.training.data.material import read_stereo
from models.training.data.packages import unpacked
from models.training.data.pool import STEMS, audio_folder
from models.training.data.withdrawn import OUTSIDE
from models.training.network.configs import ModelConfig
from models.training.network.network import MaskNetwork

from .evaluate import Evaluation, masked, separate, shares
from .measure import level_db, load_models, models_parser

EXCERPT_SECONDS = 40.0


def middle(path: Path, seconds: float = EXCERPT_SECONDS) -> np.ndarray:
    """The middle of a recording (2, samples) at 44.1 kHz."""
    info = soundfile.info(path)
    size = min(info.frames, int(seconds * info.samplerate))
    return read_stereo(path, (info.frames - size) // 2, size)


def instrumentals() -> dict[str, np.ndarray]:
    """40 s from the middle of every second album track of the first package outside, and of the songs of the other."""
    games, songs = (unpacked(package) for package in OUTSIDE)
    files = sorted(games.rglob("*.opus"))[::2]
    found = {path.stem: middle(path) for path in files}
    return found | {guitar.parent.name: sum(together(guitar)) for guitar in sorted(songs.rglob("guitar.ogg"))}


def together(guitar: Path) -> tuple[np.ndarray, np.ndarray]:
    """The middle of a song's guitar and of the rest, equally long."""
    parts = middle(guitar), middle(guitar.with_name("song.ogg"))
    length = min(part.shape[1] for part in parts)
    return parts[0][:, :length], parts[1][:, :length]


def report(name: str, network: MaskNetwork, config: ModelConfig) -> None:
    """Print the figures of one model."""
    arguments = config.stft, config.lookahead_frames
    result = Evaluation(audio_folder() / "songs" / "validation" / "3.Sodium").run(network, *arguments)
    scores = ", ".join(
        f"{stem} {sdr:.2f} dB ({score:.3f})"
        for stem, sdr, score in zip(STEMS, result["sdr_db"], result["score"], strict=True)
    )
    print(f"{name}: validation song: {scores}; mean score {result['mean_score']:.3f}", flush=True)
    found = {song: level_db(separate(network, audio, *arguments)[0], audio) for song, audio in instrumentals().items()}
    worst = max(found, key=found.get)
    print(
        f"{name}: {len(found)} instrumentals outside: invented vocals {np.median(list(found.values())):.1f} dB median, "
        f"{found[worst]:.1f} dB worst ({worst})",
        flush=True,
    )
    goes = []
    for path in sorted(unpacked(OUTSIDE[1]).rglob("guitar.ogg")):
        guitar, rest = together(path)
        goes.append(shares(guitar, masked(network, guitar + rest, *arguments, guitar)))
    print(
        f"{name}: guitar of {len(goes)} songs outside to "
        + ", ".join(f"{stem} {share:.2f}" for stem, share in zip(STEMS, np.mean(goes, axis=0), strict=True)),
        flush=True,
    )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    options = models_parser(__doc__).parse_args(arguments)
    for name, config, network in load_models(options.models):
        report(name, network, config)


if __name__ == "__main__":
    main()
