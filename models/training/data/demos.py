# SPDX-License-Identifier: MIT
"""Electronic songs with known stems: the demo projects that come with LMMS, rendered by LMMS, one stem at a time.

Needs Debian's packages lmms and lmms-common, and caps and tap-plugins, without which LMMS crashes on some of them.
Run as `python -m models.training.data.demos`.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import subprocess
import tempfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from .material import BASS_CROSSOVER_HZ, read_stereo, split_low
from .pool import cache_folder, print_each, save_song

PROJECTS = Path("/usr/share/lmms/projects")
# Under the Artistic, BSD or GNU General Public licence; those under a share-alike Creative Commons one are left out.
SONGS = (
    "demos/CapDan/CapDan-ReggaeTry.mmpz",
    "demos/CapDan/CapDan-ReggaetonTry.mmpz",
    "demos/CapDan/CapDan-ZeroSumGame-OriginalByZakarra.mmpz",
    "demos/EsoXLB-CPU.mmpz",
    "demos/Impulslogik-Zen.mmpz",
    "demos/Momo64-esp.mmpz",
    "demos/Oglsdl-PpTrip.mmpz",
    "demos/Oglsdl-Dr8v2.mmpz",
    "demos/Settel-InnerRecreation.mmpz",
    "demos/Socceroos-Progress.mmpz",
    "demos/TameAnderson-MakeMe.mmpz",
    "demos/Thomasso-AxeFromThe80s.mmpz",
    "demos/Saber-FinalStep.mmpz",
    "shorties/Greshz-CoolSnip.mmpz",
    "shorties/Surrender-Main.mmpz",
    "demos/Shovon-ProgressiveHousePluckDemo.mmpz",
    "demos/StrictProduction-DearJonDoe.mmp",
    "shorties/DirtyLove.mmpz",
    "shorties/Crunk(Demo).mmp",
)
# Heard by nobody in training: kept for measuring.
HELD_OUT = ("demos/Settel-InnerRecreation.mmpz", "demos/Saber-FinalStep.mmpz", "demos/StrictProduction-DearJonDoe.mmp")
STEMS = ("drums", "bass", "other")

INSTRUMENT_TRACK, SAMPLE_TRACK = "0", "2"
_DRUMS = re.compile(
    r"kick|bassdrum|\bbd\b|snare|snr|hi-?h|\bhat|\bhh\b|clap|crash|cymbal|ride|\btom|tom_|shaker|tamb|"
    r"rim|linn|perc|timbale|shaaka|knock|noise clip|boom|syntom|drum",
    re.IGNORECASE,
)
_BASS = re.compile(r"bass(?!drum)|\bsub\b|lb ?302", re.IGNORECASE)
_OTHER = re.compile(r"piano|string|trumpet|organ|\bfx\b|alien|ufo|zap|hit01", re.IGNORECASE)
_VOICE = re.compile(r"voice|choir|chorus|vocal", re.IGNORECASE)
# A track's base note plays 440 Hz.
BASS_BELOW_HZ = 125.0


def stem_of(track: ElementTree.Element) -> str | None:
    """The stem of an instrument track: by its sample, its name, else its pitch; None for voices, which are left out."""
    instrument = track.find("instrumenttrack/instrument")
    source = next((part.get("src") for part in instrument.iter() if part.get("src")), "")
    told = f"{Path(source).name} {track.get('name')}"
    if _VOICE.search(told):
        return None
    if _OTHER.search(told):
        return "other"
    if _BASS.search(told) or source.startswith("bass"):
        return "bass"
    if (
        source.split("/")[0] in ("drums", "drumsynth", "beats")
        or instrument.get("name") == "kicker"
        or _DRUMS.search(told)
    ):
        return "drums"
    keys = [int(note.get("key")) for note in track.iter("note")]
    base = float(track.find("instrumenttrack").get("basenote", 57))
    pitched = bool(keys) and instrument.get("name") != "audiofileprocessor"
    low = pitched and 440.0 * 2.0 ** ((np.median(keys) - base) / 12.0) < BASS_BELOW_HZ
    return "bass" if low else "other"


def project(path: Path) -> ElementTree.ElementTree:
    """The project; `.mmpz` is Qt's compression: four bytes of length, then a zlib stream."""
    content = path.read_bytes()
    return ElementTree.ElementTree(
        ElementTree.fromstring(zlib.decompress(content[4:]) if path.suffix == ".mmpz" else content)
    )


def only(tree: ElementTree.ElementTree, stem: str) -> ElementTree.ElementTree:
    """The project with every track muted that does not belong to `stem`."""
    result = copy.deepcopy(tree)
    for track in result.iter("track"):
        track.set("solo", "0")
        is_recording = track.get("type") == SAMPLE_TRACK  # of anything: none of the projects comes with its own
        if is_recording or (track.get("type") == INSTRUMENT_TRACK and stem_of(track) != stem):
            track.set("muted", "1")
    return result


def render(path: Path) -> dict[str, np.ndarray]:
    """Drums, bass and other (2, samples) of a project, as LMMS plays them; what is low in other is bass."""
    tree, stems = project(path), {}
    with tempfile.TemporaryDirectory() as folder:
        for stem in STEMS:
            only(tree, stem).write(Path(folder) / "one.mmp", encoding="utf-8", xml_declaration=True)
            wav = Path(folder) / "one.wav"
            subprocess.run(
                [
                    "lmms",
                    "--allowroot",
                    "render",
                    str(Path(folder) / "one.mmp"),
                    "-o",
                    str(wav),
                    "-f",
                    "wav",
                    "-s",
                    "44100",
                ],
                env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stems[stem] = read_stereo(wav)
            wav.unlink()
    length = max(audio.shape[1] for audio in stems.values())
    stems = {stem: np.pad(audio, ((0, 0), (0, length - audio.shape[1]))) for stem, audio in stems.items()}
    low, high = split_low(stems["other"], BASS_CROSSOVER_HZ)  # as in the album's songs
    return stems | {"bass": stems["bass"] + low, "other": high}


def _render_to_pool(name: str) -> str:
    target = cache_folder() / ("demos" if name in HELD_OUT else "pool/songs") / f"demo_{Path(name).stem}"
    if not target.exists():
        stems = render(PROJECTS / name)
        peak = max(1.0, float(np.abs(sum(stems.values())).max()))
        save_song(target, {stem: audio * np.float32(0.5 / peak) for stem, audio in stems.items()})
    return target.name


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    print_each(_render_to_pool, SONGS, options.processes)


if __name__ == "__main__":
    main()
