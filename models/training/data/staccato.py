# SPDX-License-Identifier: MIT
"""Renders electronic songs whose bass is as short and as low as a kick: what tells it is a pitch that stays.

The basses of `render` last longer than its kicks, so what is short and low is a kick there. Here both last for 50 to
250 ms near 50 Hz, at once, in turn or one after the other. Every song is determined by its seed. Run as
`python -m models.training.data.staccato --songs 60`; the seeds of `MEASURED` belong to `panel.kicks`.
"""

from __future__ import annotations

import time

import numpy as np
import pedalboard

from models.training.network.spectral import SAMPLE_RATE

from . import drums as drums_of
from . import kits, scores, synths
from .command import Job, render_all
from .instruments import mix_in
from .palettes import TRAINING
from .pool import PoolError, cache_folder, save_song
from .render import _figures, _level, _play_other, _sections, _side_chain, with_effects

MEASURED = range(9000, 9016)  # no training hears these seeds
LOWEST, HIGHEST = 24, 40  # of the basses, MIDI: 33 to 82 Hz, most of them at 40 to 60
SHORTEST_SECONDS, LONGEST_SECONDS = 0.05, 0.22  # of a note, before it is released


def short_notes(
    rng: np.random.Generator, chords: list[scores.Chord], hits: list[scores.Hit], seconds_per_beat: float
) -> list[scores.Note]:
    """Staccato on the chords' roots, in sixteenths: with the kicks, between them, after them, or as it likes."""
    style = str(rng.choice(["with", "between", "after", "pattern"]))
    seconds = float(np.exp(rng.uniform(np.log(SHORTEST_SECONDS), np.log(LONGEST_SECONDS))))
    low, late = int(rng.integers(26, 30)), int(rng.integers(1, 4))
    pattern = rng.random(16) < float(rng.uniform(0.3, 0.8))
    leaps = rng.choice([0, 0, 0, 0, 0, 3, 7, -5, 12], 16)
    kicks = {round(hit.start * 4.0) for hit in hits if hit.drum == "kick"}
    notes = []
    for chord in chords:
        for tick in range(round(chord.start * 4.0), round((chord.start + chord.length) * 4.0)):
            place = tick % 16
            plays = {
                "with": tick in kicks or (pattern[place] and place % 4 == 3),
                "between": tick not in kicks and pattern[place],
                "after": tick - late in kicks,
                "pattern": pattern[place],
            }[style]
            if plays:
                pitch = low + (chord.root - low) % 12 + int(leaps[place])
                while pitch > HIGHEST:
                    pitch -= 12
                while pitch < LOWEST:
                    pitch += 12
                notes.append(scores.Note(tick / 4.0, seconds / seconds_per_beat, pitch, float(rng.uniform(0.7, 1.0))))
    return notes


def play_short(
    rng: np.random.Generator, notes: list[scores.Note], seconds_per_beat: float, num_samples: int
) -> np.ndarray:
    """The notes on a synthesised bass (2, num_samples): a sine, bare or driven, that starts on its pitch or near it."""
    height, fall = float(rng.choice([0.0, 0.0, 0.2, 0.7, 1.5])), float(np.exp(rng.uniform(np.log(0.004), np.log(0.02))))
    drive, bias = float(np.exp(rng.uniform(np.log(0.2), np.log(5.0)))), float(rng.choice([0.0, 0.0, 0.3, 0.7]))
    decay, attack = float(np.exp(rng.uniform(np.log(0.05), np.log(1.0)))), float(rng.uniform(0.001, 0.008))
    release, click = float(np.exp(rng.uniform(np.log(0.008), np.log(0.05)))), float(rng.choice([0.0, 0.0, 0.1, 0.3]))
    track = np.zeros((2, num_samples), np.float32)
    for note in notes:
        seconds = note.length * seconds_per_beat + release
        at = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        turns = 440.0 * 2.0 ** ((note.pitch - 69) / 12.0) * (at + height * fall * (1.0 - np.exp(-at / fall)))
        tone = np.tanh(drive * (np.sin(2.0 * np.pi * turns) + bias)) - np.tanh(drive * bias)
        tone = tone / np.tanh(drive) * np.exp(-at / decay) + click * rng.standard_normal(len(at)) * np.exp(-at / 0.003)
        tone *= 0.3 * note.velocity * np.minimum(1.0, at / attack) * np.clip((seconds - at) / release, 0.0, 1.0)
        mix_in(track, np.stack([tone, tone]).astype(np.float32), note.start * seconds_per_beat)
    dull = pedalboard.LowpassFilter(float(np.exp(rng.uniform(np.log(90.0), np.log(2500.0)))))
    return pedalboard.Pedalboard([pedalboard.HighpassFilter(25.0), dull])(track, SAMPLE_RATE)


def short_synth(rng: np.random.Generator) -> synths.Synth:
    """A bass of `synths` that is over as soon as its note."""
    synth = synths.Synth(rng, "bass")
    synth.attack, synth.release = float(rng.uniform(0.001, 0.006)), float(rng.uniform(0.01, 0.05))
    synth.fall_ratio = min(synth.fall_ratio, 1.5)
    return synth


def render_staccato(seed: int, seconds: float) -> dict[str, np.ndarray]:
    """Drums, bass and other (2, samples) of song number `seed`."""
    rng = np.random.default_rng([16, seed])
    beat, num_samples = 60.0 / float(rng.uniform(85.0, 150.0)), int(seconds * SAMPLE_RATE)
    beats = seconds / beat
    hits, chords = scores.electronic_drums(rng, beats), scores.loop_chords(rng, beats)
    if rng.random() < 0.25:
        drums = kits.play_kit(rng, str(rng.choice(kits.ELECTRONIC)), hits, beat, num_samples)
    else:
        drums = drums_of.sampled_drums(rng, hits, beat, num_samples)
    drums = _level(with_effects(rng, drums, wet=0.3), -21.0)
    line = _sections(rng, short_notes(rng, chords, hits, beat), 0.85)
    if rng.random() < 0.35:
        played = short_synth(rng).play(line, beat, num_samples)
    else:
        played = play_short(rng, line, beat, num_samples)
    bass = _level(with_effects(rng, played, wet=0.1), float(rng.uniform(-28.0, -21.0)))
    other = np.zeros((2, num_samples), np.float32)
    for _ in range(int(rng.integers(0, 3))):
        part = _sections(rng, scores.chord_notes(rng, chords, centre=int(rng.integers(52, 72))), 0.7)
        kinds = ["pad", "pluck", "lead"]
        played = _play_other(rng, part, beat, num_samples, True, TRAINING, TRAINING.gm_chords, kinds)
        other += _level(with_effects(rng, played, wet=1.0), float(rng.uniform(-33.0, -25.0)))
    if rng.random() < 0.4 or not other.any():
        other += _level(_figures(rng, beat, num_samples), float(rng.uniform(-32.0, -26.0)))
    if rng.random() < 0.4:
        other = _side_chain(other, hits, beat, float(rng.uniform(0.3, 0.9)))
    return {"drums": drums, "bass": bass, "other": other}


def _render_to_pool(job: Job) -> str:
    _, seed, seconds = job
    if seed in MEASURED:
        raise PoolError(f"seed {seed} belongs to panel.kicks; choose --first and --songs outside of {MEASURED}")
    started, target = time.monotonic(), cache_folder() / "pool" / "songs" / f"staccato_{seed:05d}"
    if not target.exists():
        save_song(target, render_staccato(seed, seconds))
    return f"{target.name}: {time.monotonic() - started:.1f} s"


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    render_all(__doc__, _render_to_pool, arguments)


if __name__ == "__main__":
    main()
