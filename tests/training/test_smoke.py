# SPDX-License-Identifier: MIT
"""A small training from nothing to a model folder: it learns, resumes and exports."""

import copy
import json
import os
import signal
from itertools import pairwise

import numpy as np
import pytest
import torch

from models.training.data.pool import Pool, save, save_song
from models.training.network.configs import CONFIGS
from models.training.network.network import MaskNetwork
from models.training.network.spectral import SAMPLE_RATE
from models.training.run import export, train
from models.training.run import trainer as loop


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder whose pool holds stems that differ plainly: noise, clicks, a low and a high tone."""
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path))
    monkeypatch.setenv("STEMLANE_AUDIO", str(tmp_path / "none"))
    rng = np.random.default_rng(1)
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    clicks = np.where(np.arange(len(time)) % 11025 < 400, 0.5, 0.0) * rng.standard_normal((2, len(time)))
    bass = 0.2 * np.sin(2 * np.pi * 70 * time) * np.ones((2, 1))
    other = 0.1 * np.sin(2 * np.pi * 900 * time) * np.ones((2, 1))
    save(tmp_path / "pool" / "vocals" / "a.npy", 0.05 * rng.standard_normal((2, len(time))))
    save_song(tmp_path / "pool" / "songs" / "b", {"drums": clicks, "bass": bass, "other": other})
    save(tmp_path / "pool" / "instrumentals" / "c.npy", clicks + bass + other)
    return tmp_path


def test_processes_share_every_update(cache):
    """Two processes end where one ends that takes the mean of both batches' gradients, resumed in between."""
    common = [
        "--config",
        "smoke",
        "--minutes",
        "60",
        "--batch",
        "2",
        "--frames",
        "24",
        "--workers",
        "0",
        "--threads",
        "1",
        "--no-bfloat16",
        "--no-panel",
        "--least-minutes",
        "0",
    ]
    for steps in (2, 3):
        train.main([*common, "--run", "two", "--processes", "2", "--max-steps", str(steps)])
    found = torch.load(cache / "runs" / "two" / "checkpoint.pt", weights_only=True)
    assert found["step"] == 3
    options = train.parser().parse_args([*common, "--max-steps", "3"])
    trainer = loop.Trainer(CONFIGS["smoke"], cache, Pool(cache / "pool"), options)
    weights = list(trainer.network.parameters())
    gradients = []

    def mean_of_both(progress, stop):
        gradients.append([weight.grad.clone() for weight in weights])
        for weight, *both in zip(weights, *gradients[-2:], strict=True):
            weight.grad = sum(both) / 2
        return progress, stop

    trainer.agree = mean_of_both
    for step in range(3):
        indices = (2 * step, 2 * step + 1) if step < 2 else (2, 3)  # and with the batches behind the mirrored ones
        before = copy.deepcopy(trainer.network.state_dict()), copy.deepcopy(trainer.average)
        states = [copy.deepcopy(optimizer.state_dict()) for optimizer in trainer.optimizers]
        for rank, index in enumerate(indices):
            if rank:  # undo the update that the first batch alone has made
                trainer.network.load_state_dict(before[0])
                trainer.average = before[1]
                for optimizer, state in zip(trainer.optimizers, states, strict=True):
                    optimizer.load_state_dict(state)
            batch = trainer.maker.make(index)
            trainer.train_step(tuple(map(torch.from_numpy, batch.parts())), 0.0, False)
        trainer.step += 1
    for name, value in trainer.network.state_dict().items():
        torch.testing.assert_close(found["network"][name], value, rtol=1e-4, atol=1e-6)


def test_train_resume_export(cache, capsys):
    def run(steps, *more):
        train.main(
            [
                "--config",
                "smoke",
                "--minutes",
                "60",
                "--max-steps",
                str(steps),
                "--batch",
                "2",
                "--frames",
                "40",
                "--learning-rate",
                "5e-3",
                "--workers",
                "0",
                "--threads",
                "1",
                "--no-panel",
                "--least-minutes",
                "0",
                *more,
            ]
        )

    run(50)
    run(150, "--teacher", str(cache / "runs" / "smoke" / "checkpoint.pt"))
    lines = [json.loads(line) for line in (cache / "runs" / "smoke" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [50, 100, 150]  # the second run goes on where the first stopped
    assert lines[-1]["loss"] < 0.9 * lines[0]["loss"]
    heard = [round(step * 2 * 40 * 1024 / SAMPLE_RATE / 3600, 2) for step in (50, 100, 150)]
    assert [line["hours_heard"] for line in lines] == heard
    folder = cache / "model"
    export.main(
        ["--config", "smoke", "--weights", str(cache / "runs" / "smoke" / "checkpoint.pt"), "--folder", str(folder)]
    )
    assert "differs from torch" in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} == {"manifest.toml", "network.onnx"}


def test_a_teacher_of_other_sizes(cache):
    """It teaches a larger network, if its sizes are named."""
    small = MaskNetwork(CONFIGS["smoke"].network)
    torch.save(small.state_dict(), cache / "small.pt")
    names = ["--config", "mix", "--batch", "2", "--frames", "12", "--threads", "1", "--no-panel"]
    options = train.parser().parse_args([*names, "--teacher", str(cache / "small.pt"), "--teacher-config", "smoke"])
    trainer = loop.Trainer(CONFIGS["mix"], cache, Pool(cache / "pool"), options)
    for name, value in trainer.teacher.network.state_dict().items():
        assert torch.equal(value, small.state_dict()[name])
    batch = tuple(map(torch.from_numpy, trainer.maker.make(0).parts()))
    loss, _, _ = trainer.train_step(batch, 0.0, False)
    assert 0.0 < loss < 10.0


def test_a_teacher_that_looks_further_ahead(cache):
    """Its masks are made when later frames are known, which the network in training never sees."""
    torch.save(MaskNetwork(CONFIGS["smoke"].network).state_dict(), cache / "smoke.pt")
    names = ["--config", "live", "--batch", "2", "--frames", "15", "--threads", "1", "--no-panel", "--teach-everywhere"]
    options = train.parser().parse_args([*names, "--teacher", str(cache / "smoke.pt"), "--teacher-config", "smoke"])
    trainer = loop.Trainer(CONFIGS["live"], cache, Pool(cache / "pool"), options)
    scored = trainer.maker.scored
    assert list(range(15))[scored] == [8, 10, 12]  # the last frame is for the teacher alone
    batch = tuple(map(torch.from_numpy, trainer.maker.make(0).parts()))
    masks = trainer.teacher.network(*batch[:2])[0]
    taught = trainer.teacher.fill(batch, scored)[2]
    for place, frame in enumerate((8, 10, 12)):
        for stem in (1, 2):
            expected = masks[frame + 1][:, stem] * batch[0][frame]
            torch.testing.assert_close(taught[place][:, stem], expected, rtol=1e-4, atol=1e-6)
    assert trainer.train_step(batch, 0.0, False)[0] > 0.0


def test_a_training_without_material_or_panel_does_not_begin(cache, monkeypatch, tmp_path):
    options = ["--config", "smoke", "--minutes", "1", "--workers", "0", "--threads", "1", "--max-steps", "1"]
    with pytest.raises(SystemExit, match="minutes of vocals, and a training needs 15"):
        train.main(options)
    with pytest.raises(SystemExit, match="run python -m models.training.panel.build"):
        train.main([*options, "--least-minutes", "0"])
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path / "empty"))
    with pytest.raises(SystemExit, match="0.0 minutes of vocals"):
        train.main([*options, "--least-minutes", "0", "--no-panel"])


def test_a_loss_that_is_not_finite_ends_the_training(cache):
    options = train.parser().parse_args(
        ["--config", "smoke", "--threads", "1", "--no-bfloat16", "--batch", "1", "--frames", "24"]
    )
    trainer = loop.Trainer(CONFIGS["smoke"], cache, Pool(cache / "pool"), options)
    parts = [torch.from_numpy(part) for part in trainer.maker.make(0).parts()]
    before = copy.deepcopy(trainer.network.state_dict())
    parts[2][0, 0, 0, 0, 5] = float("nan")
    with pytest.raises(loop.TrainingError, match="the loss of step 0 is nan"):
        trainer.train_step(tuple(parts), 0.0, False)
    assert all(torch.equal(value, before[name]) for name, value in trainer.network.state_dict().items())


def test_the_schedule_rises_and_ends_at_zero():
    rates = [loop.learning_rate(1e-3, step / 1000, step) for step in range(1001)]
    assert (
        max(rates) == pytest.approx(1e-3, rel=0.02) and rates[0] < 1e-4 and rates[-1] == pytest.approx(0.0, abs=1e-12)
    )
    assert all(later <= rate for rate, later in pairwise(rates[100:]))


def test_the_panel_chooses_the_best_weights_and_every_measurement_is_kept(cache):
    options = train.parser().parse_args(
        [
            "--config",
            "smoke",
            "--threads",
            "1",
            "--no-bfloat16",
            "--batch",
            "1",
            "--frames",
            "24",
            "--workers",
            "0",
            "--max-steps",
            "4",
            "--measure-minutes",
            "0",
            "--minutes",
            "60",
        ]
    )
    trainer = loop.Trainer(CONFIGS["smoke"], cache, Pool(cache / "pool"), options)
    merits, seen = iter([0.1, 0.3, 0.2, 0.25]), []

    def measure(network):
        seen.append(copy.deepcopy(network.state_dict()))
        return {
            "merit": next(merits),
            "mean_score": 0.0,
            "score": [0.0] * 4,
            "invented_db": -10.0,
            "invented_worst_db": -5.0,
            "guitar": [0.25] * 4,
        }

    trainer.run(measure)
    best = torch.load(cache / "best.pt", weights_only=True)
    assert len(seen) == 4 and all(torch.equal(value, best[name]) for name, value in seen[1].items())
    assert trainer.best == 0.3


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_worker_that_a_stop_takes_along_costs_no_step(cache, is_stopped):
    """A signal to all processes of a run ends its workers first; one that dies by itself is an error."""
    options = train.parser().parse_args(
        ["--config", "smoke", "--batch", "2", "--frames", "24", "--threads", "1", "--no-bfloat16", "--workers", "0"]
    )
    trainer = loop.Trainer(CONFIGS["smoke"], cache, Pool(cache / "pool"), options)

    def batches():
        made = trainer.batches()
        yield next(made)
        yield next(made)
        if is_stopped:
            os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError("DataLoader worker is killed by signal: Terminated.")

    if not is_stopped:
        with pytest.raises(RuntimeError, match="DataLoader worker"):
            trainer.run(None, batches())
        return
    trainer.run(None, batches())
    assert torch.load(cache / "checkpoint.pt", weights_only=True)["step"] == 2
