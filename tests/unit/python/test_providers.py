# SPDX-License-Identifier: MIT
"""Execution providers: what is asked for, that one with wrong results is refused, and that the CPU takes over.

Only the CPU's is there in the tests. Another one is made up: it runs the network, or the network with another weight.
"""

import os
import re
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
from onnx import numpy_helper
from stemlane.catalog.install import add_model
from stemlane.cli.main import main
from stemlane.engine import provider_choice, providers
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator
from stemlane.engine.worker import Worker
from stemlane.errors import InputError
from stemlane.files.library import separate_file, separate_many
from support.htdemucs_case import recording
from support.tiny_segment import SEGMENT, build_segment

REAL_SESSION = onnxruntime.InferenceSession


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    monkeypatch.setattr(provider_choice, "_chosen", {})


def changed(path: str, gain: float) -> bytes:
    """The network with its weights times `gain`."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(gain), tensor.name))
    return model.SerializeToString()


@pytest.fixture
def made_up(monkeypatch):
    """Makes this onnxruntime have CUDA, which multiplies all weights; returns what sessions are asked for."""
    asked = []

    def install(gain: float | None) -> list:
        def session(path, options, *, providers):
            asked.append(providers)
            if providers == ["CPUExecutionProvider"]:
                return REAL_SESSION(path, options, providers=providers)
            if gain is None:
                raise RuntimeError("no device\nwas found")
            return REAL_SESSION(changed(path, gain), options, providers=["CPUExecutionProvider"])

        names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
        monkeypatch.setattr(onnxruntime, "InferenceSession", session)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
        return asked

    return install


def vocals(folder) -> np.ndarray:
    return Separator(folder).separate(recording(2 * SEGMENT), 44100)["vocals"]


def test_the_cpu_is_what_nobody_asks_for(tmp_path, made_up):
    asked = made_up(2.0)
    vocals(build_segment(tmp_path))
    assert all(entry == ["CPUExecutionProvider"] for entry in asked)


@pytest.mark.parametrize("name", ["cuda", "auto", " CUDA "])
def test_one_that_is_right_computes(tmp_path, made_up, monkeypatch, name):
    folder = build_segment(tmp_path)
    asked = made_up(1 + 1e-6)  # as much as sums in another order differ by
    monkeypatch.setenv("STEMLANE_PROVIDER", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        separator = Separator(folder)
        assert separator.provider == "cuda"
        vocals(folder)
    assert asked[-1] == [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]


@pytest.mark.parametrize("gain, words", [(1.01, "level of vocals is"), (np.nan, "not finite"), (None, "no device")])
@pytest.mark.parametrize("name", ["cuda", "auto"])
def test_one_that_is_wrong_or_fails_is_refused(tmp_path, made_up, monkeypatch, gain, words, name):
    folder = build_segment(tmp_path)
    expected = vocals(folder)
    made_up(gain)
    monkeypatch.setenv("STEMLANE_PROVIDER", name)
    with pytest.warns(RuntimeWarning, match=words) as told:
        found = vocals(folder)
    assert len(told) == 1
    text = str(told[0].message)
    assert text.startswith("provider 'cuda' does not run model 'tiny' as it should (") and "\n" not in text
    assert text.endswith("; the CPU computes")
    np.testing.assert_array_equal(found, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is said once
        assert Separator(folder).provider == "cpu"


def test_the_known_output_of_the_manifest_counts(tmp_path, made_up, monkeypatch):
    """Also where the CPU itself would give something else now."""
    folder = build_segment(tmp_path)
    with (folder / "manifest.toml").open("a", encoding="utf-8") as file:
        file.write("\n[self_test]\nvocals = [0.5, 0.5, 0.0, 0.0]\ndrums = [0.1, 0.1, 0.0, 0.0]\n")
    made_up(1.0)
    monkeypatch.setenv("STEMLANE_PROVIDER", "cuda")
    with pytest.warns(RuntimeWarning, match=r"was 0\.500000"):
        assert Separator(folder).provider == "cpu"


def test_one_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_PROVIDER", "coreml")
    with pytest.warns(RuntimeWarning, match="provider 'coreml' is not in this onnxruntime, which has: .*cpu"):
        assert Separator(build_segment(tmp_path)).provider == "cpu"
    monkeypatch.setenv("STEMLANE_PROVIDER", "gpu")
    with pytest.raises(InputError, match="STEMLANE_PROVIDER is 'gpu', should be one of: auto, tensorrt, cuda"):
        _ = Separator(build_segment(tmp_path, name="b")).provider


def test_on_the_command_line(tmp_path, made_up, monkeypatch, capsys):
    """The option wins over the variable, for this command alone; the active one and the warning are said."""
    folder = build_segment(tmp_path)
    made_up(1.01)
    monkeypatch.setenv("STEMLANE_PROVIDER", "cpu")
    soundfile.write(tmp_path / "song.wav", recording(SEGMENT).T, 44100, subtype="FLOAT")
    arguments = ["separate", str(tmp_path / "song.wav"), "-o", str(tmp_path), "--model", str(folder), "-v"]
    assert main([*arguments, "--provider", "cuda"]) == 0
    said = capsys.readouterr().err
    assert "warning: provider 'cuda' does not run model 'tiny' as it should" in said
    assert "at a time, on cpu" in said
    assert providers.asked() == "cpu"
    assert main(["doctor"]) in (0, 1)
    assert "cpu is asked for; this onnxruntime has: cuda, cpu" in capsys.readouterr().out


def test_in_the_library(tmp_path, made_up, monkeypatch):
    """What a separator is given wins over the variable, and stays its own."""
    folder = build_segment(tmp_path)
    asked = made_up(1 + 1e-6)
    monkeypatch.setenv("STEMLANE_PROVIDER", "coreml")
    first, second = Separator(folder, provider="cuda"), Separator(folder, provider="cpu")
    assert (first.provider, second.provider) == ("cuda", "cpu")
    first.separate(recording(SEGMENT), 44100)
    assert asked[-1][0] == ("CUDAExecutionProvider", {"use_tf32": "0"})
    second.separate(recording(SEGMENT), 44100)
    assert asked[-1] == ["CPUExecutionProvider"]
    assert StreamingSeparator(folder, 44100, 2, provider="auto").provider == "cuda"
    for make in (lambda: Separator(folder, provider="cdua"), lambda: StreamingSeparator(folder, 44100, 2, provider=1)):
        with pytest.raises(InputError, match="provider is ('cdua'|1), should be one of: auto, tensorrt, cuda"):
            make()


def test_files_say_what_computed_them(tmp_path, made_up, monkeypatch):
    folder = build_segment(tmp_path)
    made_up(1.0)
    soundfile.write(tmp_path / "song.wav", recording(SEGMENT).T, 44100, subtype="FLOAT")
    song = tmp_path / "song.wav"
    assert separate_file(song, tmp_path, model=folder, provider="cuda").provider == "cuda"
    [outcome] = separate_many([song], tmp_path / "many", model=folder, provider="auto")
    assert (outcome.provider, outcome.problem) == ("cuda", "")
    with Separator(folder) as separator, pytest.raises(InputError, match="provider is 'cuda', but the Separator has"):
        separate_file(song, tmp_path, model=separator, provider="cuda")


@pytest.mark.parametrize("call, words", [
    (lambda folder: Separator(folder, shfts=2),
     "Separator has no option 'shfts', did you mean 'shifts'? It has: shifts, provider"),
    (lambda folder: StreamingSeparator(folder, 44100, 2, rate=3),
     "StreamingSeparator has no option 'rate': it has: whole, shifts, provider"),
    (lambda folder: separate_file("a.wav", folder, fileformat="mp3"),
     "separation has no option 'fileformat', did you mean 'file_format'? It has: stems, two_stems, name"),
    (lambda folder: separate_many(["a.wav"], folder, provider="cpu", bitz=24),
     "separation has no option 'bitz', did you mean 'bits'? It has"),
    (lambda folder: add_model("mdx", stems="vocals"),
     "add_model has no option 'stems', did you mean 'stem'? It has: mask_extension"),
], ids=["separator", "stream", "file", "many", "add"])  # fmt: skip
def test_misspelt_options_are_named(tmp_path, call, words):
    with pytest.raises(InputError, match=re.escape(words)):
        call(build_segment(tmp_path))


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """The user's engine.conf, which the plugin's page of settings writes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("STEMLANE_PROVIDER", raising=False)
    path = tmp_path / "config" / "stemlane" / "engine.conf"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize("text, expected", [
    ("", "cpu"), ("python=/x\r\nprovider=cuda\r\nprovider=auto\r\n", "cuda"), ("provider=openvino", "openvino"),
    ("Provider=cuda\n provider=cuda\n", "cpu"), ("provider=\n", "cpu"), ("provider=cu\x1bda\n", "cpu"),
    ("provider=" + 5000 * "x", "cpu"), (70_000 * "#" + "\nprovider=cuda", "cpu"),
])  # fmt: skip
def test_the_plugins_setting_is_a_line_of_engine_conf(settings, text, expected):
    settings.write_text(text)
    assert providers.asked_of_engine() == expected
    assert providers.asked() == "cpu"  # scripts and files do not look at it


def test_the_environment_comes_before_the_setting(settings, monkeypatch):
    settings.write_text("provider=cuda\n")
    monkeypatch.setenv("STEMLANE_PROVIDER", "auto")
    assert providers.asked_of_engine() == "auto"


def test_a_setting_that_is_no_provider_names_the_file(settings):
    settings.write_text("provider=gpu\n")
    words = re.escape(f"provider= in {settings} is 'gpu', should be one of: auto, tensorrt, cuda")
    with pytest.raises(InputError, match=words):
        Worker("mix", 44100, 2)


def test_nothing_but_a_file_is_read(settings):
    assert providers.asked_of_engine() == "cpu"  # there is none
    os.mkfifo(settings)
    assert providers.asked_of_engine() == "cpu"


def test_the_engine_says_what_computes(tmp_path, settings, made_up):
    folder = build_segment(tmp_path)
    assert Worker(str(folder), 44100, 2).says == f"running model '{folder}'"
    settings.write_text("provider=cuda\n")
    made_up(1.0)
    assert Worker(str(folder), 44100, 2).says == f"running model '{folder}' on cuda"


def test_the_engine_says_why_the_processor_computes(tmp_path, settings, made_up):
    folder = build_segment(tmp_path)
    settings.write_text("provider=cuda\n")
    made_up(1.01)
    with pytest.warns(RuntimeWarning, match="level of vocals is"):  # into its log
        says = Worker(str(folder), 44100, 2).says
    assert says.startswith(f"running model '{folder}'; provider 'cuda' does not run model 'tiny' as it should (")
    assert says.endswith("; the CPU computes") and "\n" not in says
