# SPDX-License-Identifier: MIT
"""Drum kits of Debian's hydrogen-drumkits, acoustic and electronic: layers by velocity, cymbals that ring."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pedalboard

from models.training.network.spectral import SAMPLE_RATE

from .instruments import mix_in, sample
from .packages import unpacked
from .scores import Hit

# Kits that training hears; the panel's are in withdrawn.DRUM_KITS. Licences: models/training/SOURCES.md.
ACOUSTIC = (
    "BJA_Pacific",
    "ForzeeStereo",
    "Millo-Drums_v.1",
    "Millo_MultiLayered2",
    "Millo_MultiLayered3",
    "rumpf_kit_z01_h2",
)
ELECTRONIC = ("Audiophob", "ElectricEmpireKit", "HardElectro1", "VariBreaks")
_DRUMS = (
    ("rim", r"stick|rim ?click|rimshot"),
    ("clap", r"clap"),
    ("hat_open", r"(hat|hh).*op|op\w* (hat|hh)|semi"),
    ("hat_closed", r"hat|\bhh\b"),
    ("kick", r"kick|bass ?drum"),
    ("snare", r"snare|\bsn"),
    ("tom_low", r"tom.*(low|floor|3)|(low|floor).*tom"),
    ("tom_mid", r"tom.*(mid|2)|mid\w* tom"),
    ("tom_high", r"tom"),
    ("ride", r"ride(?!-)"),
    ("crash", r"crash|china|splash|cymbal"),
)


def drum_of(name: str) -> str | None:
    """The drum that an instrument's name tells, one of those in `scores.MIDI_OF_DRUM`; None if it tells none."""
    return next((drum for drum, words in _DRUMS if re.search(words, name, re.IGNORECASE)), None)


@lru_cache(maxsize=32)
def kit_sounds(kit: str) -> dict[str, tuple[tuple[tuple[float, Path], ...], ...]]:
    """Per drum its sounds; a sound is its layers as (highest velocity, file) from soft to hard."""
    folder = next(unpacked("hydrogen-drumkits").rglob(f"{kit}/drumkit.xml")).parent
    sounds: dict[str, list] = {}
    for instrument in re.findall(
        r"<instrument>.*?</instrument>", (folder / "drumkit.xml").read_text("utf-8"), re.DOTALL
    ):
        element = ElementTree.fromstring(re.sub(r"&(?!\w+;)", "&amp;", instrument))
        drum = drum_of(element.findtext("name") or "")
        layers = [
            (float(layer.findtext("max") or 1.0), folder / layer.findtext("filename"))
            for layer in element.iter("layer")
        ]
        if not layers and element.findtext("filename"):
            layers = [(1.0, folder / element.findtext("filename"))]
        layers = tuple(sorted((top, path) for top, path in layers if path.exists()))
        if drum and layers:
            sounds.setdefault(drum, []).append(layers)
    return {drum: tuple(found) for drum, found in sounds.items()}


def play_kit(
    rng: np.random.Generator, kit: str, hits: list[Hit], seconds_per_beat: float, num_samples: int
) -> np.ndarray:
    """The hits on one kit in one room (2, num_samples): a choice of its sounds, levels, places and compression."""
    sounds = {drum: found[int(rng.integers(len(found)))] for drum, found in kit_sounds(kit).items()}
    stand_in = {
        "clap": "snare",
        "rim": "snare",
        "tom_high": "tom_mid",
        "tom_mid": "tom_low",
        "ride": "hat_closed",
        "hat_open": "crash",
        "crash": "ride",
        "hat_closed": "ride",
        "tom_low": "kick",
    }
    gain = {drum: 10.0 ** (float(rng.normal(0.0, 2.5)) / 20.0) for drum in _LEVELS}
    pan = {drum: 0.0 if drum in ("kick", "snare") else float(rng.uniform(-0.7, 0.7)) for drum in _LEVELS}
    track = np.zeros((2, num_samples), np.float32)
    for hit in hits:
        drum = hit.drum
        while drum not in sounds and drum in stand_in:
            drum = stand_in[drum]
        if drum not in sounds:
            continue
        layers = sounds[drum]
        path = next((path for top, path in layers if hit.velocity <= top), layers[-1][1])
        audio = sample(path)
        peak = float(np.abs(sample(layers[-1][1])).max()) + 1e-6
        level = _LEVELS[hit.drum] * gain[hit.drum] * (0.4 + 0.6 * hit.velocity) * hit.velocity**0.5 / peak
        sides = np.array([[1.0 - max(0.0, pan[hit.drum])], [1.0 + min(0.0, pan[hit.drum])]], np.float32)
        mix_in(track, audio * sides * np.float32(level), hit.start * seconds_per_beat)
    return _room(rng)(track, SAMPLE_RATE)


_LEVELS = {
    "kick": 1.0,
    "snare": 0.8,
    "rim": 0.5,
    "clap": 0.5,
    "tom_low": 0.7,
    "tom_mid": 0.65,
    "tom_high": 0.6,
    "hat_closed": 0.3,
    "hat_open": 0.35,
    "crash": 0.5,
    "ride": 0.35,
}


def _room(rng: np.random.Generator) -> pedalboard.Pedalboard:
    chain = [
        pedalboard.PeakFilter(float(rng.uniform(50.0, 90.0)), float(rng.uniform(-2.0, 5.0)), 1.0),
        pedalboard.HighShelfFilter(float(rng.uniform(5000.0, 9000.0)), float(rng.uniform(-3.0, 4.0))),
    ]
    if rng.random() < 0.6:
        chain.append(pedalboard.Compressor(float(rng.uniform(-26.0, -12.0)), float(rng.uniform(2.0, 8.0)), 10.0, 120.0))
    chain.append(
        pedalboard.Reverb(
            float(rng.uniform(0.05, 0.5)),
            float(rng.uniform(0.3, 0.9)),
            float(rng.uniform(0.02, 0.2)),
            1.0,
            float(rng.uniform(0.6, 1.0)),
        )
    )
    return pedalboard.Pedalboard(chain)
