# SPDX-License-Identifier: MIT
"""The benchmark measures what it names; its numbers themselves are printed, not judged."""

import json

import pytest
from stemlane import bench, cli
from support.tiny_models import build_model

MODEL_NUMBERS = {
    "hop_p50_ms", "hop_p99_ms", "hop_max_ms", "deadline_ms", "real_time_factor", "processor_real_time_factor",
    "engine_import_seconds", "engine_load_seconds", "engine_python_memory_mib", "offline_times_real_time",
}  # fmt: skip


@pytest.fixture
def quick(tmp_path, monkeypatch):
    build_model(tmp_path / "models", name="mix", hop_samples=64, frames_per_step=2)
    monkeypatch.setattr(bench, "embedded_folder", lambda: tmp_path / "models")
    monkeypatch.setattr(bench, "_MODEL_SECONDS", 0.5)
    monkeypatch.setattr(bench, "_RENDER_SECONDS", 0.5)
    monkeypatch.setattr(bench, "_START_UP_RUNS", 1)
    monkeypatch.setenv("STEMLANE_PLUGIN", str(tmp_path / "none.vst3"))
    return tmp_path


def test_numbers(quick, capsys):
    assert cli.main(["bench", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    model = numbers["models"]["mix"]
    assert set(model) == MODEL_NUMBERS
    assert all(value > 0 for value in model.values())
    assert model["deadline_ms"] == pytest.approx(1000 * 128 / 44100)
    assert model["hop_p50_ms"] <= model["hop_p99_ms"] <= model["hop_max_ms"]
    assert numbers["core"]["audio_thread_ns_per_sample_block_512"] > 0
    assert "not a plugin bundle" in numbers["plugin"]["mix"]["problem"]


def test_text(quick):
    text = bench.as_text({"a": {"b": 1.23456, "c": "x"}, "d": 7})
    assert text.splitlines() == [f"{'a.b':<55} 1.235", f"{'a.c':<55} x", f"{'d':<55} 7"]


def test_what_cannot_be_measured_says_why(quick):
    (quick / "models" / "mix" / "network.onnx").write_bytes(b"x")
    assert "damaged" in bench.run()["models"]["mix"]["problem"]
