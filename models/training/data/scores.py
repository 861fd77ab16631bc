# SPDX-License-Identifier: MIT
"""Notes, chords and drum hits in beats: read from lead sheets and drum performances, or made up by rule.

How they sound is left to `instruments` and `render`.
"""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import mido
import numpy as np

from .pool import audio_folder
from .withdrawn import DRUMMERS


@dataclass(frozen=True)
class Note:
    """A note in beats; velocity 0 to 1."""

    start: float
    length: float
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Chord:
    """A chord in beats: root pitch class and intervals in semitones."""

    start: float
    length: float
    root: int
    intervals: tuple[int, ...]


@dataclass(frozen=True)
class Hit:
    """A drum hit in beats; `drum` is one of the names in `DRUM_OF_MIDI`."""

    start: float
    drum: str
    velocity: float


DRUM_OF_MIDI = {
    35: "kick",
    36: "kick",
    37: "rim",
    38: "snare",
    40: "snare",
    39: "clap",
    41: "tom_low",
    43: "tom_low",
    58: "tom_low",
    45: "tom_mid",
    47: "tom_mid",
    48: "tom_high",
    50: "tom_high",
    42: "hat_closed",
    22: "hat_closed",
    44: "hat_closed",
    46: "hat_open",
    26: "hat_open",
    49: "crash",
    52: "crash",
    55: "crash",
    57: "crash",
    51: "ride",
    53: "ride",
    59: "ride",
}
MIDI_OF_DRUM = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "tom_low": 43,
    "tom_mid": 47,
    "tom_high": 50,
    "hat_closed": 42,
    "hat_open": 46,
    "crash": 49,
    "ride": 51,
}
_KINDS = {
    "minor": (0, 3, 7),
    "minor-seventh": (0, 3, 7, 10),
    "dominant": (0, 4, 7, 10),
    "diminished": (0, 3, 6),
    "major-seventh": (0, 4, 7, 11),
    "augmented": (0, 4, 8),
    "major-sixth": (0, 4, 7, 9),
    "half-diminished": (0, 3, 6, 10),
    "diminished-seventh": (0, 3, 6, 9),
    "suspended-fourth": (0, 5, 7),
    "minor-sixth": (0, 3, 7, 9),
    "dominant-ninth": (0, 4, 10, 14),
}
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@lru_cache(maxsize=1)
def lead_sheets() -> tuple[Path, ...]:
    """All lead sheets (compressed MusicXML)."""
    return tuple(sorted((audio_folder() / "midi" / "OpenEWLD_PD").rglob("*.mxl")))


@lru_cache(maxsize=32)
def grooves(style: str = "", drummers: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Drum performances in four-four that are whole beats, not fills: of a style or any, by `drummers`.

    Without `drummers`: by all but those whom the panel keeps to itself.
    """
    root = audio_folder() / "midi" / "groove_CC-BY-4.0"
    withdrawn = {name for names in DRUMMERS.values() for name in names}
    with open(next(root.glob("*.csv")), encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["beat_type"] == "beat"
            and row["time_signature"] == "4-4"
            and float(row["duration"]) > 8.0
            and row["style"].startswith(style)
            and (row["drummer"] in drummers if drummers else row["drummer"] not in withdrawn)
        ]
    return tuple(root / row["midi_filename"] for row in rows if (root / row["midi_filename"]).exists())


def _pitch(element, step: str, alter: str) -> int:
    return _STEPS[element.findtext(step)] + int(float(element.findtext(alter) or 0))


def read_lead_sheet(path: Path) -> tuple[list[Note], list[Chord]]:
    """Melody and chords of a lead sheet, in quarter-note beats; repeats are not expanded."""
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".xml") and "META-INF" not in name)
        root = ElementTree.fromstring(archive.read(name))
    notes, roots, position, divisions = [], [], 0.0, 1.0
    for measure in root.find("part").findall("measure"):
        for element in measure:
            if element.tag == "attributes" and element.findtext("divisions"):
                divisions = float(element.findtext("divisions"))
            elif element.tag == "harmony" and element.find("root") is not None:
                kind = _KINDS.get(element.findtext("kind") or "", (0, 4, 7))
                roots.append((position, _pitch(element.find("root"), "root-step", "root-alter") % 12, kind))
            elif element.tag == "note" and element.find("chord") is None and element.find("grace") is None:
                length = float(element.findtext("duration") or 0) / divisions
                pitch = element.find("pitch")
                if pitch is not None:
                    number = 12 * (int(pitch.findtext("octave")) + 1) + _pitch(pitch, "step", "alter")
                    notes.append(Note(position, length, number, 0.8))
                position += length
            elif element.tag == "backup":
                position -= float(element.findtext("duration")) / divisions
    ends = [*(start for start, _, _ in roots), position][1:]
    chords = [
        Chord(start, end - start, tone, kind)
        for (start, tone, kind), end in zip(roots, ends, strict=True)
        if end > start
    ]
    return notes, chords


def read_groove(path: Path) -> list[Hit]:
    """Hits of a drum performance with its human timing."""
    file = mido.MidiFile(path)
    hits, ticks = [], 0
    for message in mido.merge_tracks(file.tracks):
        ticks += message.time
        if message.type == "note_on" and message.velocity and message.note in DRUM_OF_MIDI:
            hits.append(Hit(ticks / file.ticks_per_beat, DRUM_OF_MIDI[message.note], message.velocity / 127.0))
    return hits


def repeat_to(hits: list[Hit], beats: float) -> list[Hit]:
    """The performance repeated in whole bars until `beats` are filled."""
    if not hits:
        return []
    period = 4.0 * np.ceil((max(hit.start for hit in hits) + 0.1) / 4.0)
    copies = int(np.ceil(beats / period))
    return [
        Hit(hit.start + copy * period, hit.drum, hit.velocity)
        for copy in range(copies)
        for hit in hits
        if hit.start + copy * period < beats
    ]


def electronic_drums(rng: np.random.Generator, beats: float) -> list[Hit]:
    """A programmed pattern on a sixteenth grid: house, breakbeat, trap or broken, with gaps and rolls."""
    style = rng.choice(["house", "break", "trap", "random"])
    kick = {
        "house": [0, 4, 8, 12],
        "break": [0, 10],
        "trap": [0, 6, 10],
        "random": sorted(rng.choice(16, int(rng.integers(2, 5)), replace=False).tolist()),
    }[style]
    snare = {"house": [4, 12], "break": [4, 12], "trap": [8], "random": [4, 12]}[style]
    snare_name = str(rng.choice(["snare", "clap", "rim"]))
    hat_step = int(rng.choice([1, 2, 2, 4]))
    hat_offset = 2 if style == "house" and hat_step == 4 else 0
    ghost = rng.random(16) < 0.12
    hits, swing = [], float(rng.choice([0.0, 0.0, 0.06]))
    play = {"kick": True, "snare": True, "hat": True}
    for bar in range(int(beats // 4)):
        if bar % 4 == 0:
            play = {name: bool(rng.random() < 0.85) for name in play}
        for tick in range(16):
            start = 4.0 * bar + tick / 4.0 + (swing if tick % 2 else 0.0)
            if play["kick"] and tick in kick:
                hits.append(Hit(start, "kick", float(rng.uniform(0.85, 1.0))))
            if play["snare"] and tick in snare:
                hits.append(Hit(start, snare_name, float(rng.uniform(0.8, 1.0))))
            elif play["snare"] and ghost[tick] and rng.random() < 0.5:
                hits.append(Hit(start, snare_name, float(rng.uniform(0.2, 0.5))))
            if play["hat"] and tick % hat_step == hat_offset % hat_step:
                name = "hat_open" if style == "house" and tick % 4 == 2 and rng.random() < 0.7 else "hat_closed"
                hits.append(Hit(start, name, float(rng.uniform(0.4, 0.9))))
                if style == "trap" and rng.random() < 0.08:
                    hits += [Hit(start + k / 12.0, "hat_closed", 0.6) for k in (1, 2)]
        if bar % 8 == 7 and rng.random() < 0.6:
            hits += [Hit(4.0 * bar + 2.0 + k / 8.0, snare_name, 0.4 + 0.035 * k) for k in range(16)]
        if bar % 8 == 0 and rng.random() < 0.5:
            hits.append(Hit(4.0 * bar, "crash", 0.8))
    return hits


def loop_chords(rng: np.random.Generator, beats: float) -> list[Chord]:
    """A four-chord loop in a random minor or major key."""
    key = int(rng.integers(12))
    minor = bool(rng.random() < 0.65)
    degrees = [0, 3, 5, 7, 8, 10] if minor else [0, 2, 4, 5, 7, 9]
    kinds = (
        {0: (0, 3, 7), 3: (0, 4, 7), 5: (0, 3, 7), 7: (0, 3, 7), 8: (0, 4, 7), 10: (0, 4, 7)}
        if minor
        else {0: (0, 4, 7), 2: (0, 3, 7), 4: (0, 3, 7), 5: (0, 4, 7), 7: (0, 4, 7), 9: (0, 3, 7)}
    )
    length = float(rng.choice([2.0, 4.0, 4.0, 8.0]))
    loop = [0] + [int(rng.choice(degrees)) for _ in range(3)]
    return [
        Chord(index * length, length, (key + loop[index % 4]) % 12, kinds[loop[index % 4]])
        for index in range(int(np.ceil(beats / length)))
    ]


def bass_line(rng: np.random.Generator, chords: list[Chord], *, low: int = 28) -> list[Note]:
    """A bass line on the chord roots: held, repeated, off-beat, octaves or a sixteenth pattern."""
    style = rng.choice(["held", "eighths", "offbeat", "octaves", "pattern", "walking"])
    pattern = sorted(rng.choice(16, int(rng.integers(4, 10)), replace=False).tolist())
    tones = rng.choice([0, 0, 0, 7, 12, 10, 3], 16)
    gate = float(rng.uniform(0.4, 1.0))
    notes = []
    for chord in chords:
        root = low + (chord.root - low) % 12
        if style == "held":
            notes.append(Note(chord.start, chord.length * 0.98, root, 0.9))
            continue
        step = {"eighths": 0.5, "offbeat": 1.0, "octaves": 0.5, "pattern": 0.25, "walking": 1.0}[style]
        for index in range(int(chord.length / step)):
            start = chord.start + index * step + (0.5 if style == "offbeat" else 0.0)
            pitch = root
            if style == "octaves":
                pitch += 12 * (index % 2)
            elif style == "walking":
                pitch += int(chord.intervals[index % len(chord.intervals)])
            elif style == "pattern":
                if index % 16 not in pattern:
                    continue
                pitch += int(tones[index % 16])
            notes.append(Note(start, step * gate, pitch, float(rng.uniform(0.65, 1.0))))
    return notes


def sub_hits(rng: np.random.Generator, chords: list[Chord], *, low: int = 28) -> list[Note]:
    """Few low notes, none shorter than half a beat, now and then none for a while."""
    per_chord, offset, rests = (
        int(rng.integers(1, 4)),
        float(rng.choice([0.0, 0.0, 0.5])),
        float(rng.choice([0.0, 0.2, 0.5])),
    )
    notes = []
    for chord in chords:
        starts = np.unique(np.append(0, rng.integers(0, max(1, int(chord.length)), per_chord - 1)))
        for start, stop in zip(starts, np.append(starts[1:], chord.length), strict=True):
            if rng.random() >= rests:
                pitch = low + (chord.root - low) % 12 + int(rng.choice([0, 0, 0, 0, 7, -5, 12]))
                length = max(0.5, (stop - start) * float(rng.uniform(0.3, 1.0)))
                notes.append(Note(chord.start + offset + start, length, pitch, float(rng.uniform(0.7, 1.0))))
    return notes


def chord_notes(rng: np.random.Generator, chords: list[Chord], *, centre: int = 60) -> list[Note]:
    """Chords as voicings around `centre`: held, stabs, or arpeggiated."""
    style = rng.choice(["held", "held", "stabs", "arpeggio"])
    rate = float(rng.choice([0.25, 0.5, 0.5, 1.0]))
    notes = []
    for chord in chords:
        pitches = [centre - 6 + (chord.root + tone - centre + 6) % 12 for tone in chord.intervals]
        if style == "held":
            notes += [Note(chord.start, chord.length * 0.97, pitch, 0.7) for pitch in pitches]
        elif style == "stabs":
            for index in range(int(chord.length / (2 * rate))):
                start = chord.start + (2 * index + 1) * rate
                notes += [Note(start, rate * 0.7, pitch, float(rng.uniform(0.6, 0.9))) for pitch in pitches]
        else:
            order = [*sorted(pitches), min(pitches) + 12]
            for index in range(int(chord.length / rate)):
                velocity = float(rng.uniform(0.5, 0.9))
                notes.append(Note(chord.start + index * rate, rate * 0.9, order[index % len(order)], velocity))
    return notes


def ostinato(rng: np.random.Generator, beats: float, *, low: int = 50) -> list[Note]:
    """The same one to six notes again and again, every half bar to every four bars; mostly long silences between."""
    period = float(rng.choice([2.0, 4.0, 4.0, 8.0, 8.0, 16.0]))
    count, grid = int(rng.choice([1, 1, 2, 3, 4, 6])), float(rng.choice([0.25, 0.5, 0.5, 1.0]))
    starts = grid * np.sort(rng.choice(int(period / grid), min(count, int(period / grid)), replace=False))
    root = low + int(rng.integers(0, 12))
    pitches = root + rng.choice([0, 0, 0, 3, 5, 7, 10, 12, 15], len(starts))
    velocities = rng.uniform(0.5, 1.0, len(starts))
    return [
        Note(period * turn + float(start), grid, int(pitch), float(velocity))
        for turn in range(int(beats // period))
        for start, pitch, velocity in zip(starts, pitches, velocities, strict=True)
    ]


def made_up_melody(rng: np.random.Generator, chords: list[Chord], *, centre: int = 70) -> list[Note]:
    """A melody of chord tones and steps, in phrases with rests."""
    notes, pitch = [], centre
    for chord in chords:
        position = chord.start
        while position < chord.start + chord.length - 0.1:
            length = float(rng.choice([0.5, 0.5, 1.0, 1.0, 1.5, 2.0]))
            if rng.random() < 0.75:
                tone = (chord.root + int(rng.choice(chord.intervals))) % 12
                pitch += (tone - pitch + 6) % 12 - 6
                pitch = int(np.clip(pitch, centre - 12, centre + 12))
                notes.append(Note(position, length * 0.95, pitch, float(rng.uniform(0.6, 1.0))))
            position += length
    return notes
