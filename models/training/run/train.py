# SPDX-License-Identifier: MIT
"""Trains one model for a given number of minutes; stops and resumes at any time.

Run as `python -m models.training.run.train --config mix --minutes 60`. Checkpoints and the log go to
the cache folder, never into the repository; `export` makes the model folder.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

from models.training.data.pool import Pool, PoolError, cache_folder
from models.training.network.configs import CONFIGS, ModelConfig
from models.training.network.network import MaskNetwork
from models.training.panel import build
from models.training.panel.measure import measure, summary

from .trainer import Trainer, TrainingError


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    result = argparse.ArgumentParser(description=__doc__)
    result.add_argument("--config", choices=sorted(CONFIGS), default="mix")
    result.add_argument("--run", default=None, help="name of the run's folder; default: the config's name")
    result.add_argument("--minutes", type=float, default=60.0, help="training time in all, resumed runs included")
    result.add_argument("--max-steps", type=int, default=0)
    result.add_argument("--batch", type=int, default=10)
    result.add_argument("--frames", type=int, default=176)
    result.add_argument("--learning-rate", type=float, default=2e-3)
    result.add_argument("--weight-decay", type=float, default=1e-2)
    result.add_argument("--muon", action=argparse.BooleanOptionalAction, default=True)
    result.add_argument("--average-decay", type=float, default=0.9995)
    result.add_argument("--start-from", default=None, help="weights.pt or a checkpoint to begin with")
    result.add_argument(
        "--teacher", default=None, help="weights of a network to hold drums and bass of unlabelled music to"
    )
    result.add_argument(
        "--teacher-config", choices=sorted(CONFIGS), default=None, help="its sizes; default: those of --config"
    )
    result.add_argument(
        "--teach-everywhere", action="store_true", help="the teacher's drums and bass in labelled excerpts, too"
    )
    result.add_argument(
        "--teach-split",
        type=float,
        default=0.0,
        help="0 to 1: the teacher's word in labelled excerpts on which is drums and which is bass; 0: none",
    )
    result.add_argument("--teacher-weight", type=float, default=0.5, help="of what it says, against a known stem")
    result.add_argument("--seed", type=int, default=1)
    result.add_argument("--workers", type=int, default=1)
    result.add_argument("--processes", type=int, default=1, help="that share every update, each with its own batch")
    result.add_argument("--threads", type=int, default=0, help="of each process; 0: torch's choice")
    result.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="default: on a GPU and on CPUs with AVX-512; others only emulate it",
    )
    result.add_argument("--save-minutes", type=float, default=4.0)
    result.add_argument(
        "--measure-minutes", type=float, default=12.0, help="between measurements on half A of the panel"
    )
    result.add_argument(
        "--deadline", type=float, default=0.0, help="end then, in seconds since 1970, at a rate of zero; 0: none"
    )
    result.add_argument("--ramp-minutes", type=float, default=10.0, help="before the deadline, in which the rate falls")
    result.add_argument(
        "--panel", action=argparse.BooleanOptionalAction, default=True, help="--no-panel: tests of the loop"
    )
    result.add_argument(
        "--least-minutes", type=float, default=15.0, help="of every stem and of instrumentals in the pool"
    )
    return result


def panel_measure(config: ModelConfig):
    """A function that measures a network on half A. Raises PanelError where the panel is missing."""
    items = build.load("A")

    def on_half_a(network: MaskNetwork) -> dict:
        started, network = time.monotonic(), network.eval()
        result = summary(measure(network, config, items))
        print(f"measured in {time.monotonic() - started:.0f} s", flush=True)
        return result

    return on_half_a


def train(rank: int, options: argparse.Namespace) -> None:
    """Train in this process, as one of `options.processes`."""
    if options.threads:
        torch.set_num_threads(options.threads)
    config = CONFIGS[options.config]
    folder = cache_folder() / "runs" / (options.run or config.name)
    pool = Pool(cache_folder() / "pool")
    pool.require(options.least_minutes)
    on_half_a = panel_measure(config) if rank == 0 and options.panel else None
    folder.mkdir(parents=True, exist_ok=True)
    if options.processes > 1:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent passes it on
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{options.meeting}", rank=rank, world_size=options.processes
        )
    Trainer(config, folder, pool, options, rank).run(on_half_a)
    if options.processes > 1:
        torch.distributed.destroy_process_group()


def main(arguments: list[str] | None = None) -> None:
    """Command line; a training that cannot begin or go on ends with one line and status 1."""
    options = parser().parse_args(arguments)
    try:
        if options.processes == 1:
            train(0, options)
        else:
            _spawn(options)
    except (PoolError, build.PanelError, TrainingError) as error:
        sys.exit(f"train: {error}")


def _spawn(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options.meeting = Path(folder) / "meeting"  # the file through which the processes find each other
        context = torch.multiprocessing.spawn(train, (options,), options.processes, join=False)
        for number in (signal.SIGINT, signal.SIGTERM):  # the first process tells the others
            signal.signal(number, lambda *_: os.kill(context.pids()[0], signal.SIGTERM))
        while not context.join():
            pass


if __name__ == "__main__":
    main()
