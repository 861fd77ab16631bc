# SPDX-License-Identifier: MIT
"""A small training from nothing to a model folder: it learns, resumes and exports."""

import copy
import json

import numpy as np
import pytest
import torch

from models.training.run import export, train
from models.training.network.configs import CONFIGS
from models.training.network.loss import SeparationLoss
from models.training.data.pool import Pool, save, save_song
from models.training.network.spectral import SAMPLE_RATE


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
    return tmp_path


def test_processes_share_every_update(cache):
    """Two processes end where one ends that takes the mean of both batches' gradients, resumed in between."""
    common = ["--config", "smoke", "--minutes", "60", "--batch", "2", "--frames", "24", "--workers", "0",
              "--threads", "1", "--no-bfloat16"]
    for steps in (2, 3):
        train.main([*common, "--run", "two", "--processes", "2", "--max-steps", str(steps)])
    found = torch.load(cache / "runs" / "two" / "checkpoint.pt", weights_only=True)
    assert found["step"] == 3
    options = train.parser().parse_args([*common, "--max-steps", "3"])
    trainer = train.Trainer(CONFIGS["smoke"], cache, Pool(cache / "pool"), options)
    weights = list(trainer.network.parameters())
    gradients = []

    def mean_of_both(progress, stop):
        gradients.append([weight.grad.clone() for weight in weights])
        for weight, *both in zip(weights, *gradients[-2:]):
            weight.grad = sum(both) / 2
        return progress, stop

    losses = {rank: SeparationLoss() for rank in (0, 1)}
    trainer.agree = mean_of_both
    for step in range(3):
        if step == 2:  # a resumed run begins with new running means
            losses = {rank: SeparationLoss() for rank in (0, 1)}
        indices = (2 * step, 2 * step + 1) if step < 2 else (2, 3)  # and with the batches behind the mirrored ones
        before = copy.deepcopy(trainer.network.state_dict()), copy.deepcopy(trainer.average)
        states = [copy.deepcopy(optimizer.state_dict()) for optimizer in trainer.optimizers]
        for rank, index in enumerate(indices):
            if rank:  # undo the update that the first batch alone has made
                trainer.network.load_state_dict(before[0])
                trainer.average = before[1]
                for optimizer, state in zip(trainer.optimizers, states):
                    optimizer.load_state_dict(state)
            trainer.loss = losses[rank]
            batch = trainer.maker.make(index)
            parts = (batch.energy, batch.cross, batch.product, batch.stem_energy)
            trainer.train_step(tuple(map(torch.from_numpy, parts)), 0.0, False)
        trainer.step += 1
    for name, value in trainer.network.state_dict().items():
        torch.testing.assert_close(found["network"][name], value, rtol=1e-4, atol=1e-6)


def test_train_resume_export(cache, capsys):
    def run(steps):
        train.main(["--config", "smoke", "--minutes", "60", "--max-steps", str(steps), "--batch", "2", "--frames", "40",
                    "--learning-rate", "5e-3", "--workers", "0", "--threads", "1"])

    run(50)
    run(150)
    lines = [json.loads(line) for line in (cache / "runs" / "smoke" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [50, 100, 150]  # the second run goes on where the first stopped
    assert lines[-1]["loss"] < lines[0]["loss"] - 0.3
    folder = cache / "model"
    export.main(["--config", "smoke", "--weights", str(cache / "runs" / "smoke" / "checkpoint.pt"),
                 "--folder", str(folder)])
    assert "differs from torch" in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} == {"manifest.toml", "network.onnx"}
