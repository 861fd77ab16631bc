# SPDX-License-Identifier: MIT
"""The instruments songs are rendered with: those of the training, and those kept for measuring."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Instruments to draw from: folders of sampled notes, and General MIDI programs (from 0) by role."""

    basses: tuple[str, ...]
    sampled: tuple[str, ...]
    gm_bass: tuple[int, ...]
    gm_chords: tuple[int, ...]
    gm_melody: tuple[int, ...]
    gm_kits: tuple[int, ...]


TRAINING = Palette(
    basses=("bass_fashionbass_CC0", "bass_meatbass_upright_CC0", "bass_swagbass_CC0", "bass_growlybass_CC0"),
    sampled=("guitar_emilyguitar_CC0", "guitar_shinyguitar_CC0", "piano_upright_KW_CC0"),
    gm_bass=(32, 33, 34, 36, 37, 38, 39),
    gm_chords=(
        0, 1, 2, 4, 5, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 25, 27, 28, 29, 30, 44, 45,
        46, 48, 50, 55, 61, 62, 80, 81, 84, 86, 87, 88, 89, 90, 93, 94, 95, 98, 99, 100, 104, 108,
    ),
    gm_melody=(
        0, 4, 8, 9, 10, 11, 13, 15, 21, 22, 23, 25, 27, 28, 29, 30, 40, 42, 43, 56, 57, 58, 59, 60, 65, 66, 67,
        68, 69, 71, 73, 74, 75, 76, 77, 79, 80, 81, 82, 83, 84, 87, 105, 107, 109, 110, 111,
    ),
    gm_kits=(0, 8, 16, 24, 25, 32),
)  # fmt: skip
# For measuring only: instruments no training song has.
UNSEEN = Palette(
    basses=("bass_electric_YR_CC0",), sampled=("guitar_spanish_CC0",), gm_bass=(35,),
    gm_chords=(3, 6, 17, 49, 51, 63, 92), gm_melody=(7, 24, 26, 41, 64, 70, 72, 78, 106), gm_kits=(40, 48),
)  # fmt: skip
