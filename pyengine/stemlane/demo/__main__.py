# SPDX-License-Identifier: MIT
"""Bounces a song through the VST3 in pedalboard, without vocals and with moving drums, and shows what happened."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stemlane.catalog.song import SAMPLE_RATE, make_song
from stemlane.cli.output import printable
from stemlane.cli.progress import Progress
from stemlane.demo.picture import draw
from stemlane.engine.separator import Separator
from stemlane.errors import StemlaneError, one_line
from stemlane.evaluation.scores import measure
from stemlane.files.reading import AudioInput
from stemlane.files.writing import AudioOutput
from stemlane.plugin.hosting import load_plugin
from stemlane.plugin.status import plugin_status

if TYPE_CHECKING:
    import pedalboard

BLOCK_SAMPLES = 512
SWEEP_DB = (-18.0, 3.0)  # the drums' fader moves between these
SWEEP_SECONDS = 8.0


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stemlane.demo", description=__doc__)
    parser.add_argument("song", nargs="?", help="an audio file; without one, a song is synthesised")
    parser.add_argument("-o", "--output", default="demo", help="folder for the results (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        run(options.song, Path(options.output))
    except StemlaneError as error:
        print(f"stemlane demo: {printable(one_line(error))}", file=sys.stderr)
        return 1
    return 0


def run(song: str | None, folder: Path) -> None:
    """Write bounce, stems and picture of one song into `folder`, and print the numbers."""
    truth = None
    if song is None:
        print("composing the demo song (SONG=path takes your own)")
        truth, sample_rate = make_song(), SAMPLE_RATE
        mixture = np.sum(list(truth.values()), axis=0)
    else:
        with AudioInput(song) as source:
            mixture, sample_rate = np.concatenate(list(source.blocks()), axis=1), source.sample_rate
            if source.warning:
                print(f"stemlane demo: warning: {printable(source.warning)}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    seconds = mixture.shape[1] / sample_rate

    started = time.perf_counter()
    separator = Separator()  # the default model, as everywhere in scripts
    model = separator.manifest.name
    stems = separator.separate(mixture, sample_rate)
    library_seconds = time.perf_counter() - started

    started = time.perf_counter()
    plugin = load_plugin(model=model, vocals_gain_db="-inf")
    load_seconds = time.perf_counter() - started
    started = time.perf_counter()
    bounce = bounce_with_moving_drums(plugin, mixture, sample_rate)
    bounce_seconds = time.perf_counter() - started
    status = plugin_status(plugin)

    if truth is not None:
        _write(folder / "song.wav", mixture, sample_rate)
    _write(folder / "bounce.wav", bounce, sample_rate)
    for name, stem in stems.items():
        _write(folder / f"{name}.wav", stem, sample_rate)
    draw(folder / "spectrograms.png", f"Stemlane, model {model}: before, the faders, after", sample_rate=sample_rate,
         mixture=mixture, stems=stems, bounce=bounce,
         faders_db={"vocals": np.full(1, -np.inf), "drums": drums_db(np.linspace(0, seconds, 1000))})  # fmt: skip

    latency = status.latency_samples
    print(
        f"latency      {latency} samples = {1000 * latency / sample_rate:.1f} ms at {sample_rate:g} Hz, model {model}"
    )
    print(f"plugin       loaded in {load_seconds:.2f} s, bounced {seconds:.1f} s in {bounce_seconds:.1f} s: "
          f"{seconds / bounce_seconds:.1f} × real time, engine start included")  # fmt: skip
    print(f"library      separated in {library_seconds:.1f} s: {seconds / library_seconds:.1f} × real time, one thread")
    if truth is not None:
        _print_sdr(truth, stems, mixture)
    print(f"written      {folder}/bounce.wav, {', '.join(f'{name}.wav' for name in stems)}, spectrograms.png")


def drums_db(seconds: float | np.ndarray) -> np.ndarray:
    """Where the drums' fader stands at a time."""
    low, high = SWEEP_DB
    return (low + high) / 2 + (high - low) / 2 * np.cos(2 * np.pi * np.asarray(seconds) / SWEEP_SECONDS)


def bounce_with_moving_drums(plugin: "pedalboard.VST3Plugin", mixture: np.ndarray, sample_rate: float) -> np.ndarray:
    """Send the mixture through the plugin block by block and move the drums' fader meanwhile.

    A gain set before a block acts on that block's samples, however late they come out.
    """
    plugin.reset()
    num_samples = mixture.shape[1]
    out = []
    with Progress("bouncing", num_samples / sample_rate) as progress:
        for start in range(0, num_samples, BLOCK_SAMPLES):
            setattr(plugin, "drums_gain_db", float(drums_db(start / sample_rate)))  # noqa: B010 - pedalboard names parameters as it finds them
            block = mixture[:, start : start + BLOCK_SAMPLES]
            out.append(plugin.process(block, sample_rate, buffer_size=BLOCK_SAMPLES, reset=False))
            progress(block.shape[1] / sample_rate)
        # The plugin answers late by its latency: silence pushes out what is left.
        silence = np.zeros((mixture.shape[0], BLOCK_SAMPLES), np.float32)
        while sum(piece.shape[1] for piece in out) < num_samples:
            out.append(plugin.process(silence, sample_rate, buffer_size=BLOCK_SAMPLES, reset=False))
    return np.concatenate(out, axis=1)[:, :num_samples]


def _write(path: Path, audio: np.ndarray, sample_rate: float) -> None:
    with AudioOutput(path, int(sample_rate), audio.shape[0]) as output:
        output.write(audio)


def _print_sdr(truth: dict[str, np.ndarray], stems: dict[str, np.ndarray], mixture: np.ndarray) -> None:
    print(
        "SDR, dB      " + "  ".join(f"{name:>8}" for name in truth) + "   (higher is better; 'mixture': not separated)"
    )
    true = np.stack(list(truth.values()))
    for title, estimate in (
        ("separated", np.stack([stems[name] for name in truth])),
        ("mixture", np.stack([mixture] * len(truth))),
    ):
        results = measure([true], [estimate])
        print(f"  {title:<10} " + "  ".join(f"{result.sdr_db:8.1f}" for result in results))


if __name__ == "__main__":
    sys.exit(main())
