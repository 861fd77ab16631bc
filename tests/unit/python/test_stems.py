# SPDX-License-Identifier: MIT
"""What the library returns and takes: stems that notebooks show, tensors, and models by name."""

import base64
import copy
import io
import pickle
import re
import wave
from xml.etree import ElementTree

import numpy as np
import pytest
import stemlane
from stemlane.engine.stems import Stems
from stemlane.errors import InputError
from stemlane.manifests.model import load_manifest
from support.audio_files import music
from support.tiny_models import build_model

RATE = 44100


def stems(num_samples=RATE, names=("vocals", "drums")) -> Stems:
    return Stems([(name, music(num_samples, seed=index)) for index, name in enumerate(names)], RATE)


def test_it_is_a_dictionary_in_everything():
    found = stems()
    assert isinstance(found, dict) and list(found) == ["vocals", "drums"]
    for again in (dict(found), pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        assert list(again) == list(found)
        np.testing.assert_array_equal(again["drums"], found["drums"])
    assert pickle.loads(pickle.dumps(found)).sample_rate == RATE


def test_repr_tells(tmp_path):
    assert repr(stems(66_150)) == "Stems of 1.500 s at 44100 Hz, 2 channels: vocals, drums"
    assert repr(Stems()) == "Stems of 0.000 s at 44100 Hz, 0 channels: "
    model = build_model(tmp_path)
    assert repr(load_manifest(model)) == (
        "Manifest('tiny', 'Tiny tiny', version 0.1.0: vocals, drums, bass, other at 44100 Hz)"
    )
    assert repr(stemlane.Separator(model)) == "Separator('tiny') of vocals, drums, bass, other at 44100 Hz"
    stream = stemlane.StreamingSeparator(model, 48000, 1)
    assert repr(stream) == "StreamingSeparator('tiny') of 1 channels at 48000 Hz: vocals, drums, bass"


def test_a_notebook_gets_players_and_pictures():
    found = stems(20 * RATE)
    text = found._repr_html_()
    tree = ElementTree.fromstring(re.sub(r"(<audio controls)", "<audio controls=''", text))  # well-formed but for that
    rows = tree.findall("tr")
    assert [row.find("th").text for row in rows] == ["vocals", "drums"]
    for row, samples in zip(rows, found.values(), strict=True):
        address = row.find(".//audio").get("src")
        with wave.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2]))) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
        assert len(sound) == 15 * 16_000
        mono = samples[:, : 15 * RATE].mean(axis=0)
        assert np.sqrt(np.mean(sound**2)) == pytest.approx(
            np.sqrt(np.mean(mono**2)), rel=0.05
        )  # noise above 8 kHz goes
        points = row.find(".//polygon").get("points").split()
        heights = [float(point.split(",")[1]) for point in points]
        assert len(points) == 800 and 0 <= min(heights) <= 20 - 20 * np.abs(samples).max() + 0.1
        assert row.findall("td")[1].text == f"{20 * np.log10(np.abs(samples).max()):.1f} dB"
    assert "20.000 s at 44100 Hz" in tree.find("caption").text


def test_a_notebook_stays_small_however_long_and_many():
    four = stems(60 * RATE, ("a", "b", "c", "d"))._repr_html_()
    assert len(four) < 4 * 15 * 16_000 * 2 * 4 / 3 + 4 * 20_000
    many = stems(100, [str(index) for index in range(30)])._repr_html_()
    assert many.count("<audio") == 8 and "and 22 more" in many


def test_names_are_text_and_nothing_else():
    text = stems(100, ["<script>alert(1)</script>", "a'b\"c"])._repr_html_()
    assert "<script>" not in text and "&lt;script&gt;" in text
    assert "aria-label='a&#x27;b&quot;c'" in text


@pytest.mark.parametrize("samples", [np.zeros((2, 0)), np.zeros((1, 1)), np.zeros((2, 1000)), np.full((1, 3), 5.0)])
def test_short_silent_and_loud_ones_are_shown(samples):
    text = Stems([("vocals", samples.astype(np.float32))], 8000)._repr_html_()
    ElementTree.fromstring(text.replace("<audio controls", "<audio controls=''"))
    assert ("silent" in text) == (not samples.any()) and "nan" not in text


class Tensor:
    """As much of torch's tensor as matters: numpy sees its values only after they have been copied out."""

    def __init__(self, values, *, detached=False):
        self._values, self._detached = values, detached

    def detach(self):
        return Tensor(self._values, detached=True)

    def cpu(self):
        assert self._detached
        return np.asarray(self._values)

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


class ArrayLike:
    """What numpy makes an array of."""

    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._values, dtype)


def test_tensors_and_array_likes_are_taken(tmp_path):
    model, mixture = build_model(tmp_path), music(5000)
    with stemlane.Separator(model) as separator:
        wanted = separator.separate(mixture, RATE)
        for other in (
            Tensor(mixture),
            ArrayLike(mixture),
            mixture.tolist(),
            mixture.astype(np.float64),
            memoryview(mixture),
        ):
            found = separator.separate(other, RATE)
            for name, samples in wanted.items():
                np.testing.assert_array_equal(found[name], samples)
        blocks = [Tensor(mixture[:, :3000]), mixture[:, 3000:].tolist()]
        pieces = np.concatenate(list(separator.separate_blocks(blocks, RATE, 2)), axis=2)
        np.testing.assert_array_equal(pieces[0], wanted["vocals"])
        refuses = ArrayLike(None)
        refuses.__class__ = type(
            "Refuses", (ArrayLike,), {"__array__": Tensor.__array__, "__repr__": lambda self: "it"}
        )
        with pytest.raises(InputError, match="audio is it, should be an array"):
            separator.separate(refuses, RATE)


def test_the_stems_say_what_rate_they_have(tmp_path):
    with stemlane.Separator(build_model(tmp_path)) as separator:
        assert separator.separate(music(100), 48000).sample_rate == 48000


def test_models_by_name(tiny_models, tmp_path, monkeypatch):
    build_model(tmp_path, name="mine")
    broken = build_model(tmp_path, name="broken")
    (broken / "manifest.toml").write_text("format = 2", encoding="utf-8")
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    found = stemlane.models()
    assert list(found) == ["live", "mix", "mine"]
    assert found["mine"].stems == ("vocals", "drums", "bass", "other")
