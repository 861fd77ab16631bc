# SPDX-License-Identifier: MIT
"""The numbers of the model card: the validation song, rendered songs with unseen instruments and voices, instrumentals.

Run as `python -m models.training.panel.report --config mix`; it measures the weights in the model folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from ..network.configs import CONFIGS, ModelConfig
from ..run.evaluate import Evaluation, sdr_db, separate
from ..run.export import MODELS_FOLDER
from ..data.material import at_speed, read_stereo, vocal_chain
from ..network.network import MaskNetwork
from ..data.pool import SCALE, STEMS, audio_folder, cache_folder
from ..data.render import UNSEEN, render_song
from ..run.restore import restore
from ..network.spectral import SAMPLE_RATE

# Far from the seeds anyone renders for training; voices that `material` never uses.
FIRST_SEED = 1_000_000
UNSEEN_VOICES = ("speech_kerstin_de", "speech_vctk_48k", "mtg_sms_tools")


def unseen_song(index: int, seconds: float) -> np.ndarray:
    """Stems (4, 2, samples): an unseen rendered song with spoken or sung phrases of an unseen voice."""
    stems = np.zeros((len(STEMS), 2, int(seconds * SAMPLE_RATE)), np.float32)
    for name, audio in render_song(FIRST_SEED + index, seconds, UNSEEN).items():
        stems[STEMS.index(name)] = audio
    rng = np.random.default_rng([9, index])
    files = [path for name in UNSEEN_VOICES for path in sorted((audio_folder() / "vocals" / name).rglob("*.ogg"))]
    position = int(SAMPLE_RATE * rng.uniform(0, 2))
    while position < stems.shape[2]:
        phrase = at_speed(read_stereo(files[int(rng.integers(len(files)))]), float(rng.uniform(0.9, 1.1)))
        phrase = phrase * np.float32(0.06 / (np.sqrt((phrase ** 2).mean()) + 1e-6))
        stop = min(stems.shape[2], position + phrase.shape[1])
        stems[0, :, position:stop] = phrase[:, :stop - position]
        position = stop + int(SAMPLE_RATE * rng.uniform(0.3, 2))
    stems[0] = vocal_chain(rng)(stems[0], SAMPLE_RATE)
    return stems


def cached_song(index: int, seconds: float) -> np.ndarray:
    """`unseen_song`, kept in the cache folder because rendering is slow."""
    path = cache_folder() / "unseen" / f"instruments_{index:03d}_{seconds:g}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, unseen_song(index, seconds))
    return np.load(path)


def demo_songs() -> list[np.ndarray]:
    """Stems (4, 2, samples) of the electronic instrumentals that no training heard, if `demos` has rendered them."""
    songs = []
    for folder in sorted((cache_folder() / "demos").glob("[!.]*")):
        parts = {path.stem: np.load(path).T.astype(np.float32) / SCALE for path in sorted(folder.glob("*.npy"))}
        silent = np.zeros_like(parts["drums"])
        songs.append(np.stack([parts.get(stem, silent) for stem in STEMS]))
    return songs


def leak_db(network: MaskNetwork, config: ModelConfig, stems: np.ndarray) -> float:
    """Energy of the vocals found in an instrumental, relative to it."""
    mixture = stems[1:].sum(0)
    vocals = separate(network, mixture, config.stft, config.lookahead_frames)[0]
    return 10.0 * float(np.log10(((vocals ** 2).sum() + 1e-9) / ((mixture ** 2).sum() + 1e-9)))


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=sorted(CONFIGS), default="mix")
    parser.add_argument("--graph", type=Path, default=None)
    parser.add_argument("--songs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args(arguments)
    config = CONFIGS[options.config]
    torch.set_num_threads(1)  # the steps are too small for two
    torch.set_flush_denormal(True)  # the states of silence decay into denormal numbers, ten times slower
    network = MaskNetwork(config.network)
    network.load_state_dict(restore(options.graph or MODELS_FOLDER / config.name / "network.onnx", config))
    network.eval()

    evaluation = Evaluation(audio_folder() / "songs" / "validation" / "3.Sodium")
    result = evaluation.run(network, config.stft, config.lookahead_frames)
    print("| stem | SDR | median of 1 s | base | ideal mask | score |\n|---|---|---|---|---|---|")
    columns = zip(STEMS, result["sdr_db"], result["median_db"], evaluation.base, evaluation.ideal, result["score"])
    for stem, sdr, median, base, ideal, score in columns:
        print(f"| {stem} | {sdr:.2f} | {median:.2f} | {base:.2f} | {ideal:.2f} | {score:.3f} |")
    print(f"\nmean score {result['mean_score']:.3f}")
    print(f"vocals found in the validation song without its vocals: "
          f"{leak_db(network, config, evaluation.stems):.1f} dB of the mixture", flush=True)

    sdr, leaks = [], []
    for index in range(options.songs):
        stems = cached_song(index, options.seconds)
        estimates = separate(network, stems.sum(0), config.stft, config.lookahead_frames)
        sdr.append([sdr_db(stem, estimate) for stem, estimate in zip(stems, estimates)])
        leaks.append(leak_db(network, config, stems))
    median = np.median(np.array(sdr), axis=0)
    print(f"{options.songs} unseen rendered songs, median SDR: "
          + ", ".join(f"{stem} {value:.2f}" for stem, value in zip(STEMS, median)))
    print(f"vocals found in them without vocals: median {np.median(leaks):.1f} dB, worst {max(leaks):.1f} dB", flush=True)

    for stems in demo_songs():
        estimates = separate(network, stems.sum(0), config.stft, config.lookahead_frames)
        parts = ", ".join(f"{STEMS[index]} {sdr_db(stems[index], estimates[index]):.2f}" for index in range(1, len(STEMS)))
        print(f"held-out instrumental of {stems.shape[2] / SAMPLE_RATE:.0f} s, SDR: {parts}, "
              f"vocals found {leak_db(network, config, stems):.1f} dB")


if __name__ == "__main__":
    main()
