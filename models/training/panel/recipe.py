# SPDX-License-Identifier: MIT
"""What the panel's excerpts are: sources, seeds, levels and treatments. Frozen: a change makes another panel.

Half A chooses among models, half B is reported. No song and no singer is in both halves, and none is in the training.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.training.data.withdrawn import GUITAR_SONGS, SONGS

SECONDS = 20.0
TREATMENTS = ("", "mono", "narrow", "loud", "quiet")


@dataclass(frozen=True)
class Excerpt:
    """One excerpt of 20 s.

    Attributes
    ----------
    voice : str
        A folder or file in `vocals` of the folder of audio, or nothing: the true vocals are silence.
    band : str
        The genre of a rendered backing (all stems known), or nothing.
    song : tuple of str
        Package and file name of a real backing (its stems unknown), or nothing.
    guitar_song : str
        A recorded song whose guitar is known apart.
    voice_db : float
        Level of the voice against the backing.
    treatment : str
        One of TREATMENTS: mono, narrow (sides at -12 dB), loud (heavy mastering), quiet (-45 dB RMS).
    """

    name: str
    half: str
    seed: int
    voice: str = ""
    band: str = ""
    song: tuple[str, ...] = ()
    guitar_song: str = ""
    voice_db: float = 0.0
    treatment: str = ""


# Who sings over which rendered backing, per half: speech over hip-hop stands for rap.
_SUNG_BANDS = {
    "A": (
        ("rock", "nit_song070_CC-BY-3.0"),
        ("metal", "producerspace_soulful_house/shv_e_128"),
        ("pop", "producerspace_soulful_house/shv_e_128"),
        ("folk", "nit_song070_CC-BY-3.0"),
        ("hip-hop", "speech_vctk_48k/p230"),
        ("jazz", "nit_song070_CC-BY-3.0"),
        ("orchestral", "producerspace_soulful_house/shv_e_128"),
        ("acoustic", "nit_song070_CC-BY-3.0"),
        ("funk", "producerspace_soulful_house/shv_e_128"),
        ("hip-hop", "speech_vctk_48k/p243"),
    ),
    "B": (
        ("rock", "vocadito_CC-BY-4.0/tests/resources/mir_datasets"),
        ("metal", "mtg_sms_tools/singing-female"),
        ("pop", "vocadito_CC-BY-4.0/tests/resources/vocadito_10"),
        ("folk", "oatsu_MIT"),
        ("hip-hop", "speech_vctk_48k/p258"),
        ("jazz", "vocadito_CC-BY-4.0/tests/resources/vocadito_14"),
        ("orchestral", "mtg_sms_tools"),
        ("acoustic", "oatsu_MIT"),
        ("funk", "vocadito_CC-BY-4.0/tests/resources/mir_datasets"),
        ("hip-hop", "speech_vctk_48k/p259"),
    ),
}
_SUNG_SONGS = {
    "A": (
        ("supertuxkart-data", "xeon6", "producerspace_soulful_house/shv_e_128"),
        ("torcs-data", "torcs1", "nit_song070_CC-BY-3.0"),
        ("wesnoth-1.16-music", "knolls", "nit_song070_CC-BY-3.0"),
        ("naev-data", "dvaered1", "producerspace_soulful_house/shv_e_128"),
        ("hyperrogue-music", "hr3-motion", "speech_vctk_48k/p233"),
        ("widelands-data", "ingame_24", "nit_song070_CC-BY-3.0"),
    ),
    "B": (
        ("supertuxkart-data", "kart_grand_prix", "vocadito_CC-BY-4.0/tests/resources/mir_datasets"),
        ("freedroidrpg-data", "Hyperbattle", "mtg_sms_tools/singing-female"),
        ("wesnoth-1.16-music", "battle", "oatsu_MIT"),
        ("naev-data", "combat2", "vocadito_CC-BY-4.0/tests/resources/vocadito_14"),
        ("supertuxkart-data", "garden", "speech_vctk_48k/p273"),
        ("widelands-data", "ingame_05", "vocadito_CC-BY-4.0/tests/resources/vocadito_10"),
    ),
}


def _half(half: str) -> list[Excerpt]:
    first = 1000 if half == "A" else 2000
    levels = (0.0, -6.0, 3.0, -3.0, 6.0, -9.0)
    result = []

    def add(kind: str, **what) -> None:
        index = len(result)
        treatment = ("", "", "loud", "", "mono", "", "narrow", "", "quiet", "loud")[index % 10]
        result.append(
            Excerpt(
                f"{half}{index:02d}_{kind}",
                half,
                first + index,
                treatment=treatment,
                voice_db=levels[index % len(levels)] if what.get("voice") else 0.0,
                **what,
            )
        )

    for genre, voice in _SUNG_BANDS[half]:
        add(f"{genre}_sung", band=genre, voice=voice)
    for package, song, voice in _SUNG_SONGS[half]:
        add(f"{song.replace(' ', '-')}_sung", song=(package, song), voice=voice)
    taken = {(package, song) for package, song, _ in _SUNG_SONGS[half]}
    alone = [
        (package, song) for package, names in SONGS[half].items() for song in names if (package, song) not in taken
    ]
    for package, song in alone[:9]:
        add(f"{song.replace(' ', '-')}", song=(package, song))
    for genre in ("rock", "metal", "punk"):
        add(genre, band=genre)
    for song in GUITAR_SONGS[half] * 2:
        add(f"{song.replace(' ', '-')}", guitar_song=song)
    return result


PANEL = tuple(_half("A") + _half("B"))
