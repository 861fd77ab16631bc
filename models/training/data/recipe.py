# SPDX-License-Identifier: MIT
"""How often and how strongly a training batch is varied: shares, levels, equalisers, speeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """How excerpts are drawn; probabilities and dB."""

    # Share of every batch by kind, in the order of KINDS; where the pool has no instrumentals, theirs are labelled.
    kind_share: tuple[float, ...] = (0.5, 0.1, 0.1, 0.1, 0.2)
    sung_db: tuple[float, float] = (-12.0, 6.0)  # level of voices over a real instrumental

    song_probability: float = 0.4  # aligned stems of one song, else stems of anywhere
    # See draw_by_kind. Neither the album and the band nor drums and basses on their own have one of these words.
    song_weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "": 0.5,
            "demo": 0.3,
            "module": 0.4,
            "rendered": 0.3,
            "band": 0.45,
            "heavy": 0.3,
            "staccato": 0.4,
        }
    )
    single_weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "choir": 0.25,
            "phrases": 0.4,
            "sung": 0.35,
            "guitar": 0.6,
            "dark": 0.3,
            "recorded": 0.4,
            "part": 0.6,
        }
    )
    # Songs whose drums and basses no teacher knows better: kinds as in song_weights, and what those two count there.
    sure_songs: tuple[str, ...] = ("staccato",)
    sure_weight: float = 1.5
    # In remixes: take the stem from a song rather than from single recordings.
    song_stem_probability: tuple[float, ...] = (0.4, 0.4, 0.4, 0.7)
    layer_probability: tuple[float, ...] = (
        0.4,
        0.0,
        0.0,
        0.25,
    )  # in remixes: another excerpt of the stem over the first
    layer_db: tuple[float, float] = (-12.0, 3.0)  # its level against the first
    drop_probability: tuple[float, ...] = (0.15, 0.12, 0.25, 0.2)
    level_db: tuple[float, ...] = (-24.0, -22.0, -25.0, -29.0)
    level_spread_db: float = 6.0
    song_spread_db: float = 5.0
    master_spread_db: float = 5.0
    eq_db: float = 4.5
    speed_probability: float = 0.5  # played faster or slower, pitch and tempo together
    speed_octaves: float = 0.35
    voice_octaves: float = 0.6  # the same for vocals in remixes: there are few, and they must not be known by heart
    master_probability: float = 0.35  # the sum goes through a compressor and a soft clipper
    boom_probability: float = 0.2  # drums whose low end is as strong as a bass: kicks below, toms above
    boom_db: tuple[float, float] = (5.0, 15.0)
    boom_hz: tuple[float, float] = (35.0, 180.0)
    # Other with the body of a guitar through a dark amplifier. Without it, what is distorted and low is a bass.
    body_probability: float = 0.15
    body_db: tuple[float, float] = (4.0, 14.0)
    body_hz: tuple[float, float] = (120.0, 400.0)
    tilt_db: float = 7.0  # from the middle to either end of the spectrum: dark and bright versions of a timbre
