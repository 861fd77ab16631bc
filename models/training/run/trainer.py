# SPDX-License-Identifier: MIT
"""The training loop: batches in, checkpoints and a log out; it stops and resumes at any time.

What it needs to begin with, and the command line, are left to `train`.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch

from models.training.data.batches import BatchMaker
from models.training.data.pool import Pool
from models.training.network.configs import CONFIGS, ModelConfig
from models.training.network.loss import SeparationLoss
from models.training.network.network import MaskNetwork
from models.training.network.optimizer import Muon
from models.training.network.spectral import SAMPLE_RATE
from models.training.run.stream import BatchStream, with_mirrors
from models.training.run.teacher import Teacher, later

WARM_UP_FRAMES = 8  # not scored: the states are still those of silence
SCORED_STEP = 2  # frames overlap by 75 % and more: every other one says nearly all, and saves a sixth of an update
WARM_UP_STEPS = 50
LONGEST_STEP_SECONDS = 4.0  # counted against the budget: at idle priority most of a step's time may be waiting


class TrainingError(RuntimeError):
    """A training cannot begin or go on."""


class Average:
    """Exponential moving average of the weights, with a short memory at the start."""

    def __init__(self, network: MaskNetwork, decay: float):
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: MaskNetwork) -> None:
        """Take in the weights after an update."""
        self.updates += 1
        decay = min(self.decay, (1.0 + self.updates) / (10.0 + self.updates))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1.0 - decay)


def learning_rate(peak: float, progress: float, step: int) -> float:
    """Linear warm-up, then a cosine over the progress (0 to 1) that ends at zero."""
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1.0 + math.cos(math.pi * progress))


def ramp_to_end(seconds_left: float, ramp_seconds: float) -> float:
    """Factor on the rate, 1 to 0, over the last seconds before a run's deadline."""
    return min(1.0, max(0.0, seconds_left / ramp_seconds))


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
        torch.optim.AdamW(
            [parameter for _, parameter in vectors],
            lr=options.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=options.weight_decay,
            fused=True,
        )
    ]
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
            # On CUDA, LSTMs under autocast run in float16 without loss scaling and lose their gradients: TF32 instead.
            self.bfloat16 = self.device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX512"
        if self.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.manual_seed(options.seed)
        torch.set_flush_denormal(True)
        self.network = MaskNetwork(config.network).to(self.device)
        if options.start_from:
            self.network.load_state_dict(load_weights(Path(options.start_from)))
        self.teacher, lookahead = None, config.lookahead_frames
        if options.teacher:
            sizes = CONFIGS[options.teacher_config] if options.teacher_config else config
            network = MaskNetwork(sizes.network).to(self.device)
            network.load_state_dict(load_weights(Path(options.teacher)))
            weight, everywhere, split = options.teacher_weight, options.teach_everywhere, options.teach_split
            self.teacher = Teacher(network, weight, everywhere, split, lookahead_frames=sizes.lookahead_frames)
            lookahead = max(lookahead, sizes.lookahead_frames)
        self.average = Average(self.network, options.average_decay)
        self.optimizers = make_optimizers(self.network, options)
        self.ramp = 1.0  # on the rate, towards a deadline
        self.step, self.elapsed, self.best, self.audio_seconds = 0, 0.0, -math.inf, 0.0
        self.checkpoint = run_folder / "checkpoint.pt"
        if self.checkpoint.exists():
            self._resume()
        self.maker = BatchMaker(
            pool,
            config.stft,
            batch=options.batch,
            frames=options.frames,
            seed=options.seed,
            scored=slice(WARM_UP_FRAMES, options.frames - lookahead, SCORED_STEP),
        )
        self.loss = SeparationLoss()

    def _resume(self) -> None:
        content = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.network.load_state_dict(content["network"])
        self.average.network.load_state_dict(content["average"])
        self.average.updates = content["step"]
        for optimizer, state in zip(self.optimizers, content["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.step, self.elapsed, self.best = content["step"], content["elapsed"], content["best"]
        self.audio_seconds = content["audio_seconds"]

    def save(self) -> None:
        """Write the checkpoint atomically; the first rank does."""
        if self.rank:
            return
        part = self.checkpoint.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.network.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "step": self.step,
                "elapsed": self.elapsed,
                "best": self.best,
                "audio_seconds": self.audio_seconds,
            },
            part,
        )
        os.replace(part, self.checkpoint)

    def log(self, **values) -> None:
        """One JSON line in the run's log, and on the terminal, by the first rank."""
        if self.rank:
            return
        line = json.dumps(
            {
                "time": time.strftime("%H:%M:%S"),
                "step": self.step,
                "minutes": round(self.elapsed / 60, 2),
                "hours_heard": round(self.audio_seconds / 3600, 2),
                **values,
            }
        )
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
            gradient.copy_(flat[position : position + gradient.numel()].view_as(gradient) / self.num_ranks)
            position += gradient.numel()
        return float(flat[0]), bool(flat[1] > 0)

    def train_step(
        self, batch: tuple[torch.Tensor, ...], progress: float, stop: bool
    ) -> tuple[float, torch.Tensor, bool]:
        """One update; returns the loss, the error per stem relative to the mixture, and whether to stop after it.

        Raises TrainingError where the loss is not finite; the last checkpoint is untouched.
        """
        batch = tuple(part.to(self.device, non_blocking=True) for part in batch)
        scored = self.maker.scored
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            energy, cross, product, stem_energy, known = self.teacher.fill(batch, scored) if self.teacher else batch
            masks, _ = self.network(energy, cross, decoded=later(scored, self.config.lookahead_frames))
        loss, error = self.loss(masks.float(), energy[scored], product, stem_energy, known)
        loss.backward()
        progress, stop = self.agree(progress, stop)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss of step {self.step} is {value}; resume from the last checkpoint with another seed"
            )
        rate = self.ramp * learning_rate(self.options.learning_rate, progress, self.step)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0, foreach=True)
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.average.update(self.network)
        return value, error, stop

    def keep(self, measure: Callable[[MaskNetwork], dict]) -> None:
        """Measure the averaged weights on half A of the panel, store them by minute, and the best by merit."""
        result = measure(self.average.network)
        self.log(
            merit=round(result["merit"], 4),
            mean_score=round(result["mean_score"], 4),
            score=[round(float(value), 3) for value in result["score"]],
            invented_db=round(result["invented_db"], 1),
            worst_db=round(result["invented_worst_db"], 1),
            guitar=[round(float(value), 2) for value in result["guitar"]],
        )
        torch.save(self.average.network.state_dict(), self.folder / f"minute_{round(self.elapsed / 60):03d}.pt")
        if result["merit"] > self.best:
            self.best = result["merit"]
            torch.save(self.average.network.state_dict(), self.folder / "best.pt")

    def batches(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """Batches of this rank, made by data workers, and their mirror images."""
        stream = BatchStream(self.maker, self.step * self.num_ranks // 2, self.rank, self.num_ranks)
        return with_mirrors(
            torch.utils.data.DataLoader(
                stream,
                batch_size=None,
                num_workers=self.options.workers,
                prefetch_factor=2 if self.options.workers else None,
            )
        )

    def run(
        self, measure: Callable[[MaskNetwork], dict] | None, batches: Iterable[tuple[torch.Tensor, ...]] | None = None
    ) -> None:
        """Train until `minutes` of training are spent in all, this and earlier runs together.

        Parameters
        ----------
        measure : callable or None
            Takes the averaged network; see panel.measure.summary for what it returns. Its time is not training.
        batches : iterable or None
            Where they come from, if not from `self.batches`.
        """
        options, log = self.options, _Log(self)
        deadline = options.deadline or math.inf
        budget = 60.0 * options.minutes
        audio = options.batch * options.frames * self.config.stft.hop_samples / SAMPLE_RATE
        last_save = last_measured = self.elapsed
        stopped: list[bool] = []
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
        clock = time.monotonic()
        for batch in _until_stopped(batches or self.batches(), stopped):
            last = bool(options.max_steps) and self.step + 1 >= options.max_steps
            progress, left = min(1.0, self.elapsed / budget), deadline - time.time()
            self.ramp = ramp_to_end(left, 60.0 * options.ramp_minutes)
            loss, error, stop = self.train_step(
                batch, progress, bool(stopped) or last or progress == 1.0 or left <= 0.0
            )
            self.step += 1
            self.audio_seconds += self.num_ranks * audio
            now = time.monotonic()
            self.elapsed += min(now - clock, LONGEST_STEP_SECONDS)
            clock = now
            log.add(loss, error)
            if measure and self.elapsed - last_measured > 60.0 * options.measure_minutes and not stop:
                self.save()
                self.keep(measure)
                last_measured, clock = self.elapsed, time.monotonic()
            if self.elapsed - last_save > 60.0 * options.save_minutes:
                self.save()
                last_save = self.elapsed
            if stop:
                break
        self.save()
        if measure and not stopped:
            self.keep(measure)


def _until_stopped(
    batches: Iterable[tuple[torch.Tensor, ...]], stopped: list[bool]
) -> Iterator[tuple[torch.Tensor, ...]]:
    """The batches, up to where a signal to the whole group of processes has ended the workers that make them."""
    try:
        yield from batches
    except RuntimeError:  # of torch's loader, which has lost a worker
        if not stopped:
            raise


class _Log:
    """Means over 50 steps of loss and errors, and the speed."""

    def __init__(self, trainer: Trainer):
        self.trainer = trainer
        self.losses: list[float] = []
        self.errors: list[torch.Tensor] = []
        self.since, self.heard = time.monotonic(), trainer.audio_seconds

    def add(self, loss: float, error: torch.Tensor) -> None:
        self.losses.append(loss)
        self.errors.append(error)
        if self.trainer.step % 50 == 0:
            now, heard = time.monotonic(), self.trainer.audio_seconds
            mean_error = 10.0 * torch.log10(torch.stack(self.errors).nanmean(0))
            self.trainer.log(
                loss=round(sum(self.losses) / len(self.losses), 4),
                error_db=[round(float(value), 2) for value in mean_error],
                audio_per_second=round((heard - self.heard) / (now - self.since), 1),
            )
            self.losses, self.errors, self.since, self.heard = [], [], now, heard
