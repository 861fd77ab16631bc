# SPDX-License-Identifier: MIT
"""Renders songs with known stems: drums, bass, chords and melody from scores, played by `instruments`.

Every song is determined by its seed. Run as `python -m models.training.data.render --songs 40 --first 0`;
songs appear in the pool one by one, and a running training picks them up.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pedalboard

from models.training.network.spectral import SAMPLE_RATE

from . import drums as drums_of
from . import instruments, scores, synths
from .palettes import TRAINING, Palette
from .pool import Pool, cache_folder, print_each, save, save_song

SONG_SECONDS = 60.0
GM_STRUCK = (8, 9, 10, 11, 12, 13, 14, 15, 45, 46, 98, 107, 108, 112, 114, 115)  # mallets, bells, plucked strings


def with_effects(rng: np.random.Generator, audio: np.ndarray, *, wet: float) -> np.ndarray:
    """A random channel strip; `wet` scales how likely the room effects are."""
    chain = []
    if rng.random() < 0.4:
        chain.append(pedalboard.Compressor(float(rng.uniform(-28, -14)), float(rng.uniform(2, 6)), 8.0, 120.0))
    if rng.random() < 0.3 * wet:
        chain.append(pedalboard.Chorus(float(rng.uniform(0.2, 2.0)), 0.25, 7.0, 0.0, 0.4))
    if rng.random() < 0.2 * wet:
        chain.append(pedalboard.Phaser(float(rng.uniform(0.1, 1.0))))
    if rng.random() < 0.4 * wet:
        chain.append(pedalboard.Delay(float(rng.uniform(0.1, 0.5)), 0.35, float(rng.uniform(0.1, 0.35))))
    if rng.random() < 0.7 * wet:
        chain.append(pedalboard.Reverb(float(rng.uniform(0.1, 0.95)), 0.5, float(rng.uniform(0.05, 0.4)), 0.8, 1.0))
    return pedalboard.Pedalboard(chain)(audio, SAMPLE_RATE) if chain else audio


def _level(audio: np.ndarray, level_db: float) -> np.ndarray:
    power = float((audio**2).mean())
    return audio if power < 1e-10 else audio * np.float32(10.0 ** (level_db / 20.0) / np.sqrt(power))


def _side_chain(audio: np.ndarray, hits: list[scores.Hit], seconds_per_beat: float, depth: float) -> np.ndarray:
    """Duck the audio after every kick."""
    gain = np.ones(audio.shape[1], np.float32)
    shape = 1.0 - depth * np.exp(-np.arange(int(0.25 * SAMPLE_RATE)) / (0.09 * SAMPLE_RATE)).astype(np.float32)
    for hit in hits:
        if hit.drum == "kick":
            start = int(hit.start * seconds_per_beat * SAMPLE_RATE)
            part = gain[start : start + len(shape)]
            np.minimum(part, shape[: len(part)], out=part)
    return audio * gain


def _riser(rng: np.random.Generator, num_samples: int, start: float, seconds: float) -> np.ndarray:
    """A noise sweep."""
    length = int(seconds * SAMPLE_RATE)
    noise = rng.standard_normal((2, length)).astype(np.float32)
    board = pedalboard.Pedalboard([pedalboard.HighpassFilter(float(rng.uniform(300, 3000)))])
    swept = board(noise, SAMPLE_RATE) * np.linspace(0.0, 0.2, length, dtype=np.float32) ** 2
    track = np.zeros((2, num_samples), np.float32)
    instruments.mix_in(track, swept, start)
    return track


def _score(rng: np.random.Generator, beats: float) -> tuple[list, list]:
    """Melody and chords, from a lead sheet or made up."""
    if rng.random() < 0.45:
        notes, chords = scores.read_lead_sheet(scores.lead_sheets()[int(rng.integers(len(scores.lead_sheets())))])
        if chords and notes:
            first = float(rng.uniform(0, max(0.0, chords[-1].start - beats)))
            shift, offset = int(rng.integers(-5, 7)), 4.0 * (first // 4.0)
            notes = [
                scores.Note(n.start - offset, n.length, n.pitch + shift, n.velocity)
                for n in notes
                if offset <= n.start < offset + beats
            ]
            chords = [
                scores.Chord(c.start - offset, c.length, (c.root + shift) % 12, c.intervals)
                for c in chords
                if offset <= c.start < offset + beats
            ]
            if chords:
                return notes, chords
    chords = scores.loop_chords(rng, beats)
    return scores.made_up_melody(rng, chords), chords


def _sections(rng: np.random.Generator, notes: list, probability: float, bars: int = 4) -> list:
    """Leave out random sections of some bars, as arrangements do."""
    last = max((note.start for note in notes), default=0.0)
    keep = rng.random(int(last // (4 * bars)) + 1) < probability
    return [note for note in notes if keep[int(max(0.0, note.start) // (4 * bars))]]


def _play_bass(rng, notes, beat, num_samples, electronic, palette):
    if electronic or rng.random() < 0.15:
        return synths.Synth(rng, "bass").play(notes, beat, num_samples)
    if rng.random() < 0.5:
        return instruments.play_sampled(rng, str(rng.choice(palette.basses)), notes, beat, num_samples)
    return instruments.play_sound_font(rng, int(rng.choice(palette.gm_bass)), notes, beat, num_samples)


def _play_other(rng, notes, beat, num_samples, electronic, palette, programs, kinds):
    if electronic and rng.random() < 0.75:
        return synths.Synth(rng, str(rng.choice(kinds))).play(notes, beat, num_samples)
    if rng.random() < 0.3:
        return instruments.play_sampled(rng, str(rng.choice(palette.sampled)), notes, beat, num_samples)
    return instruments.play_sound_font(rng, int(rng.choice(programs)), notes, beat, num_samples)


def render_song(seed: int, seconds: float = SONG_SECONDS, palette: Palette = TRAINING) -> dict[str, np.ndarray]:
    """Drums, bass and other (2, samples) of song number `seed`; vocals come from recordings in the mix."""
    rng = np.random.default_rng([7, seed])
    electronic = bool(rng.random() < 0.6)
    beat = 60.0 / float(rng.uniform(80, 150) if electronic else rng.uniform(65, 170))
    beats, num_samples = seconds / beat, int(seconds * SAMPLE_RATE)
    melody, chords = _score(rng, beats)
    if electronic and rng.random() < 0.8:
        hits = scores.electronic_drums(rng, beats)
    else:
        hits = scores.repeat_to(scores.read_groove(scores.grooves()[int(rng.integers(len(scores.grooves())))]), beats)
    if rng.random() < (0.85 if electronic else 0.45):
        drums = drums_of.sampled_drums(rng, hits, beat, num_samples)
    else:
        drums = instruments.play_sound_font(rng, int(rng.choice(palette.gm_kits)), hits, beat, num_samples, drums=True)
    drums = _level(with_effects(rng, drums, wet=0.4), -21.0)
    line = _sections(rng, scores.bass_line(rng, chords, low=int(rng.integers(26, 36))), 0.85)
    bass = _level(with_effects(rng, _play_bass(rng, line, beat, num_samples, electronic, palette), wet=0.15), -24.0)
    other = np.zeros((2, num_samples), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        part = _sections(rng, scores.chord_notes(rng, chords, centre=int(rng.integers(52, 72))), 0.8)
        played = _play_other(
            rng, part, beat, num_samples, electronic, palette, palette.gm_chords, ["pad", "pad", "pluck"]
        )
        other += _level(with_effects(rng, played, wet=1.0), float(rng.uniform(-32, -25)))
    if rng.random() < 0.6:
        played = _play_other(
            rng,
            _sections(rng, melody, 0.6),
            beat,
            num_samples,
            electronic,
            palette,
            palette.gm_melody,
            ["lead", "pluck"],
        )
        other += _level(with_effects(rng, played, wet=1.0), float(rng.uniform(-30, -24)))
    if electronic and rng.random() < 0.5:
        start = float(rng.random()) * max(0.0, seconds - 8.0)
        other += _riser(rng, num_samples, start, float(rng.uniform(2, 8)))
    if electronic and rng.random() < 0.5:
        depth = float(rng.uniform(0.3, 0.9))
        bass, other = _side_chain(bass, hits, beat, depth), _side_chain(other, hits, beat, depth)
    return {"drums": drums, "bass": bass, "other": other}


def _figures(rng: np.random.Generator, beat: float, num_samples: int) -> np.ndarray:
    """One to three short figures that come back: pings, plucks, mallets; at times over a noise that swells."""
    beats = num_samples / SAMPLE_RATE / beat
    track = np.zeros((2, num_samples), np.float32)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        notes = _sections(rng, scores.ostinato(rng, beats, low=int(rng.choice([45, 57, 57, 69, 81]))), 0.85)
        kind = float(rng.random())
        if kind < 0.65:
            played = synths.play_pings(rng, notes, beat, num_samples)
        elif kind < 0.85:
            played = with_effects(rng, synths.Synth(rng, "pluck").play(notes, beat, num_samples), wet=1.0)
        else:
            played = instruments.play_sound_font(rng, int(rng.choice(GM_STRUCK)), notes, beat, num_samples)
            played = with_effects(rng, played, wet=1.0)
        track += _level(played, float(rng.uniform(-30.0, -24.0)))
    if rng.random() < 0.15:
        seconds = float(rng.uniform(3.0, 12.0))
        start = float(rng.random()) * max(0.0, num_samples / SAMPLE_RATE - seconds)
        track += np.float32(0.3) * _riser(rng, num_samples, start, seconds)
    return track


def render_part(seed: int, stem: str, seconds: float = SONG_SECONDS) -> np.ndarray:
    """Electronic drums, a synthesised bass line or figures of `other` alone (2, samples): cheaper than a song."""
    rng = np.random.default_rng([8, seed])
    beat, num_samples = 60.0 / float(rng.uniform(80, 150)), int(seconds * SAMPLE_RATE)
    if stem == "drums":
        hits = scores.electronic_drums(rng, seconds / beat)
        if rng.random() < 0.6:  # a booming bass drum, with some of the pattern's other drums
            rest = drums_of.sampled_drums(rng, [hit for hit in hits if hit.drum != "kick"], beat, num_samples)
            drums = drums_of.booming_kicks(rng, beat, num_samples) + rest * np.float32(rng.choice([0.0, 0.3, 1.0]))
        else:
            drums = drums_of.sampled_drums(rng, hits, beat, num_samples)
        return _level(with_effects(rng, drums, wet=0.3), -21.0)
    if stem == "other":
        return _level(_figures(rng, beat, num_samples), -27.0)
    kind = float(rng.random())
    if kind < 0.25:
        return _level(synths.sub_drops(rng, beat, num_samples), -22.0)
    if kind < 0.6:
        notes = scores.sub_hits(rng, scores.loop_chords(rng, seconds / beat), low=int(rng.integers(25, 34)))
        return _level(synths.play_808(rng, notes, beat, num_samples), -22.0)
    line = scores.bass_line(rng, scores.loop_chords(rng, seconds / beat), low=int(rng.integers(25, 34)))
    played = synths.Synth(rng, "bass").play(line, beat, num_samples)
    if rng.random() < 0.4:
        played = _side_chain(played, scores.electronic_drums(rng, seconds / beat), beat, float(rng.uniform(0.3, 0.9)))
    return _level(played, -24.0)


def _render_to_pool(job: tuple[str, int, float]) -> str:
    """One song or part, unless it is there already; a line to print."""
    kind, seed, seconds = job
    pool = cache_folder() / "pool"
    target = pool / "songs" / f"rendered_{seed:05d}" if kind == "song" else pool / kind / f"part_{seed:05d}.npy"
    started = time.monotonic()
    if not target.exists():
        if kind == "song":
            save_song(target, render_song(seed, seconds))
        else:
            save(target, render_part(seed, kind, seconds))
    return f"{target.name}: {time.monotonic() - started:.1f} s"


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--parts", type=int, default=0, help="single tracks of drums, bass and other to render first")
    parser.add_argument("--seconds", type=float, default=SONG_SECONDS)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    jobs = [
        (stem, seed, options.seconds)
        for seed in range(options.first, options.first + options.parts)
        for stem in ("drums", "bass", "other")
    ]
    jobs += [("song", seed, options.seconds) for seed in range(options.first, options.first + options.songs)]
    print_each(_render_to_pool, jobs, options.processes)
    print(f"{len(Pool(cache_folder() / 'pool').songs)} songs in the pool")


if __name__ == "__main__":
    main()
