# SPDX-License-Identifier: MIT
"""Singing made from what speech synthesisers say: more voices than the recordings have, male and whispered ones.

espeak-ng makes formants, festival and flite join what people have said. What they say are syllables drawn here.
Run as `python -m models.training.data.speakers --tracks 60`.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from models.training.network.spectral import SAMPLE_RATE

from .command import make_vocals
from .material import read_stereo
from .sing import sing_track

FESTIVAL = (
    "upc_ca_ona_hts", "czech_dita", "czech_krb", "czech_machac", "czech_ph", "kal_diphone", "ked_diphone",
    "hy_fi_mv_diphone", "suo_fi_lj_diphone", "lp_diphone", "pc_diphone", "msu_ru_nsh_clunits", "cmu_us_slt_arctic_hts",
)  # fmt: skip
FLITE = ("rms", "awb")
ESPEAK_LANGUAGES = ("en", "it", "es", "la", "fi", "de", "pt", "sw", "pl", "el")
ESPEAK_VARIANTS = (
    "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "klatt", "klatt2", "klatt3", "klatt4",
    "klatt5", "klatt6", "whisper", "whisperf", "croak", "grandma", "grandpa", "aunty", "adam", "anika", "boris",
    "linda", "marcelo", "miguel", "quincy", "rob", "sandro", "steph", "victor", "zac", "ed", "gustave", "norbert",
)  # fmt: skip
CONSONANTS = ("m", "n", "l", "r", "t", "d", "k", "b", "s", "f", "v", "p", "g", "tr", "st", "")
VOWELS = ("a", "e", "i", "o", "u")
REMEDY = "apt-get install what models/training/README.md lists"


def words(rng: np.random.Generator) -> str:
    """A line of syllables; one in four has vowels only."""
    consonants = ("",) if rng.random() < 0.25 else CONSONANTS
    return " ".join(
        "".join(str(rng.choice(consonants)) + str(rng.choice(VOWELS)) for _ in range(int(rng.integers(1, 4))))
        for _ in range(int(rng.integers(4, 8)))
    )


def draw_speaker(rng: np.random.Generator) -> tuple[str, str]:
    """(program, its voice): half of them formants, half people."""
    if rng.random() < 0.5:
        return "espeak-ng", f"{rng.choice(ESPEAK_LANGUAGES)}+{rng.choice(ESPEAK_VARIANTS)}"
    index = int(rng.integers(len(FESTIVAL) + len(FLITE)))
    return ("text2wave", FESTIVAL[index]) if index < len(FESTIVAL) else ("flite", FLITE[index - len(FESTIVAL)])


def said(program: str, voice: str, text: str) -> np.ndarray:
    """What a speaker makes of a text, mono (samples,).

    Raises
    ------
    RuntimeError
        If the program is missing, fails or writes nothing. espeak-ng and flite take another voice for one they lack.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = {
            "espeak-ng": ["espeak-ng", "-v", voice, "-s", "110", "-w", str(path), text],
            "flite": ["flite", "-voice", voice, "-o", str(path), "-t", text],
            "text2wave": ["text2wave", "-eval", f"(voice_{voice})", "-o", str(path)],
        }[program]
        try:
            subprocess.run(command, input=text, text=True, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise RuntimeError(f"{program} cannot speak as {voice}; {REMEDY}") from error
        if not path.exists():  # text2wave ends with 0 where a voice is missing
            raise RuntimeError(f"{program} cannot speak as {voice}; {REMEDY}")
        return read_stereo(path).mean(0)


def make_track(seed: int) -> np.ndarray:
    """A minute of one made voice singing syllables (2, samples)."""
    rng = np.random.default_rng([23, seed])
    program, voice = draw_speaker(rng)
    return sing_track(rng, lambda: (said(program, voice, words(rng))[: 4 * SAMPLE_RATE], True), is_speech=True)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    make_vocals(__doc__, make_track, arguments, name="sung_speaker")  # of the kind "sung", as the recipe draws it


if __name__ == "__main__":
    main()
