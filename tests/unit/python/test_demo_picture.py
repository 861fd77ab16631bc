# SPDX-License-Identifier: MIT
"""The demonstration: its model; in its picture power in its band, stems in their colours, what a fader has taken."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from matplotlib.colors import to_rgb
from stemlane.demo import __main__ as demo
from stemlane.demo import picture
from stemlane.engine.separator import Separator
from support.audio_files import music

RATE = 44100.0


def sine(hz: float, gain: float = 1.0) -> np.ndarray:
    return gain * np.sin(2 * np.pi * hz * np.arange(2 * int(RATE)) / RATE) * np.ones((2, 1))


def test_a_sine_of_full_scale_is_power_one_in_its_band():
    hz = 93 * RATE / 4096  # in the middle of a bin
    power = picture.band_power(sine(hz), RATE)
    band = int(power[:, 450].argmax())
    assert power[band].min() == pytest.approx(1.0, rel=1e-3)
    edges = 40 * 400 ** (np.arange(161) / 160)
    # A band may lie a bin beside what it is named for.
    assert edges[band] - RATE / 4096 <= hz <= edges[band + 1] + RATE / 4096
    assert picture.band_power(np.zeros((1, 100)), RATE).max() == 0.0


def test_pixels_have_the_colour_of_their_stem_and_the_brightness_of_the_sound():
    stems = {"vocals": np.array([[1.0, 0.0, 0.25]]), "drums": np.array([[0.0, 1.0, 0.25]])}
    pixels = picture.coloured(stems, np.array([[1.0, 1e-7, 1e-3]]), 1.0)
    np.testing.assert_allclose(pixels[0, 0], to_rgb(picture.COLOURS["vocals"]), atol=1e-9)
    np.testing.assert_allclose(pixels[0, 1], picture._GROUND, atol=1e-9)  # 70 dB down
    mean = (np.array(to_rgb(picture.COLOURS["vocals"])) + to_rgb(picture.COLOURS["drums"])) / 2
    light = (1 - 30 / 70) ** 2
    np.testing.assert_allclose(pixels[0, 2], light * mean + (1 - light) * np.asarray(picture._GROUND), atol=1e-9)


def test_the_colours_are_the_editors():
    palette = (Path(__file__).parents[3] / "plugin" / "editor" / "Palette.cpp").read_text(encoding="utf-8")
    colours = re.findall(r"Colour\{0xff([0-9a-f]{6})\}", palette)
    assert [f"#{colour}" for colour in colours[:6]] == list(picture.COLOURS.values())[:6]


def test_a_picture_is_drawn(tmp_path):
    stems = {"vocals": sine(440.0, 0.5), "other": sine(110.0, 0.5)}
    mixture = sum(stems.values())
    path = tmp_path / "picture.png"
    picture.draw(path, "A title", sample_rate=RATE, mixture=mixture, stems=stems, bounce=stems["other"],
                 faders_db={"vocals": np.full(1, -np.inf)})  # fmt: skip
    from matplotlib import image

    pixels = image.imread(path)
    assert pixels.shape[:2] == (int(100 * (1.6 * 4 + 0.6)), 1100)


def test_the_demonstration_takes_the_default_model(tmp_path, tiny_models, monkeypatch, capsys):
    """For the stems and in the plugin, as `render` and `load_plugin` do; all that is said names it."""
    monkeypatch.setattr("stemlane.manifests.registry.ALIASES", {"default": "live"})
    loaded, titles = [], []
    monkeypatch.setattr(demo, "load_plugin", lambda **values: loaded.append(values))
    monkeypatch.setattr(demo, "bounce_with_moving_drums", lambda plugin, mixture, sample_rate: mixture)
    monkeypatch.setattr(demo, "plugin_status", lambda plugin: SimpleNamespace(latency_samples=441))
    monkeypatch.setattr(demo, "draw", lambda path, title, **parts: titles.append(title))
    soundfile.write(tmp_path / "song.wav", music(20_000).T, int(RATE), subtype="FLOAT")
    assert demo.main([str(tmp_path / "song.wav"), "-o", str(tmp_path / "out")]) == 0
    assert loaded == [{"model": "live", "vocals_gain_db": "-inf"}]
    assert titles == ["Stemlane, model live: before, the faders, after"]
    assert "441 samples = 10.0 ms at 44100 Hz, model live" in capsys.readouterr().out
    vocals, _ = soundfile.read(tmp_path / "out" / "vocals.wav", dtype="float32")
    np.testing.assert_array_equal(vocals.T, Separator("live").separate(music(20_000), int(RATE))["vocals"])
