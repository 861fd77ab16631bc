# SPDX-License-Identifier: MIT
"""The command line in the engine's Python, as the plugin starts it for its pages "Models" and "Files"."""

import json
import subprocess

import numpy as np
import soundfile
from stemlane.plugin.places import engine_path, plugin_path
from support.tiny_models import build_model


def run(*arguments: object) -> tuple[int, list[dict], str]:
    """Exit status, the lines of JSON, and what the command has told people."""
    command = [engine_path(plugin_path()), "--command", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_model_is_added_and_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = build_model(tmp_path / "own", name="brought-along")
    status, lines, said = run("models", "add", folder, "--json")
    assert (status, said) == (0, "") and [model["name"] for model in lines[-1]["added"]] == ["brought-along"]
    index = (tmp_path / "data" / "stemlane" / "models" / "models.index").read_text(encoding="utf-8")
    assert "\nbrought-along\t" in index
    status, lines, _ = run("models", "list", "--json")
    assert status == 0 and "brought-along" in [row["name"] for row in lines if row["installed"]]


def test_a_recording_is_separated_with_its_progress(tmp_path):
    song = tmp_path / "it's a söng.wav"
    mixture = np.random.default_rng(1).uniform(-0.5, 0.5, (44100, 2)).astype(np.float32)
    soundfile.write(song, mixture, 44100, subtype="FLOAT")
    status, lines, _ = run(
        "separate", song, "-o", tmp_path / "o", "--model", "tiny-live", "--json", "--progress", "--threads", 1
    )  # fmt: skip
    *steps, outcome = lines
    assert status == 0 and outcome["state"] == "done" and steps[-1]["done"] == 1
    total = sum(soundfile.read(path, dtype="float32")[0] for path in outcome["outputs"].values())
    np.testing.assert_allclose(total, mixture, atol=1e-6)


def test_a_failure_is_one_line(tmp_path):
    status, lines, said = run("separate", tmp_path / "absent.wav", "--json")
    assert status == 1 and lines[0]["state"] == "failed"
    assert said == f"stemlane: {tmp_path}/absent.wav: no such file\n"
