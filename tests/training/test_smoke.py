# SPDX-License-Identifier: MIT
"""A small training from nothing to a model folder: it learns, resumes and exports."""

import json

import numpy as np
import pytest

from models.training import export, train
from models.training.pool import save, save_song
from models.training.spectral import SAMPLE_RATE


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
