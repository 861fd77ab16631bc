# SPDX-License-Identifier: MIT
"""The bundle for Windows under Wine: python.org's Python in it, the real engine, the embedded models."""

import json
import os
import signal
import time

import numpy as np
import pytest
import soundfile
import stemlane
import wine_tools
from stemlane.cli.main import main
from stemlane.manifests.model import model_folders
from stemlane.manifests.registry import embedded_folder
from support.audio_files import RATE, music
from support.live_playing import ROUNDING, heard, in_real_time_or_slower, runs
from support.live_playing import music as noise
from support.tiny_mdx import network

MODELS = [folder.name for folder in model_folders(embedded_folder())]


def test_its_engine_runs_every_model():
    facts = json.loads(wine_tools.run(wine_tools.ENGINE, "--check").splitlines()[-1])
    assert facts["models"] == MODELS and facts["stemlane"] == stemlane.__version__
    assert facts["python"].startswith("3.11.") and facts["executable"].lower().endswith("python.exe")


def test_an_engine_elsewhere_runs_a_python_that_is_named(monkeypatch):
    """As that of a plugin which was installed with --link."""
    python = wine_tools.BUNDLE / "Contents" / "Resources" / "python" / "python.exe"
    monkeypatch.setenv("STEMLANE_PYTHON", str(python))
    facts = json.loads(wine_tools.run(wine_tools.BUILD / "windows" / "stemlane-engine.exe", "--check").splitlines()[-1])
    assert facts["models"] == MODELS


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("Müsik für 音") / "Lied ♫.wav"
    soundfile.write(path, music(3 * RATE).T, RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("model", MODELS)
def test_its_engine_separates_files_as_linux_does(song, tmp_path, model):
    """As the editor asks for it."""
    arguments = ["separate", song, "-o", tmp_path / "out", "--model", model, "--format", "wav", "--json"]
    said = wine_tools.run(wine_tools.ENGINE, "--command", *arguments)
    outputs = json.loads(said.splitlines()[-1])["outputs"]
    expected = stemlane.separate_file(song, tmp_path / "of Linux", model=model, file_format="wav").outputs
    assert set(outputs) == set(expected)
    for stem, path in expected.items():
        found, rate = soundfile.read(tmp_path / "out" / song.stem / f"{stem}.wav", dtype="float32")
        wanted, _ = soundfile.read(path, dtype="float32")
        assert rate == RATE and np.abs(wanted).max() > 1000 * ROUNDING
        np.testing.assert_allclose(found, wanted, rtol=0, atol=ROUNDING)


def test_its_command_line_works_in_a_shell():
    assert wine_tools.run("cmd", "/c", wine_tools.COMMAND, "--version") == f"stemlane {stemlane.__version__}\n"
    listed = wine_tools.run("cmd", "/c", wine_tools.COMMAND, "models", "list", "--json").splitlines()
    rows = [json.loads(line) for line in listed if line.startswith("{")]
    assert {row["name"] for row in rows if row.get("embedded")} == set(MODELS)


def test_its_command_renders_as_linux_does(song, tmp_path):
    """With the core's library, through cffi."""
    options = ["render", song, "--model", "live", "--gain", "vocals=-inf", "--gain", "drums=+3"]
    wine_tools.run("cmd", "/c", wine_tools.COMMAND, *options, "-o", tmp_path / "windows.wav")
    assert main([*map(str, options), "-o", str(tmp_path / "linux.wav")]) == 0
    found, wanted = (soundfile.read(tmp_path / f"{system}.wav", dtype="float32")[0] for system in ("windows", "linux"))
    assert np.abs(wanted - soundfile.read(song)[0][: len(wanted)]).max() > 1000 * ROUNDING
    np.testing.assert_allclose(found, wanted, rtol=0, atol=ROUNDING)


def test_its_engine_adds_models(tmp_path):
    """Which are tried in a process of their own first."""
    weights = tmp_path / "UVR-MDX Tiny_1.onnx"
    weights.write_bytes(network(70, 12))
    numbers = ["--n-fft", "4096", "--compensation", "1.5", "--stem", "vocals", "--name", "tiny"]
    wine_tools.run(wine_tools.ENGINE, "--command", "models", "add", "mdx", "--from", weights, *numbers, timeout=900)
    command = ["cmd", "/c", wine_tools.COMMAND, "models"]
    assert "tiny: ok, gives the known output\n" in wine_tools.run(*command, "verify", "tiny")
    for name in ("tiny", "tiny-low-latency"):
        wine_tools.run(*command, "remove", name)


def test_its_doctor_finds_nothing_wrong():
    lines = wine_tools.run("cmd", "/c", wine_tools.COMMAND, "doctor").splitlines()
    assert len([line for line in lines if " ok: " in line]) > 12 and not [
        line for line in lines if " problem: " in line
    ]


def play(folder, model, mixture, *, stem="vocals", slower=1, while_playing=lambda: None):
    """Play live without a stem; (latency, output (2, samples), the engine's states as they came)."""
    source, target = folder / "in", folder / "out"
    source.write_bytes(mixture.tobytes())
    command = ["--live", wine_tools.PLUGIN, model, stem, RATE, 512, source, target, slower]
    said, done = b"", False
    with wine_tools.start(wine_tools.VALIDATOR, *command) as host:
        try:
            while host.poll() is None:
                said += host.stdout.read() or b""
                if said.startswith(b"ready") and not done:
                    done = True
                    while_playing()
                time.sleep(0.01)
        finally:
            host.kill()
        said += host.stdout.read() or b""
    lines = said.decode().replace("\r\n", "\n").splitlines()
    assert host.returncode == 0 and lines[0].startswith("ready "), lines
    return int(lines[0].split()[1]), np.frombuffer(target.read_bytes(), np.float32).reshape(2, -1), lines[1].split()[1:]


@pytest.mark.parametrize("model", ["live", "mix"])
def test_with_all_faders_equal_the_plugin_gives_the_input_back(tmp_path, model):
    """Bit for bit, at the reported latency, while its engine runs, in time or late."""
    mixture = noise(2)
    latency, out, states = play(tmp_path, model, mixture, stem="no")
    assert latency > 0 and set(states) <= {"ready", "late"}
    assert not out[:, :latency].any()
    np.testing.assert_array_equal(out[:, latency:], mixture[:, : out.shape[1] - latency])


@pytest.mark.parametrize("model", ["live", "mix"])
def test_stems_arrive_at_their_place_in_the_plugin(tmp_path, model):
    mixture = noise(3)

    def check(slower):
        latency, out, states = play(tmp_path, model, mixture, slower=slower)
        separated, _ = heard(model, mixture, latency, out)
        assert runs(separated) and set(states) <= {"ready", "late"}

    in_real_time_or_slower(check)


def test_a_killed_engine_leaves_the_mixture_and_comes_back(tmp_path):
    mixture = noise(8)

    def check(slower):
        def kill():
            (engine,) = wine_tools.engines()
            time.sleep(2 * slower)
            os.kill(engine, signal.SIGKILL)

        latency, out, states = play(tmp_path, "live", mixture, slower=slower, while_playing=kill)
        assert not out[:, :latency].any()
        passed = (np.abs(mixture[:, : out.shape[1] - latency] - out[:, latency:]) <= ROUNDING).all(axis=0)
        assert [run for run in runs(passed) if run.start > RATE], "the mixture was not heard after the engine's end"
        assert not passed[RATE // 2 : RATE].all() and not passed[-RATE // 2 :].all()  # without vocals before and after
        assert {"failed", "starting"} <= set(states) and states[-1] in ("ready", "late")

    in_real_time_or_slower(check)


def test_our_validator_finds_nothing_wrong():
    """All its checks, with the real engine in each instance."""
    said = wine_tools.run(wine_tools.VALIDATOR, wine_tools.PLUGIN, timeout=900).splitlines()
    assert said[-1] == "all checks passed" and sum(": ok (" in line for line in said) == 24
