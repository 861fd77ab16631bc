# SPDX-License-Identifier: MIT
"""Trains on a GPU in the background; every command resumes it and writes its state out.

`start` unpacks, tries batch sizes for a minute, and trains in a session of its own; `wait` follows it and copies
what it has to $OUT, in pieces that can be fetched. See models/training/README.md for the order of commands.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch

from models.training.network.configs import CONFIGS
from models.training.run.train import parser as training_parser
from models.training.run.trainer import SCORED_STEP, WARM_UP_FRAMES, Trainer

from .batches import DeviceBatches
from .pack import unpack

PIECE_BYTES = 15 * 2**20  # below 16 MiB, so that a slow or limited transfer takes them one by one
BATCH_SIZES = (32, 48, 64, 96)


class NoPool:
    """Stands where the trainer expects a pool: its batches come from the device."""


def make_batches(options: argparse.Namespace, audio, recordings, batch: int) -> DeviceBatches:
    """The device's batches for a configuration."""
    config = CONFIGS[options.config]
    scored = slice(WARM_UP_FRAMES, options.frames - config.lookahead_frames, SCORED_STEP)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return DeviceBatches(
        audio,
        recordings,
        config.stft,
        batch=batch,
        frames=options.frames,
        scored=scored,
        device=device,
        seed=options.seed,
    )


def fastest_batch(
    options: argparse.Namespace, folder: Path, audio, recordings, sizes: tuple[int, ...], seconds: float
) -> int:
    """The batch size that hears most audio a second, each tried for its share of `seconds`, unless memory runs out."""
    best, most = sizes[0], 0.0
    for size in sizes:
        options.batch = size
        trainer = Trainer(CONFIGS[options.config], folder / "nowhere", NoPool(), options)
        batches = iter(make_batches(options, audio, recordings, size))
        try:
            for _ in range(2):
                trainer.train_step(next(batches), 0.0, False)
            started, steps = time.monotonic(), 0
            while time.monotonic() - started < seconds / len(sizes):
                trainer.train_step(next(batches), 0.0, False)
                steps += 1
        except torch.OutOfMemoryError:
            break
        speed = steps * size / (time.monotonic() - started)
        print(f"batch {size}: {speed:.1f} excerpts a second", flush=True)
        if speed > most:
            best, most = size, speed
    return best


def train(options: argparse.Namespace, pack: Path, folder: Path, bench_seconds: float) -> None:
    """Unpack, choose the batch unless an earlier command has, and train until the minutes are spent."""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    audio, recordings = unpack(pack)
    print(f"{len(audio) / 44100 / 60:.0f} minutes of audio unpacked in {time.monotonic() - started:.0f} s", flush=True)
    chosen = folder / "batch.txt"
    if not chosen.exists():
        chosen.write_text(
            str(
                fastest_batch(options, folder, audio, recordings, BATCH_SIZES, bench_seconds)
                if bench_seconds
                else options.batch
            )
        )
    options.batch = int(chosen.read_text())
    batches = make_batches(options, audio, recordings, options.batch)
    trainer = Trainer(CONFIGS[options.config], folder, NoPool(), options)
    trainer.run(None, batches.starting_at(trainer.step))


def collect(folder: Path, out: Path) -> list[str]:
    """Copy the log, the averaged weights in half precision and the checkpoint in pieces to `out`; their names."""
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for name in ("log.jsonl", "batch.txt", "output.txt"):
        if (folder / name).exists():
            shutil.copy(folder / name, out / name)
            names.append(name)
    if (folder / "checkpoint.pt").exists():
        content = (folder / "checkpoint.pt").read_bytes()  # replaced atomically: always whole
        for index in range(0, len(content), PIECE_BYTES):
            name = f"checkpoint.pt.{index // PIECE_BYTES:02d}"
            (out / name).write_bytes(content[index : index + PIECE_BYTES])
            names.append(name)
        average = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)["average"]
        torch.save({name: value.half() for name, value in average.items()}, out / "average.pt")
        names.append("average.pt")
    return names


def join(pieces: Path, target: Path) -> None:
    """Put a checkpoint's fetched pieces together again."""
    with open(target, "wb") as file:
        file.writelines(piece.read_bytes() for piece in sorted(pieces.glob("checkpoint.pt.*")))


def start(pack: Path, folder: Path, bench_seconds: float, rest: list[str]) -> int:
    """Begin or resume in a session of its own, which outlives the command; returns its process id."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "output.txt", "ab") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "models.training.gpu.run", "train", str(pack), str(folder),
                "--bench-seconds", str(bench_seconds), *rest,
            ],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    (folder / "process.txt").write_text(str(process.pid))
    process.returncode = 0  # nobody waits for it: it outlives this command
    return process.pid


def alive(folder: Path) -> bool:
    """Whether the training that `start` began still runs."""
    try:
        pid = int((folder / "process.txt").read_text())
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    except FileNotFoundError:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("start", "train", "wait", "join"))
    parser.add_argument("pack", type=Path, help="the pack's folder; join: the folder of the pieces")
    parser.add_argument("folder", type=Path, help="the run's folder; join: the checkpoint to write")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "out")))
    parser.add_argument("--seconds", type=float, default=560.0, help="how long `wait` follows")
    parser.add_argument("--bench-seconds", type=float, default=60.0, help="0: take --batch")
    options, rest = parser.parse_known_args(arguments)
    if options.command == "join":
        join(options.pack, options.folder)
    elif options.command == "start":
        print(f"process {start(options.pack.resolve(), options.folder.resolve(), options.bench_seconds, rest)}")
    elif options.command == "train":
        train(
            training_parser().parse_args(["--save-minutes", "1", *rest]),
            options.pack,
            options.folder,
            options.bench_seconds,
        )
    else:
        until = time.monotonic() + options.seconds
        while time.monotonic() < until and alive(options.folder):
            time.sleep(min(2.0, max(0.0, until - time.monotonic())))
        print(*collect(options.folder, options.out))
        lines = (options.folder / "output.txt").read_text("utf-8").splitlines()
        print(*lines[-5:], sep="\n")


if __name__ == "__main__":
    main()
