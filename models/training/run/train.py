# SPDX-License-Identifier: MIT
"""Trains one model for a given number of minutes; stops and resumes at any time.

Run as `python -m models.training.run.train --config mix --minutes 60`. Checkpoints and the log go to
the cache folder, never into the repository; `export` makes the model folder.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import math
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from ..data.batches import BatchMaker
from ..network.configs import CONFIGS, ModelConfig
from .evaluate import Evaluation
from ..network.loss import SeparationLoss
from ..network.network import MaskNetwork
from ..network.optimizer import Muon
from ..data.pool import STEMS, Pool, audio_folder, cache_folder

WARM_UP_FRAMES = 8  # not scored: the states are still those of silence
SCORED_STEP = 2  # frames overlap by 75 % and more: every other one says nearly all, and saves a sixth of an update


class BatchStream(torch.utils.data.IterableDataset):
    """This rank's share of the batches from `first` on, made in the data worker.

    It looks for new recordings every 40 batches.
    """

    def __init__(self, maker: BatchMaker, first: int, rank: int, num_ranks: int):
        self.maker = maker
        self.first = first
        self.rank = rank
        self.num_ranks = num_ranks

    def __iter__(self):
        torch.set_num_threads(1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        info = torch.utils.data.get_worker_info()
        worker, num_workers = (info.id, info.num_workers) if info else (0, 1)
        for count in itertools.count():
            if count % 40 == 0:
                self.maker.pool.refresh()
            index = self.first + (count * num_workers + worker) * self.num_ranks + self.rank
            batch = self.maker.make(index)
            yield tuple(torch.from_numpy(part) for part in
                        (batch.energy, batch.cross, batch.product, batch.stem_energy))


def with_mirrors(batches: Iterable[tuple[torch.Tensor, ...]], delay: int = 6) -> Iterator[tuple[torch.Tensor, ...]]:
    """Every batch, and some batches later the same with left and right exchanged: a new excerpt for nothing.

    Making a batch costs half as much as an update, so this is a sixth off the price of an update.
    """
    waiting: deque[tuple[torch.Tensor, ...]] = deque()
    for batch in batches:
        yield batch
        waiting.append(batch)
        if len(waiting) > delay:
            energy, cross, product, stem_energy = waiting.popleft()
            yield energy.flip(2), cross, product.flip(3), stem_energy.flip(2)


class Average:
    """Exponential moving average of the weights, with a short memory at the start."""

    def __init__(self, network: MaskNetwork, decay: float):
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: MaskNetwork) -> None:
        self.updates += 1
        decay = min(self.decay, (1.0 + self.updates) / (10.0 + self.updates))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1.0 - decay)


def learning_rate(peak: float, progress: float, step: int) -> float:
    """Linear warm-up over 100 steps, then a cosine over the progress (0 to 1) down to 2 % of the peak."""
    return peak * min(1.0, (step + 1) / 100.0) * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * progress)))


def load_weights(path: Path) -> dict:
    """A state dict, float32, from a committed `weights.pt` or a checkpoint (its averaged weights)."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    state = content.get("average", content)
    return {name: value.float() for name, value in state.items()}


def make_optimizers(network: MaskNetwork, options: argparse.Namespace) -> list[torch.optim.Optimizer]:
    """Muon for the weight matrices, AdamW for biases and norms (and for all with `--no-muon`)."""
    matrices, vectors = [], []
    for name, parameter in network.named_parameters():
        is_matrix = options.muon and parameter.dim() >= 2 and "bias" not in name
        (matrices if is_matrix else vectors).append((name, parameter))
    result: list[torch.optim.Optimizer] = [
        torch.optim.AdamW([parameter for _, parameter in vectors], lr=options.learning_rate, betas=(0.9, 0.98),
                          weight_decay=options.weight_decay, fused=True)]
    if matrices:
        result.append(Muon(matrices, lr=options.learning_rate, weight_decay=options.weight_decay))
    return result


class Trainer:
    """Holds everything a run needs; `run` trains until the budget is spent.

    Parameters
    ----------
    config : ModelConfig
    run_folder : Path
        Checkpoint and log; an existing checkpoint is resumed.
    pool : Pool
    options : argparse.Namespace
        See `parser`.
    rank : int
        Which of `options.processes` processes this is. They share every update; the first one keeps the records.
    """

    def __init__(self, config: ModelConfig, run_folder: Path, pool: Pool, options: argparse.Namespace, rank: int = 0):
        self.rank, self.num_ranks = rank, options.processes
        self.config = config
        self.folder = run_folder
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bfloat16 = options.bfloat16
        if self.bfloat16 is None:
            self.bfloat16 = self.device.type == "cuda" or torch.backends.cpu.get_cpu_capability() == "AVX512"
        torch.manual_seed(options.seed)
        torch.set_flush_denormal(True)
        self.network = MaskNetwork(config.network).to(self.device)
        if options.start_from:
            self.network.load_state_dict(load_weights(Path(options.start_from)))
        self.average = Average(self.network, options.average_decay)
        self.optimizers = make_optimizers(self.network, options)
        self.step, self.elapsed, self.best = 0, 0.0, -math.inf
        self.checkpoint = run_folder / "checkpoint.pt"
        if self.checkpoint.exists():
            self._resume()
        self.maker = BatchMaker(pool, config.stft, batch=options.batch, frames=options.frames, seed=options.seed,
                                scored=slice(WARM_UP_FRAMES, options.frames - config.lookahead_frames, SCORED_STEP))
        self.loss = SeparationLoss()

    def _resume(self) -> None:
        content = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.network.load_state_dict(content["network"])
        self.average.network.load_state_dict(content["average"])
        self.average.updates = content["step"]
        for optimizer, state in zip(self.optimizers, content["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.step, self.elapsed, self.best = content["step"], content["elapsed"], content["best"]

    def save(self) -> None:
        """Write the checkpoint atomically; the first rank does."""
        if self.rank:
            return
        part = self.checkpoint.with_suffix(".part")
        torch.save({"network": self.network.state_dict(), "average": self.average.network.state_dict(),
                    "optimizers": [optimizer.state_dict() for optimizer in self.optimizers], "step": self.step,
                    "elapsed": self.elapsed, "best": self.best}, part)
        os.replace(part, self.checkpoint)

    def log(self, **values) -> None:
        """One JSON line in the run's log, and on the terminal, by the first rank."""
        if self.rank:
            return
        line = json.dumps({"time": time.strftime("%H:%M:%S"), "step": self.step,
                           "minutes": round(self.elapsed / 60, 2), **values})
        print(line, flush=True)
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def agree(self, progress: float, stop: bool) -> tuple[float, bool]:
        """The mean of all ranks' gradients, the first rank's progress, and whether any rank wants to stop."""
        if self.num_ranks == 1:
            return progress, stop
        gradients = [parameter.grad for parameter in self.network.parameters()]
        said = torch.tensor([progress if self.rank == 0 else 0.0, float(stop)], device=self.device)
        flat = torch.cat([said, *(gradient.flatten() for gradient in gradients)])
        torch.distributed.all_reduce(flat)
        position = 2
        for gradient in gradients:
            gradient.copy_(flat[position:position + gradient.numel()].view_as(gradient) / self.num_ranks)
            position += gradient.numel()
        return float(flat[0]), bool(flat[1] > 0)

    def train_step(self, batch: tuple[torch.Tensor, ...], progress: float, stop: bool) -> tuple[float, torch.Tensor, bool]:
        """One update; returns the loss, the error per stem relative to the mixture, and whether to stop after it."""
        energy, cross, product, stem_energy = (part.to(self.device, non_blocking=True) for part in batch)
        scored, lookahead = self.maker.scored, self.config.lookahead_frames
        decoded = slice(scored.start + lookahead, scored.stop + lookahead, scored.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            masks, _ = self.network(energy, cross, decoded=decoded)
        loss, error = self.loss(masks.float(), energy[scored], product, stem_energy)
        loss.backward()
        progress, stop = self.agree(progress, stop)
        rate = learning_rate(self.options.learning_rate, progress, self.step)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0, foreach=True)
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.average.update(self.network)
        return float(loss.detach()), error, stop

    def validate(self, evaluation: Evaluation) -> None:
        """Score the averaged weights on the validation song; keep the best."""
        result = evaluation.run(self.average.network, self.config.stft, self.config.lookahead_frames)
        rounded = {stem: round(value, 2) for stem, value in zip(STEMS, result["sdr_db"])}
        self.log(sdr_db=rounded, score=[round(value, 3) for value in result["score"]],
                 mean_score=round(result["mean_score"], 4))
        if result["mean_score"] > self.best:
            self.best = result["mean_score"]
            torch.save(self.average.network.state_dict(), self.folder / "best.pt")

    def run(self, evaluation: Evaluation | None) -> None:
        """Train until `minutes` of training are spent in all, this and earlier runs together."""
        options = self.options
        budget = 60.0 * options.minutes
        stream = BatchStream(self.maker, self.step * self.num_ranks // 2, self.rank, self.num_ranks)
        loader = torch.utils.data.DataLoader(stream, batch_size=None, num_workers=options.workers,
                                             prefetch_factor=2 if options.workers else None)
        last_save = last_validation = self.elapsed
        last_step, last_log, stopped = self.step, time.monotonic(), []
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
        losses, errors = [], []
        clock = time.monotonic()
        for batch in with_mirrors(loader):
            last = bool(options.max_steps) and self.step + 1 >= options.max_steps
            progress = min(1.0, self.elapsed / budget)
            loss, error, stop = self.train_step(batch, progress, bool(stopped) or last or progress == 1.0)
            losses.append(loss)
            errors.append(error)
            self.step += 1
            now = time.monotonic()
            self.elapsed += now - clock
            clock = now
            if self.step % 50 == 0:
                audio = self.num_ranks * options.batch * options.frames * self.config.stft.hop_samples / 44100.0
                mean_error = 10.0 * torch.log10(torch.stack(errors).mean(0))
                self.log(loss=round(sum(losses) / len(losses), 4),
                         error_db=[round(float(value), 2) for value in mean_error],
                         audio_per_second=round((self.step - last_step) * audio / (now - last_log), 1))
                losses, errors, last_step, last_log = [], [], self.step, now
            if evaluation and self.elapsed - last_validation > 60.0 * options.validate_minutes:
                self.validate(evaluation)
                last_validation = self.elapsed
            if self.elapsed - last_save > 60.0 * options.save_minutes:
                self.save()
                last_save = self.elapsed
            if stop:
                break
        self.save()
        if evaluation and not stopped:
            self.validate(evaluation)


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    result = argparse.ArgumentParser(description=__doc__)
    result.add_argument("--config", choices=sorted(CONFIGS), default="mix")
    result.add_argument("--run", default=None, help="name of the run's folder; default: the config's name")
    result.add_argument("--minutes", type=float, default=60.0, help="training time in all, resumed runs included")
    result.add_argument("--max-steps", type=int, default=0)
    result.add_argument("--batch", type=int, default=8)
    result.add_argument("--frames", type=int, default=176)
    result.add_argument("--learning-rate", type=float, default=2e-3)
    result.add_argument("--weight-decay", type=float, default=1e-2)
    result.add_argument("--muon", action=argparse.BooleanOptionalAction, default=True)
    result.add_argument("--average-decay", type=float, default=0.998)
    result.add_argument("--start-from", default=None, help="weights.pt or a checkpoint to begin with")
    result.add_argument("--seed", type=int, default=1)
    result.add_argument("--workers", type=int, default=1)
    result.add_argument("--processes", type=int, default=1, help="that share every update, each with its own batch")
    result.add_argument("--threads", type=int, default=0, help="of each process; 0: torch's choice")
    result.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=None,
                        help="default: on a GPU and on CPUs with AVX-512; others only emulate it")
    result.add_argument("--save-minutes", type=float, default=4.0)
    result.add_argument("--validate-minutes", type=float, default=8.0)
    return result


def train(rank: int, options: argparse.Namespace) -> None:
    """Train in this process, as one of `options.processes`."""
    if options.threads:
        torch.set_num_threads(options.threads)
    config = CONFIGS[options.config]
    folder = cache_folder() / "runs" / (options.run or config.name)
    folder.mkdir(parents=True, exist_ok=True)
    validation = audio_folder() / "songs" / "validation" / "3.Sodium"
    evaluation = Evaluation(validation) if rank == 0 and validation.is_dir() else None
    if options.processes > 1:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent passes it on
        torch.distributed.init_process_group("gloo", init_method=f"file://{options.meeting}", rank=rank,
                                             world_size=options.processes)
    Trainer(config, folder, Pool(cache_folder() / "pool"), options, rank).run(evaluation)
    if options.processes > 1:
        torch.distributed.destroy_process_group()


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    options = parser().parse_args(arguments)
    if options.processes == 1:
        train(0, options)
        return
    with tempfile.TemporaryDirectory() as folder:
        options.meeting = Path(folder) / "meeting"  # the file through which the processes find each other
        context = torch.multiprocessing.spawn(train, (options,), options.processes, join=False)
        for number in (signal.SIGINT, signal.SIGTERM):  # the first process tells the others
            signal.signal(number, lambda *_: os.kill(context.pids()[0], signal.SIGTERM))
        while not context.join():
            pass


if __name__ == "__main__":
    main()
