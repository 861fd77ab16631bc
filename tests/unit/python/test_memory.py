# SPDX-License-Identifier: MIT
"""Memory does not grow with the length of a recording, with every kind of model and whatever is written."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from stemlane.bench import memory
from stemlane.catalog.ensembles import combine
from stemlane.cli.main import main
from stemlane.engine.frontends import FRONT_ENDS
from stemlane.engine.separator import Separator
from stemlane.manifests.ensemble import Blend
from stemlane.manifests.model import load_manifest
from stemlane.manifests.registry import user_folder
from support.audio_files import music
from support.every_model import EVERY_MODEL
from support.tiny_segment import build_segment

SHORT, LONG = 30, 120  # seconds; a network has all the memory it takes after half a minute
# A minute and a half more of stereo is 30 MiB in float for every copy in memory, 15 MiB as 16 bits: not half of that.
MOST_GROWTH_MIB = 7
SCRIPT = (
    "import sys; from stemlane.cli.main import main; status = main(sys.argv[1:]); "
    "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:'))); sys.exit(status)"
)


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """A short and a long recording; ten seconds are repeated."""
    folder = tmp_path_factory.mktemp("songs")
    piece = music(10 * 44100).T
    for seconds in (SHORT, LONG):
        with soundfile.SoundFile(folder / f"{seconds}.flac", "w", 44100, 2) as file:
            for _ in range(seconds // 10):
                file.write(piece)
    return folder


def growth_mib(songs, out, *arguments: str) -> float:
    """How much more a command's process holds at its highest for the long recording than for the short one."""
    found = []
    for seconds in (SHORT, LONG):
        command = [
            sys.executable,
            "-c",
            SCRIPT,
            arguments[0],
            str(songs / f"{seconds}.flac"),
            "-o",
            str(out),
            *arguments[1:],
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(int(done.stdout.split()[-1]) / 1024)
    print(f"{found[1] - found[0]:.1f} MiB more")
    return found[1] - found[0]


def build_ensemble(folder, *, name):
    """A model that blends spectra of two others; they are looked up among the user's."""
    models = user_folder()
    models.mkdir(parents=True, exist_ok=True)
    build_segment(models, name="one")
    EVERY_MODEL["mix"](models, name="other")
    combine(name, {"vocals": Blend("min", (("one", 1.0), ("other", 1.0)))})
    return models / name


# One of each kind, where there is a choice with what looks at a whole recording first.
KINDS = {
    "ensemble": build_ensemble,
    **{
        name: EVERY_MODEL[name]
        for name in ("mix", "spleeter-wiener", "open-unmix-wiener", "mdx", "segment", "segment-ramps", "htdemucs")
    },
}


def test_every_kind_is_measured(tmp_path, no_models):
    assert {load_manifest(build(tmp_path, name=name)).kind for name, build in KINDS.items()} == set(FRONT_ENDS)


@pytest.mark.parametrize("kind", KINDS)
def test_with_every_kind_of_model(tmp_path, songs, no_models, kind):
    model = KINDS[kind](tmp_path, name=kind)
    assert growth_mib(songs, tmp_path / "out", "separate", "--model", str(model), "--stems", "vocals") < MOST_GROWTH_MIB


@pytest.mark.parametrize("options", ["--format flac --clip rescale", "--stem-file"])
def test_whatever_is_written(tmp_path, songs, options):
    model = EVERY_MODEL["mix"](tmp_path, name="mix")
    more = options.split()
    assert growth_mib(songs, tmp_path / "out", "separate", "--model", str(model), *more) < MOST_GROWTH_MIB


def test_of_a_mix(tmp_path, songs):
    model = EVERY_MODEL["mix"](tmp_path, name="mix")
    arguments = ["render", "--model", str(model), "--gain", "vocals=-inf"]
    assert growth_mib(songs, tmp_path / "out.flac", *arguments) < MOST_GROWTH_MIB


def test_a_copy_in_memory_would_be_found(tmp_path, songs):
    """The same measurement of a program that keeps the recording, as 16 bits, which is the least it could."""
    script = SCRIPT.replace(
        "status = main(sys.argv[1:]); ",
        "from stemlane.files.reading import AudioInput; "
        "kept = [(block * 32767).astype('i2') for block in AudioInput(sys.argv[2])]; status = 0; ",
    )
    found = []
    for seconds in (SHORT, LONG):
        command = [sys.executable, "-c", script, "separate", str(songs / f"{seconds}.flac")]
        found.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024)
    print(f"{found[1] - found[0]:.1f} MiB more")
    assert found[1] - found[0] > 1.5 * MOST_GROWTH_MIB


def test_the_bench_measures_each_length(tmp_path, tiny_models, monkeypatch, capsys):
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path / "models"))
    EVERY_MODEL["live"](tmp_path / "models", name="tiny")
    assert main(["bench", "--memory", "1", "--memory", "2.5", "--model", "tiny", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert list(numbers) == ["tiny"] and list(numbers["tiny"]) == ["1 s", "2.5 s"]
    for found in numbers["tiny"].values():
        assert 30 < found["memory_mib"] < 4000  # Python with numpy and onnxruntime alone has 80
        assert found["times_real_time"] > 0 and found["processor_times_real_time"] > 0
    for arguments, words in ((["--memory", "0"], "--memory is 0, should be 1 to 86400 seconds"),
                             (["--memory", "nan"], "--memory is nan"),
                             (["--memory", "5", "--model", "none"], "no model called 'none'")):  # fmt: skip
        assert main(["bench", *arguments]) == 1
        assert words in capsys.readouterr().err
    for arguments in (["--model", "mix"], ["--memory", "5", "--against", "spleeter:python"]):
        with pytest.raises(SystemExit):
            main(["bench", *arguments])


def test_without_a_name_it_measures_the_model_that_separate_takes(tiny_models, monkeypatch, capsys):
    monkeypatch.setattr("stemlane.manifests.registry.ALIASES", {"default": "live"})
    monkeypatch.setattr(memory, "run", lambda models, lengths, report: {model: {"1 s": {}} for model in models})
    assert main(["bench", "--memory", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {Separator().manifest.name: {"1 s": {}}} == {"live": {"1 s": {}}}


def test_the_song_of_the_bench_has_its_length(tmp_path):
    path = memory._song(tmp_path / "a.mp3", 12.5)
    with soundfile.SoundFile(path) as file:
        assert 0 <= file.frames - 12.5 * 44100 <= 2 * 1152 and file.channels == 2
        assert np.abs(file.read()).max() > 0.1
