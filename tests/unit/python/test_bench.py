# SPDX-License-Identifier: MIT
"""The benchmark measures what it names; its numbers themselves are printed, not judged."""

import contextlib
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from stemlane.bench import against, speed
from stemlane.cli.main import main
from stemlane.engine import provider_choice, providers
from stemlane.errors import InputError
from support.tiny_models import build_model

MODEL_NUMBERS = {
    "hop_p50_ms", "hop_p99_ms", "hop_max_ms", "deadline_ms", "real_time_factor", "processor_real_time_factor",
    "engine_import_seconds", "engine_load_seconds", "engine_python_memory_mib", "offline_times_real_time",
}  # fmt: skip


@pytest.fixture
def quick(tmp_path, monkeypatch):
    build_model(tmp_path / "models", name="mix", hop_samples=64, frames_per_step=2)
    monkeypatch.setattr(speed, "embedded_folder", lambda: tmp_path / "models")
    monkeypatch.setattr(speed, "_MODEL_SECONDS", 0.5)
    monkeypatch.setattr(speed, "_RENDER_SECONDS", 0.5)
    monkeypatch.setattr(speed, "_START_UP_RUNS", 1)
    monkeypatch.setenv("STEMLANE_PLUGIN", str(tmp_path / "none.vst3"))
    return tmp_path


def test_numbers(quick, capsys):
    assert main(["bench", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    model = numbers["models"]["mix"]
    assert model.pop("provider") == "cpu"
    assert set(model) == MODEL_NUMBERS
    assert all(value > 0 for value in model.values())
    assert model["deadline_ms"] == pytest.approx(1000 * 128 / 44100)
    assert model["hop_p50_ms"] <= model["hop_p99_ms"] <= model["hop_max_ms"]
    assert numbers["core"]["audio_thread_ns_per_sample_block_512"] > 0
    assert "not a plugin bundle" in numbers["plugin"]["mix"]["problem"]


def test_what_is_named_is_what_ran(quick, monkeypatch):
    """The network is loaded for the provider that the model's known output has chosen, and the figures name it."""
    in_use, loaded = [], []
    load = speed.create_stream

    @contextlib.contextmanager
    def use(name):
        in_use.append(name)
        yield
        in_use.remove(name)

    monkeypatch.setattr(provider_choice, "choose", lambda manifest, *_: f"for {manifest.name}")
    monkeypatch.setattr(providers, "use", use)
    monkeypatch.setattr(speed, "create_stream", lambda manifest: (loaded.append([*in_use]), load(manifest))[1])
    assert speed.run()["models"]["mix"]["provider"] == "for mix"
    assert loaded == [["for mix"]]


def test_text(quick):
    text = speed.as_text({"a": {"b": 1.23456, "c": "x"}, "d": 7})
    assert text.splitlines() == [f"{'a.b':<55} 1.235", f"{'a.c':<55} x", f"{'d':<55} 7"]


def test_what_cannot_be_measured_says_why(quick):
    (quick / "models" / "mix" / "network.onnx").write_bytes(b"x")
    assert "damaged" in speed.run()["models"]["mix"]["problem"]


def write_original(folder, body: str):
    """An executable that stands for an original's Python: writes weights when asked to, else runs `body`."""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then mkdir "$3/4stems"; exit 0; fi\n{body}\n', encoding="utf-8")
    python.chmod(0o755)
    return python


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Our side is a stand-in too: no model is converted. Its stems are those of `ours`, an original's of `theirs`."""
    monkeypatch.setitem(against.ORIGINALS, "spleeter", replace(against.ORIGINALS["spleeter"], seconds=1.0))
    for side, levels in (("ours", (0.25, 0.25, 0.25)), ("theirs", (0.5, -0.5, 0.25))):
        (tmp_path / side).mkdir()
        for stem, level in zip(("Vocals", "drums", "bass"), levels, strict=True):
            samples = np.full((100, 2), 0.25)
            samples[7, 1] = level
            soundfile.write(tmp_path / side / f"song_({stem}).wav", samples, 44100, subtype="FLOAT")
    ours = tmp_path / "python-of-ours"
    ours.write_text(f'#!/bin/sh\nif [ "$3" = separate ]; then cp -r {tmp_path}/ours "$6"; fi\n', encoding="utf-8")
    ours.chmod(0o755)
    monkeypatch.setattr(against, "_STEMLANE", (str(ours), "-m", "stemlane"))
    return tmp_path


def test_ratios_against_an_original(scratch, capsys):
    spend = "import time; time.sleep(0.4); b'x' * (80 << 20)"
    python = write_original(scratch, f'cp -r {scratch}/theirs "$7"\n{sys.executable} -c "{spend}"')
    assert main(["bench", "--json", "--rounds", "1", "--against", f"spleeter:{python}"]) == 0
    numbers = json.loads(capsys.readouterr().out)["spleeter"]
    assert set(numbers) == {"original", "stemlane", "ratios", "largest_difference"}
    assert numbers["largest_difference"] == {"vocals": 0.25, "drums": 0.75, "bass": 0.0}
    for key in ("wall_seconds", "processor_seconds", "memory_mib"):
        expected = numbers["original"][key] / max(numbers["stemlane"][key], 1e-3)
        assert numbers["ratios"][key] == pytest.approx(expected)
    assert numbers["original"]["wall_seconds"] >= 0.4 and numbers["original"]["processor_seconds"] > 0.01
    assert numbers["original"]["memory_mib"] > 80 and 0 < numbers["stemlane"]["memory_mib"] < 20


def test_the_fastest_round_counts_with_all_its_numbers(scratch, monkeypatch):
    """The fastest is neither the first nor the last, and takes the most memory."""
    walls = {"original": [3.0, 2.0, 8.0, 5.0], "stemlane": [4.0, 6.0, 1.0, 2.0]}
    left = {side: iter(values) for side, values in walls.items()}
    measure = against.run_command

    def timed(command, environment):
        numbers = measure(command, environment)
        if "separate" not in command:
            return numbers
        wall = next(left["stemlane" if command[0] == against._STEMLANE[0] else "original"])
        return {"wall_seconds": wall, "processor_seconds": 10 * wall, "memory_mib": 60 / wall}

    monkeypatch.setattr(against, "run_command", timed)
    python = write_original(scratch, f'cp -r {scratch}/theirs "$7"')
    numbers = against.run([f"spleeter:{python}"], rounds=4)["spleeter"]
    for side, wall in (("original", 2.0), ("stemlane", 1.0)):
        assert numbers[side] == {
            "wall_seconds": wall, "processor_seconds": 10 * wall, "memory_mib": 60 / wall,
            "processor_seconds_per_second": 10 * wall,  # of a song of one second
        }  # fmt: skip
    assert numbers["ratios"] == {"wall_seconds": 2.0, "processor_seconds": 2.0, "memory_mib": 0.5}


@pytest.mark.parametrize("peak", [None, 0.5, 1.0])
def test_how_loud_the_song_is(scratch, monkeypatch, peak):
    """Some originals hand on the song's level to their stems, which shows unless it is full scale."""
    monkeypatch.setitem(against.ORIGINALS, "spleeter", replace(against.ORIGINALS["spleeter"], peak=peak))
    python = write_original(scratch, f'cp -r {scratch}/theirs "$7"\ncp "$8" {scratch}/song.wav')
    against.run([f"spleeter:{python}"], rounds=1)
    song = soundfile.read(scratch / "song.wav")[0]
    signal = speed.test_signal(1.0, 44100).T
    expected = signal * (peak / np.abs(signal).max()) if peak else signal
    assert np.abs(song - expected).max() < 1.1 / 32768  # 16 bits, of which the highest is cut off


def test_originals_that_cannot_be_measured(scratch, capsys):
    for body, words in (
        ("echo loading; echo no module named spleeter; exit 1", "-m spleeter separate … failed: no module named spl"),
        ('mkdir "$7"', "0 files are called 'vocals' among what the original side wrote, should be 1"),
    ):
        python = write_original(scratch, body)
        assert main(["bench", "--json", "--rounds", "1", "--against", f"spleeter:{python}"]) == 1
        [[name, problem]] = json.loads(capsys.readouterr().out)["spleeter"].items()
        assert name == "problem" and words in problem
    with pytest.raises(InputError, match="--rounds is 0, should be 1 or more"):
        against.run([f"spleeter:{python}"], rounds=0)
    for text in ("spleeter", f"other:{python}"):
        with pytest.raises(InputError, match="should be one of spleeter, .*, bs-roformer, a colon and its Py"):
            against.run([text])
    with pytest.raises(InputError, match="'/no/python' is not a Python that can be run"):
        against.run(["spleeter:/no/python"])
