# SPDX-License-Identifier: MIT
"""The README's scripts run as they stand and do what it says."""

import re
from pathlib import Path

import numpy as np
import soundfile
import stemlane

README = Path(__file__).parents[2] / "README.md"


def test_the_scripts_of_the_readme(tmp_path, monkeypatch):
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", README.read_text(encoding="utf-8"), re.MULTILINE)
    scripts = [re.sub("^    ", "", block, flags=re.MULTILINE) for block in blocks if "stemlane." in block]
    assert len(scripts) == 2

    rate = 44100
    random = np.random.default_rng(1)
    song = (0.1 * random.standard_normal((2, 6 * rate))).astype(np.float32)
    soundfile.write(tmp_path / "song.wav", song.T, rate, subtype="FLOAT")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for script in scripts:
        exec(compile(script, "README.md", "exec"), names)

    bounce, _ = soundfile.read(tmp_path / "bounce.wav", dtype="float32", always_2d=True)
    automation = [{"time": 0.0, "stem": "drums", "gain_db": 0.0}]
    expected = stemlane.render(song, rate, gains={"vocals": "-inf"}, automation=automation, model="mix")
    assert bounce.shape == song.T.shape
    # Up to the change of the drums' fader at 4 s, rendering and scripted bounce are one path.
    np.testing.assert_allclose(bounce[: 4 * rate], expected.T[: 4 * rate], atol=1e-6)
    assert np.abs(bounce.T[:, 5 * rate :] - expected[:, 5 * rate :]).max() > 1e-3
    assert set(names["stems"]) == {"vocals", "drums", "bass", "other"}
    np.testing.assert_allclose(names["karaoke"], expected, atol=1e-6)


def test_the_readme_names_no_missing_file():
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links and [link for link in links if not (README.parent / link).exists()] == []
