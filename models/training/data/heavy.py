# SPDX-License-Identifier: MIT
"""Renders dark, low-tuned bands with known stems: guitars whose body lies where a bass plays, beside a bass and toms.

The guitars of `bands` have most of their energy at 1 to 3 kHz, so what is low and distorted is a bass there. Here
guitar and bass share a riff, an octave apart or in unison, and only timbre, place and attack tell them apart. Every
song is determined by its seed. Run as `python -m models.training.data.heavy --songs 60 --guitars 40`.
"""

from __future__ import annotations

import time

import numpy as np
import pedalboard

from models.training.network.spectral import SAMPLE_RATE

from . import guitars, kits, scores
from .bands import TRAINING, band_hits, others, play_bass
from .command import Job, render_all
from .pool import cache_folder, save, save_song
from .render import _level, _score, _sections, with_effects

GENRES = ("metal", "rock", "punk", "pop", "funk", "folk")  # what drums and keys are chosen by
LOWEST_GUITAR, LOWEST_BASS = 28, 23  # the low strings of an eight-string guitar and of a five-string bass, MIDI
HIGHEST_BASS = 48
_TOMS = ("tom_high", "tom_mid", "tom_low")


def dark_amplified(rng: np.random.Generator, dry: np.ndarray) -> np.ndarray:
    """A dry guitar (samples,) through a dull pick-up, an amplifier and a cabinet with more body than presence."""
    dull = pedalboard.LowpassFilter(float(np.exp(rng.uniform(np.log(500.0), np.log(4000.0)))))
    gain = str(rng.choice(["clean", "crunch", "crunch", "high"]))
    played = guitars.amplified(rng, dull(dry.astype(np.float32), SAMPLE_RATE), gain)
    body = float(np.exp(rng.uniform(np.log(90.0), np.log(320.0))))
    cabinet = pedalboard.Pedalboard(
        [
            pedalboard.PeakFilter(body, float(rng.uniform(3.0, 13.0)), float(rng.uniform(0.4, 1.0))),
            pedalboard.HighShelfFilter(float(rng.uniform(600.0, 2500.0)), float(rng.uniform(-18.0, -3.0))),
        ]
    )
    played = cabinet(played, SAMPLE_RATE)
    return played * np.float32(0.1 / (np.sqrt((played**2).mean()) + 1e-6))


def tom_beat(rng: np.random.Generator, beats: float) -> list[scores.Hit]:
    """A pattern on toms and bass drum with a snare now and then, louder where it is accented."""
    size, hits = 16, []
    pattern = [str(rng.choice(_TOMS)) if rng.random() < 0.55 else "" for _ in range(size)]
    kicks = rng.random(size) < float(rng.uniform(0.1, 0.5))
    kicks[0] = True
    for tick in range(int(beats * 4)):
        place, start = tick % size, tick / 4.0
        if pattern[place]:
            hits.append(scores.Hit(start, pattern[place], 0.95 if place % 4 == 0 else float(rng.uniform(0.5, 0.85))))
        if kicks[place]:
            hits.append(scores.Hit(start, "kick", float(rng.uniform(0.7, 1.0))))
        if place in (4, 12) and rng.random() < 0.5:
            hits.append(scores.Hit(start, "snare", 0.9))
        if tick % 64 == 0:
            hits.append(scores.Hit(start, "crash", 0.9))
    return hits


def riff(rng: np.random.Generator, chords: list[scores.Chord], low: int) -> guitars.Part:
    """What the rhythm guitar plays from the pitch `low` on: power chords mostly, strums and arpeggios at times."""
    kind = rng.random()
    if kind < 0.65:
        return guitars.power_riff(rng, chords, low=low)
    return (guitars.strummed if kind < 0.85 else guitars.picked)(rng, chords, low=low)


def follow(rng: np.random.Generator, part: guitars.Part) -> list[scores.Note]:
    """A bass that plays the lowest note of every stroke of the guitar, an octave below or in unison."""
    below = 12 if rng.random() < 0.75 else 0
    lowest: dict[float, scores.Note] = {}
    for note in sorted(part.open + part.muted, key=lambda note: note.pitch, reverse=True):
        lowest[round(note.start * 4.0) / 4.0] = note
    line = []
    for start, note in sorted(lowest.items()):
        pitch = note.pitch - below
        while pitch > HIGHEST_BASS:
            pitch -= 12
        while pitch < LOWEST_BASS:
            pitch += 12
        line.append(scores.Note(start, note.length, pitch, 0.85))
    return line


def guitar_track(
    rng: np.random.Generator, part: guitars.Part, melody: list, beat: float, num_samples: int
) -> np.ndarray:
    """Rhythm guitars, one in a place or two takes wide, and sometimes a low lead (2, num_samples)."""
    source = str(rng.choice(TRAINING.guitars))
    takes = [dark_amplified(rng, guitars.play_part(rng, source, part, beat, num_samples))]
    if rng.random() < 0.6:
        if source == "strings":
            takes.append(dark_amplified(rng, guitars.play_part(rng, source, part, beat, num_samples)))
        else:  # the same recordings again: the second take is a little late
            takes.append(np.roll(takes[0], int(rng.uniform(0.008, 0.025) * SAMPLE_RATE)))
    wide = float(rng.uniform(0.3, 1.0)) if len(takes) > 1 else float(rng.uniform(-0.7, 0.7))
    if len(takes) > 1:
        track = np.stack([takes[0] + (1.0 - wide) * takes[1], takes[1] + (1.0 - wide) * takes[0]])
    else:
        track = np.stack([takes[0] * (1.0 - max(0.0, wide)), takes[0] * (1.0 + min(0.0, wide))])
    track = _level(track.astype(np.float32), -24.0)
    if melody and rng.random() < 0.4:
        lead = guitars.Part([scores.Note(n.start, n.length, n.pitch - 12, 0.9) for n in melody], [])
        played = guitars.play_part(rng, str(rng.choice(TRAINING.guitars)), lead, beat, num_samples)
        mono = dark_amplified(rng, guitars.vibrato(rng, played))
        track += _level(with_effects(rng, np.stack([mono, mono]), wet=1.0), float(rng.uniform(-31.0, -25.0)))
    return track


def render_heavy(seed: int, seconds: float) -> dict[str, np.ndarray]:
    """Drums, bass, other, and guitar (a part of other), each (2, samples)."""
    rng, genre = np.random.default_rng([14, seed]), GENRES[seed % len(GENRES)]
    beat, num_samples = 60.0 / float(rng.uniform(70.0, 190.0)), int(seconds * SAMPLE_RATE)
    melody, chords = _score(rng, seconds / beat)
    part = riff(rng, chords, int(rng.integers(LOWEST_GUITAR, 43)))
    guitar = guitar_track(rng, part, _sections(rng, melody, 0.5), beat, num_samples)
    beats = seconds / beat
    hits = tom_beat(rng, beats) if rng.random() < 0.4 else band_hits(rng, genre, beats, TRAINING.drummers)
    drums = _level(kits.play_kit(rng, str(rng.choice(TRAINING.kits)), hits, beat, num_samples), -21.0)
    line = follow(rng, part) if rng.random() < 0.6 else scores.bass_line(rng, chords, low=int(rng.integers(24, 34)))
    bass = play_bass(rng, str(rng.choice(TRAINING.basses)), line, beat, num_samples, genre)
    other = guitar.copy()
    if rng.random() < 0.4:
        other += others(rng, TRAINING, chords, melody, beat, num_samples, genre)
    return {"drums": drums, "bass": _level(bass, -24.0), "other": other, "guitar": guitar}


def _render_to_pool(job: Job) -> str:
    kind, seed, seconds = job
    started, pool = time.monotonic(), cache_folder() / "pool"
    target = pool / "songs" / f"heavy_{seed:05d}" if kind == "song" else pool / "other" / f"dark_{seed:05d}.npy"
    if not target.exists():
        if kind == "song":
            stems = render_heavy(seed, seconds)
            del stems["guitar"]
            save_song(target, {stem: audio for stem, audio in stems.items() if audio.any()})
        else:
            rng = np.random.default_rng([15, seed])
            beat = 60.0 / float(rng.uniform(70.0, 190.0))
            melody, chords = _score(rng, seconds / beat)
            part = riff(rng, chords, int(rng.integers(LOWEST_GUITAR, 43)))
            save(target, guitar_track(rng, part, _sections(rng, melody, 0.6), beat, int(seconds * SAMPLE_RATE)))
    return f"{target.name}: {time.monotonic() - started:.1f} s"


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    render_all(__doc__, _render_to_pool, arguments, track="guitar")


if __name__ == "__main__":
    main()
