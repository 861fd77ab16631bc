# SPDX-License-Identifier: MIT
"""Renders songs of a band or an orchestra with known stems: guitars through amplifiers beside acoustic drums, and more.

Every song is determined by its seed. Run as `python -m models.training.data.bands --songs 60`; the panel
renders its backings here too, with sounds that training never has (`PANEL`).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import pedalboard

from models.training.network.spectral import SAMPLE_RATE

from . import guitars, instruments, kits, scores
from .pool import cache_folder, print_each, save, save_song
from .render import _level, _score, _sections, with_effects
from .withdrawn import DRUM_KITS, DRUMMERS

GENRES = ("rock", "metal", "punk", "pop", "folk", "jazz", "hip-hop", "orchestral", "acoustic", "funk")


@dataclass(frozen=True)
class Sounds:
    """What a band may play: drum kits, guitar and bass sources (see `guitars.play_part`), MIDI programs from 0."""

    kits: tuple[str, ...]
    drummers: tuple[str, ...]  # of the groove recordings; none: all but the panel's
    guitars: tuple[str, ...]
    acoustics: tuple[str, ...]
    basses: tuple[str, ...]
    keys: tuple[int, ...]
    winds: tuple[int, ...]
    strings: tuple[int, ...]


TRAINING = Sounds(
    kits=kits.ACOUSTIC,
    drummers=(),
    # Two acoustic ones through amplifiers, too: dark and distorted, they are taken for a driven bass otherwise.
    guitars=(
        "strings",
        "strings",
        "sampled:guitar_emilyguitar_CC0",
        "sampled:guitar_shinyguitar_CC0",
        "gm:25",
        "gm:27",
        "gm:29",
        "gm:30",
    ),
    acoustics=("strings", "sampled:guitar_shinyguitar_CC0", "gm:25"),
    basses=(
        "strings",
        "sampled:bass_fashionbass_CC0",
        "sampled:bass_swagbass_CC0",
        "sampled:bass_meatbass_upright_CC0",
        "gm:32",
        "gm:33",
        "gm:34",
        "gm:36",
        "gm:37",
    ),
    keys=(0, 1, 2, 4, 5, 11, 12, 16, 18, 19, 20, 21, 22),
    winds=(56, 57, 58, 59, 60, 61, 65, 66, 67, 68, 69, 71, 73, 74, 75, 79),
    strings=(40, 42, 43, 44, 45, 46, 48, 50, 55),
)
# Of the two halves of the panel.
PANEL = {
    "A": Sounds(
        kits=DRUM_KITS["A"],
        drummers=DRUMMERS["A"],
        guitars=("sampled:guitar_spanish_CC0",),
        acoustics=("sampled:guitar_spanish_CC0",),
        basses=("gm:35",),
        keys=(3, 7, 17),
        winds=(64, 70),
        strings=(41, 49),
    ),
    "B": Sounds(
        kits=DRUM_KITS["B"],
        drummers=DRUMMERS["B"],
        guitars=("gm:26",),
        acoustics=("gm:24",),
        basses=("sampled:bass_electric_YR_CC0",),
        keys=(6, 63, 106),
        winds=(72, 78),
        strings=(51, 92),
    ),
}


def metal_drums(rng: np.random.Generator, beats: float) -> list[scores.Hit]:
    """Double bass drums in sixteenths, blast beats or half time, with crashes and rides that ring."""
    hits, kick_grid = [], rng.random(16) < float(rng.uniform(0.4, 1.0))
    cymbal = str(rng.choice(["hat_open", "ride", "crash", "hat_closed"]))
    for bar in range(int(beats // 4)):
        if bar % 4 == 0:
            style = str(rng.choice(["double", "blast", "half"], p=[0.55, 0.2, 0.25]))
        for tick in range(16):
            start = 4.0 * bar + tick / 4.0
            kicks = {"blast": tick % 2 == 0, "double": kick_grid[tick], "half": tick in (0, 3, 6, 10)}
            if kicks[style]:
                hits.append(scores.Hit(start, "kick", float(rng.uniform(0.75, 1.0))))
            if (style == "blast" and tick % 2 == 1) or tick in {"half": (8,), "double": (4, 12)}.get(style, ()):
                hits.append(scores.Hit(start, "snare", float(rng.uniform(0.8, 1.0))))
            if tick % (2 if style == "blast" else 4) == 0:
                hits.append(scores.Hit(start, cymbal, float(rng.uniform(0.6, 0.9))))
        if bar % 4 == 0:
            hits.append(scores.Hit(4.0 * bar, "crash", 0.95))
        if bar % 4 == 3 and rng.random() < 0.6:
            drums = ("snare", "tom_high", "tom_mid", "tom_low")
            hits += [scores.Hit(4.0 * bar + 3.0 + tick / 4.0, drums[tick], 0.9) for tick in range(4)]
    return hits


def band_hits(rng: np.random.Generator, genre: str, beats: float, drummers: tuple[str, ...]) -> list[scores.Hit]:
    """The drum part of a genre: programmed, or a human performance repeated."""
    if genre == "metal" and rng.random() < 0.8:
        return metal_drums(rng, beats)
    if genre == "hip-hop" and rng.random() < 0.5:
        return scores.electronic_drums(rng, beats)
    style = {
        "rock": "rock",
        "metal": "rock",
        "punk": "rock",
        "pop": "pop",
        "jazz": "jazz",
        "hip-hop": "hiphop",
        "funk": "funk",
    }.get(genre, "")
    choice = scores.grooves(style, drummers) or scores.grooves("", drummers)
    return scores.repeat_to(scores.read_groove(choice[int(rng.integers(len(choice)))]), beats)


def play_bass(
    rng: np.random.Generator, source: str, notes: list[scores.Note], beat: float, num_samples: int, genre: str
) -> np.ndarray:
    """A bass guitar or an upright (2, num_samples): finger, pick or driven, its energy between 60 and 400 Hz."""
    dry = guitars.play_part(rng, source, guitars.Part(notes, []), beat, num_samples)
    if genre != "jazz" and rng.random() < {"metal": 0.8, "rock": 0.5, "punk": 0.7}.get(genre, 0.2):
        driven = guitars.amplified(rng, dry, "crunch")
        level = float(np.sqrt((dry**2).mean())) + 1e-6
        blend = float(rng.uniform(0.2, 0.8))
        dry = (1.0 - blend) * dry / level * np.float32(0.1) + blend * driven
    if source == "strings":  # thick strings, a pick-up near the neck, a large loudspeaker: little above 400 to 1,000 Hz
        top = float(rng.uniform(300.0, 700.0))
        dark = pedalboard.Pedalboard([pedalboard.LowpassFilter(top), pedalboard.LowpassFilter(1.5 * top)])
        dry = dark(dry.astype(np.float32), SAMPLE_RATE)
    chain = [
        pedalboard.HighpassFilter(float(rng.uniform(35.0, 70.0))),
        pedalboard.PeakFilter(float(rng.uniform(80.0, 250.0)), float(rng.uniform(0.0, 7.0)), 0.8),
        pedalboard.HighShelfFilter(float(rng.uniform(700.0, 3000.0)), float(rng.uniform(-14.0, 2.0))),
        pedalboard.Compressor(-24.0, float(rng.uniform(2.0, 6.0)), 8.0, 100.0),
    ]
    dry = pedalboard.Pedalboard(chain)(dry.astype(np.float32), SAMPLE_RATE)
    return np.stack([dry, dry])


def electric(
    rng: np.random.Generator, sounds: Sounds, chords: list, melody: list, beat: float, num_samples: int, genre: str
) -> np.ndarray:
    """Rhythm and lead guitars of a genre (2, num_samples)."""
    gain = {
        "metal": "high",
        "punk": "high",
        "rock": str(rng.choice(["crunch", "high"])),
        "funk": "clean",
        "jazz": "clean",
    }.get(genre, str(rng.choice(["clean", "crunch"])))
    source = str(rng.choice(sounds.guitars))
    if genre in ("metal", "punk", "rock"):
        part = guitars.power_riff(rng, chords, low=int(rng.integers(33, 41)) if genre == "metal" else 40)
    else:
        part = (guitars.picked if rng.random() < 0.5 else guitars.strummed)(rng, chords)
    if rng.random() < 0.75:
        track = _level(guitars.double_tracked(rng, source, part, beat, num_samples, gain), -24.0)
    else:
        mono = guitars.amplified(rng, guitars.play_part(rng, source, part, beat, num_samples), gain)
        pan = float(rng.uniform(-0.8, 0.8))
        track = _level(np.stack([mono * (1.0 - max(0.0, pan)), mono * (1.0 + min(0.0, pan))]), -25.0)
    if melody and rng.random() < (0.6 if gain != "clean" else 0.25):
        lead = guitars.Part(
            [scores.Note(n.start, n.length, n.pitch + int(rng.choice([0, 0, -12])), 0.9) for n in melody], []
        )
        played = guitars.play_part(rng, str(rng.choice(sounds.guitars)), lead, beat, num_samples)
        mono = guitars.amplified(rng, guitars.vibrato(rng, played), gain if gain != "clean" else "crunch")
        track += _level(with_effects(rng, np.stack([mono, mono]), wet=1.0), float(rng.uniform(-30.0, -24.0)))
    return track


def _fonts(rng, programs, notes, beat, num_samples, level_db):
    played = instruments.play_sound_font(rng, int(rng.choice(programs)), notes, beat, num_samples)
    return _level(with_effects(rng, played, wet=0.8), level_db)


def orchestra(
    rng: np.random.Generator, sounds: Sounds, chords: list, melody: list, beat: float, num_samples: int
) -> np.ndarray:
    """Strings, brass and winds: chords in several registers, a melody in octaves, often all at once (2, samples)."""
    track = np.zeros((2, num_samples), np.float32)
    for centre in (48, 60, 72)[: int(rng.integers(1, 4))]:
        track += _fonts(
            rng,
            sounds.strings,
            scores.chord_notes(rng, chords, centre=centre),
            beat,
            num_samples,
            float(rng.uniform(-32.0, -26.0)),
        )
    if rng.random() < 0.7:
        track += _fonts(rng, sounds.winds, scores.chord_notes(rng, chords, centre=57), beat, num_samples, -29.0)
    for shift in (0, 12)[: int(rng.integers(1, 3))]:
        line = [scores.Note(n.start, n.length, n.pitch + shift - 6, n.velocity) for n in melody]
        programs = sounds.winds if rng.random() < 0.6 else sounds.strings
        track += _fonts(rng, programs, line, beat, num_samples, float(rng.uniform(-29.0, -24.0)))
    return track


def others(
    rng: np.random.Generator, sounds: Sounds, chords: list, melody: list, beat: float, num_samples: int, genre: str
) -> np.ndarray:
    """What is neither guitar through an amplifier, bass nor drums (2, num_samples)."""
    if genre == "orchestral":
        return orchestra(rng, sounds, chords, melody, beat, num_samples)
    track = np.zeros((2, num_samples), np.float32)
    if genre in ("folk", "acoustic", "pop"):
        part = (guitars.strummed if rng.random() < 0.6 else guitars.picked)(rng, chords)
        mono = guitars.play_part(rng, str(rng.choice(sounds.acoustics)), part, beat, num_samples)
        late = np.roll(mono, int(rng.uniform(0.0, 0.02) * SAMPLE_RATE))
        track += _level(with_effects(rng, np.stack([mono, late]), wet=0.5), -26.0)
    if rng.random() < {"metal": 0.1, "punk": 0.1, "rock": 0.4}.get(genre, 0.8):
        part = _sections(rng, scores.chord_notes(rng, chords, centre=int(rng.integers(54, 70))), 0.8)
        track += _fonts(rng, sounds.keys, part, beat, num_samples, float(rng.uniform(-32.0, -26.0)))
    if rng.random() < {"metal": 0.0, "punk": 0.0, "jazz": 0.9, "funk": 0.6, "folk": 0.5}.get(genre, 0.3):
        line = _sections(rng, melody, 0.7)
        programs = sounds.winds if rng.random() < 0.7 else sounds.strings
        track += _fonts(rng, programs, line, beat, num_samples, float(rng.uniform(-30.0, -24.0)))
    return track


def render_band(seed: int, genre: str, seconds: float, sounds: Sounds = TRAINING) -> dict[str, np.ndarray]:
    """Drums, bass, other, and guitar (the part of other that went through an amplifier), each (2, samples)."""
    rng = np.random.default_rng([12, seed])
    slow, fast = {
        "metal": (90, 200),
        "punk": (150, 200),
        "jazz": (80, 200),
        "hip-hop": (70, 100),
        "orchestral": (60, 140),
    }.get(genre, (75, 150))
    beat, num_samples = 60.0 / float(rng.uniform(slow, fast)), int(seconds * SAMPLE_RATE)
    melody, chords = _score(rng, seconds / beat)
    silent = np.zeros((2, num_samples), np.float32)
    drums, bass, guitar = silent, silent, silent
    if genre != "orchestral" and rng.random() < {"folk": 0.4, "acoustic": 0.3}.get(genre, 0.97):
        hits = band_hits(rng, genre, seconds / beat, sounds.drummers)
        kit = str(rng.choice(kits.ELECTRONIC if genre == "hip-hop" and sounds is TRAINING else sounds.kits))
        drums = _level(kits.play_kit(rng, kit, hits, beat, num_samples), -21.0)
    if rng.random() < {"orchestral": 0.0, "acoustic": 0.3, "folk": 0.6}.get(genre, 0.97):
        line = scores.bass_line(rng, chords, low=int(rng.integers(28, 34)))
        bass = _level(play_bass(rng, str(rng.choice(sounds.basses)), line, beat, num_samples, genre), -24.0)
    if rng.random() < {"rock": 1.0, "metal": 1.0, "punk": 1.0, "funk": 0.9, "pop": 0.5, "jazz": 0.3}.get(genre, 0.0):
        guitar = electric(rng, sounds, chords, _sections(rng, melody, 0.5), beat, num_samples, genre)
    other = guitar + others(rng, sounds, chords, melody, beat, num_samples, genre)
    return {"drums": drums, "bass": bass, "other": other, "guitar": guitar}


def _render_to_pool(job: tuple[str, int, float]) -> str:
    kind, seed, seconds = job
    started, pool, genre = time.monotonic(), cache_folder() / "pool", GENRES[seed % len(GENRES)]
    target = pool / "songs" / f"band_{seed:05d}" if kind == "song" else pool / "other" / f"guitar_{seed:05d}.npy"
    if not target.exists():
        if kind == "song":
            stems = render_band(seed, genre, seconds)
            del stems["guitar"]
            save_song(target, {stem: audio for stem, audio in stems.items() if audio.any()})
        else:
            genre = ("metal", "rock", "punk", "funk")[seed % 4]
            rng = np.random.default_rng([13, seed])
            beat = 60.0 / float(rng.uniform(80.0, 190.0))
            melody, chords = _score(rng, seconds / beat)
            save(
                target,
                electric(rng, TRAINING, chords, _sections(rng, melody, 0.6), beat, int(seconds * SAMPLE_RATE), genre),
            )
    return f"{target.name}: {genre}, {time.monotonic() - started:.1f} s"


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--guitars", type=int, default=0, help="tracks of guitars alone, rendered first")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    jobs = [("guitar", seed, options.seconds) for seed in range(options.first, options.first + options.guitars)]
    jobs += [("song", seed, options.seconds) for seed in range(options.first, options.first + options.songs)]
    print_each(_render_to_pool, jobs, options.processes)


if __name__ == "__main__":
    main()
