# SPDX-License-Identifier: MIT
"""What the panel measures with and no training may hear, for good: voices, instruments, drum kits, songs.

The panel's recipe names its sources from these lists; every maker of training material leaves them out.
"""

from __future__ import annotations

from pathlib import PurePath

# Folders and files in `vocals` of the folder of audio. Half A: one singer, and one song of a set whose other songs are
# trained on (who sings them is not said). Half B: singers that are heard nowhere else.
VOICES = {
    "A": (
        "nit_song070_CC-BY-3.0",
        "producerspace_soulful_house/shv_e_128",
        "speech_vctk_48k/p228",
        "speech_vctk_48k/p230",
        "speech_vctk_48k/p233",
        "speech_vctk_48k/p236",
        "speech_vctk_48k/p243",
    ),
    "B": (
        "vocadito_CC-BY-4.0",
        "oatsu_MIT",
        "mtg_sms_tools",
        "speech_vctk_48k/p244",
        "speech_vctk_48k/p254",
        "speech_vctk_48k/p258",
        "speech_vctk_48k/p259",
        "speech_vctk_48k/p273",
    ),
}
# Songs of Debian's game packages by package and file name, every version of a song in the same half.
SONGS = {
    "A": {
        "hyperrogue-music": ("hr3-hell", "hr3-desert", "hr-domina-hunting", "hr3-motion"),
        "torcs-data": ("torcs1",),
        "supertuxkart-data": ("Snowy", "West", "klabauter_dance", "xeon6"),
        "naev-data": ("ambiphonic", "void_sensor", "dvaered1"),
        "wesnoth-1.16-music": ("knolls", "the_city_falls", "vengeful"),
        "widelands-data": ("ingame_24", "ingame_25", "ingame_26"),
        "singularity-music": ("Media Threat", "Inevitable"),
    },
    "B": {
        "freedroidrpg-data": ("Hyperbattle", "TechBattle", "menu", "town", "Bleostrada"),
        "hyperrogue-music": ("hr-savino-caribbean", "hr-savino-palace"),
        "supertuxkart-data": ("kart_grand_prix", "garden", "valley", "hacienda"),
        "naev-data": ("combat2", "pirates_orchestra"),
        "wesnoth-1.16-music": ("elvish-theme", "legends_of_the_north", "battle"),
        "widelands-data": ("ingame_05", "ingame_12"),
    },
}
# Recorded guitar songs of fretsonfire-songs-sectoid by folder.
GUITAR_SONGS = {"A": ("War of freedom",), "B": ("Metal madness",)}
# Kept for measuring from outside: in neither training nor panel.
OUTSIDE = ("warzone2100-music", "fretsonfire-songs-muldjord")
# Instruments in the folder of audio and kits of hydrogen-drumkits for the panel's rendered backings.
INSTRUMENTS = {"A": ("guitar_spanish_CC0",), "B": ("bass_electric_YR_CC0",)}
DRUM_KITS = {"A": ("ColomboAcousticDrumkit",), "B": ("The Black Pearl 1.0",)}
# Drummers of the groove recordings.
DRUMMERS = {"A": ("drummer3",), "B": ("drummer9", "drummer10")}


def is_withdrawn_voice(path: PurePath) -> bool:
    """Whether a file in `vocals` of the folder of audio belongs to the panel."""
    place = path.as_posix()
    return any(f"/vocals/{name}" in place for names in VOICES.values() for name in names)


def is_withdrawn_song(package: str, stem: str) -> bool:
    """Whether a package's recording (its file name without suffix) belongs to the panel, or to nobody."""
    return package in OUTSIDE or any(stem in half.get(package, ()) for half in SONGS.values())
