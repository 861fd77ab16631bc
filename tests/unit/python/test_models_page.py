# SPDX-License-Identifier: MIT
"""docs/MODELS.md: its example does what it says, and it explains every field there is."""

import dataclasses
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stemlane.catalog import measured
from stemlane.cli.main import main
from stemlane.manifests.kinds import SETTINGS_READERS
from stemlane.manifests.model import Manifest
from support.tiny_models import short_recording

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "MODELS.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_example(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("STEMLANE_MODELS", raising=False)
    monkeypatch.setattr(measured, "recording", short_recording)
    monkeypatch.chdir(tmp_path)
    times = np.arange(3 * 44100) / 44100
    low, high = 0.3 * np.sin(2 * np.pi * 60 * times), 0.3 * np.sin(2 * np.pi * 2000 * times)
    soundfile.write("song.wav", np.stack([low + high] * 2, axis=1), 44100, subtype="FLOAT")
    [code], [commands] = blocks("python"), blocks("sh")
    exec(compile(code, "docs/MODELS.md", "exec"), {})
    said = {}
    for line in commands.strip().splitlines():
        program, *arguments = shlex.split(line)
        assert program == "stemlane"
        assert main(arguments) == 0, line
        said[" ".join(arguments[:2])] = capsys.readouterr().out
    assert "crossover: ok, gives the known output" in said["models verify"]
    for words in (
        "title          Crossover at 250 Hz",
        "residual       other, what",
        "cuts ",
        "latency        ",
        "MIT",
    ):
        assert words in said["models show"], words
    bass, _ = soundfile.read("stems/song/bass.wav")
    other, _ = soundfile.read("stems/song/other.wav")
    inner = slice(4096, -4096)
    np.testing.assert_allclose(bass[inner, 0], low[inner], atol=0.01)
    np.testing.assert_allclose(other[inner, 0], high[inner], atol=0.01)


@pytest.mark.parametrize("kind", SETTINGS_READERS)
def test_every_field_is_explained(kind):
    """Whatever a reader asks for stands in the kind's chapter."""
    chapter = re.search(rf"^## `{kind}`(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert chapter, f"docs/MODELS.md has no chapter on the kind {kind}"
    for name in asked(kind):
        assert f"`{name}`" in chapter[1] or (kind == "open-unmix" and name in ("magnitude", "masks", "magnitudes")), (
            name
        )


def asked(kind: str) -> set[str]:
    """Keys a reader fetches, found by giving it a table that has everything."""
    names = set()

    class Everything:
        where = "test"

        def table(self, key):
            return self if key in ("tensors", kind) else Everything()

        def __contains__(self, key):
            return True

        def fail(self, key, problem):
            pass

        def array(self, key, expected):
            return ["mean", ["a", 1.0]] if key in ("vocals", "other") else ["vocals", "other"]

        def get(self, key, type_, expected):
            names.add(key)
            return [["a", "b"]]

        def integer(self, key, lowest, highest):
            names.add(key)
            return {"fft_samples": 4096, "hop_samples": 1024, "synthesis_samples": 4096}.get(key, max(lowest, 64))

        def number(self, key, lowest, highest):
            names.add(key)
            return lowest

        def text(self, key):
            names.add(key)
            return key

        def choice(self, key, choices):
            names.add(key)
            return choices[0]

        def flag(self, key):
            names.add(key)
            return False

    SETTINGS_READERS[kind](Everything())
    return names


def test_what_all_manifests_share_is_explained():
    chapter = PAGE.split("## What every manifest says")[1].split("\n## ")[0]
    for field in dataclasses.fields(Manifest):
        if field.name not in ("folder", "settings"):
            assert f"`{field.name}`" in chapter or f"`[{field.name}]`" in chapter or f"`[[{field.name}]]`" in chapter
