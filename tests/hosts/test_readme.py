# SPDX-License-Identifier: MIT
"""The bounces that the README and the page on pedalboard show are what `stemlane.render` makes of the same gains.

The examples in docstrings that need a host run here, too.
"""

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import stemlane

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
RATE = 44100


@pytest.fixture
def song(tmp_path, monkeypatch):
    """Six seconds of noise, as FLAC keeps it."""
    random = np.random.default_rng(1)
    soundfile.write(tmp_path / "song.flac", 0.1 * random.standard_normal((6 * RATE, 2)), RATE, subtype="PCM_24")
    monkeypatch.chdir(tmp_path)
    return soundfile.read("song.flac", dtype="float32", always_2d=True)[0].T


def run(page: Path, *, of: int) -> None:
    """Run the Python blocks of a page, which are so many."""
    scripts = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(scripts) == of
    for script in scripts:
        exec(compile(script, page.name, "exec"), {})


def written(name: str) -> np.ndarray:
    return soundfile.read(name, dtype="float32", always_2d=True)[0].T


def test_the_script_of_the_readme(song):
    run(README, of=1)
    expected = stemlane.render(song, RATE, gains={"vocals": "-inf", "drums": 3}, model="mix")
    np.testing.assert_allclose(written("bounce.wav"), expected, atol=1e-6)


def test_the_scripts_of_the_page_on_pedalboard(song):
    run(ROOT / "docs" / "pedalboard.md", of=4)
    expected = stemlane.render(song, RATE, gains={"vocals": "-inf"}, model="mix")
    np.testing.assert_allclose(written("karaoke.wav"), expected, atol=1e-6)
    automated = written("bounce.wav")
    assert automated.shape == song.shape
    # Up to the change of the drums' fader at 4 s, rendering and scripted bounce are one path.
    np.testing.assert_allclose(automated[:, : 4 * RATE], expected[:, : 4 * RATE], atol=1e-6)
    assert np.abs(automated[:, 5 * RATE :] - expected[:, 5 * RATE :]).max() > 1e-3
    # Rendered with the same faders it is the same but for the ramp at 4 s, 20 ms here and a block there.
    same = np.ones(song.shape[1], bool)
    same[4 * RATE - 2048 : 4 * RATE + 2048] = False
    np.testing.assert_allclose(automated[:, same], written("mix.wav")[:, same], atol=1e-6)


@pytest.mark.parametrize("name", ["hosting", "places", "status"])
def test_the_examples_of_docstrings(name):
    found = doctest.testmod(importlib.import_module(f"stemlane.plugin.{name}"))
    assert found.attempted > 0 and found.failed == 0


def test_the_readme_names_no_missing_file():
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links and [link for link in links if not (README.parent / link).exists()] == []
