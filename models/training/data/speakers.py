# SPDX-License-Identifier: MIT
"""Singing made from what speech synthesisers say: more voices than the recordings have, male and whispered ones.

espeak-ng makes formants, festival and flite join what people have said. What they say are syllables drawn here.
Run as `python -m models.training.data.speakers --tracks 60`.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from models.training.network.spectral import SAMPLE_RATE

from .command import make_vocals
from .material import read_stereo
from .pool import PoolError
from .sing import sing_track

FESTIVAL = {  # with Debian's package of each
    "upc_ca_ona_hts": "festvox-ca-ona-hts", "czech_dita": "festvox-czech-dita", "czech_krb": "festvox-czech-krb",
    "czech_machac": "festvox-czech-machac", "czech_ph": "festvox-czech-ph", "kal_diphone": "festvox-kallpc16k",
    "ked_diphone": "festvox-kdlpc16k", "hy_fi_mv_diphone": "festvox-suopuhe-mv",
    "suo_fi_lj_diphone": "festvox-suopuhe-lj", "lp_diphone": "festvox-italp16k", "pc_diphone": "festvox-itapc16k",
    "msu_ru_nsh_clunits": "festvox-ru", "cmu_us_slt_arctic_hts": "festvox-us-slt-hts",
}  # fmt: skip
FLITE = ("rms", "awb")
ESPEAK_LANGUAGES = ("en", "it", "es", "la", "fi", "de", "pt", "sw", "pl", "el")
ESPEAK_VARIANTS = (
    "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "klatt", "klatt2", "klatt3", "klatt4",
    "klatt5", "klatt6", "whisper", "whisperf", "croak", "grandma", "grandpa", "aunty", "adam", "anika", "boris",
    "linda", "marcelo", "miguel", "quincy", "rob", "sandro", "steph", "victor", "zac", "ed", "gustave", "norbert",
)  # fmt: skip
CONSONANTS = ("m", "n", "l", "r", "t", "d", "k", "b", "s", "f", "v", "p", "g", "tr", "st", "")
VOWELS = ("a", "e", "i", "o", "u")
LISTED = {  # by program, what prints the voices it has, and where in that they stand
    "espeak-ng": (["espeak-ng", "--voices=variant"], r"!v/(\S+)"),
    "festival": (["festival", "-b", "(print (voice.list))"], r"[^\s()]+"),
    "flite": (["flite", "-lv"], r"\S+"),
}


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
    return ("text2wave", [*FESTIVAL][index]) if index < len(FESTIVAL) else ("flite", FLITE[index - len(FESTIVAL)])


@functools.cache
def check_voices() -> None:
    """Raise `PoolError` unless every voice is there: espeak-ng and flite take another for one that they lack."""
    needed = {
        "espeak-ng": dict.fromkeys(ESPEAK_VARIANTS, "espeak-ng-data"),
        "festival": FESTIVAL,
        "flite": dict.fromkeys(FLITE, "flite"),
    }
    for program, voices in needed.items():
        command, pattern = LISTED[program]
        try:
            text = subprocess.run(command, text=True, check=True, capture_output=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise PoolError(f"{program} does not run; run 'apt-get install {program}'") from error
        there = set(re.findall(pattern, text))
        for voice, package in voices.items():
            if voice not in there:
                raise PoolError(f"{program} has no voice {voice}; run 'apt-get install {package}'")


def speak(program: str, voice: str, text: str) -> np.ndarray:
    """A text as a speaker says it, mono (samples,); `PoolError` if the program fails or writes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = {
            "espeak-ng": ["espeak-ng", "-v", voice, "-s", "110", "-w", str(path), text],
            "flite": ["flite", "-voice", voice, "-o", str(path), "-t", text],
            "text2wave": ["text2wave", "-eval", f"(voice_{voice})", "-o", str(path)],
        }[program]
        try:
            subprocess.run(command, input=text, text=True, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PoolError(f"{program} cannot speak as {voice}") from error
        if not path.exists():  # text2wave ends with 0 where it fails
            raise PoolError(f"{program} cannot speak as {voice}")
        return read_stereo(path).mean(0)


def make_track(seed: int) -> np.ndarray:
    """A minute of one made voice singing syllables (2, samples)."""
    check_voices()
    rng = np.random.default_rng([23, seed])
    program, voice = draw_speaker(rng)
    return sing_track(rng, lambda: (speak(program, voice, words(rng))[: 4 * SAMPLE_RATE], True), is_speech=True)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    try:
        make_vocals(__doc__, make_track, arguments, name="sung_speaker")  # of the kind "sung", as the recipe draws it
    except PoolError as error:
        sys.exit(f"speakers: {error}")


if __name__ == "__main__":
    main()
