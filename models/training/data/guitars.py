# SPDX-License-Identifier: MIT
"""Guitars: plucked strings or recorded notes, muted or open, through an amplifier and a cabinet made of filters.

What is played is decided by `bands`; a part is a list of notes that ring and a list of notes that are damped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pedalboard
import scipy.signal
import soxr

from models.training.network.spectral import SAMPLE_RATE

from .instruments import mix_in, play_sampled, play_sound_font
from .scores import Chord, Note

MUTED_PROGRAM = 28  # General MIDI's palm-muted guitar, from 0


@dataclass(frozen=True)
class Part:
    """What a guitar plays, in beats: notes that ring, and notes damped with the palm."""

    open: list[Note]
    muted: list[Note]


def string_note(rng: np.random.Generator, pitch: int, seconds: float, *, muted: bool, bright: float) -> np.ndarray:
    """One plucked string (samples,), peak near 1.

    Karplus and Strong, "Digital synthesis of plucked-string and drum timbres", 1983.

    `bright` is 0 (finger, dull strings) to 1 (hard pick, new strings).
    """
    hz = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
    soft = (0.5 if muted else 0.12 + 0.3 * (1.0 - bright)) * min(1.0, 3.0 * 110.0 / hz) ** 0.3
    period = SAMPLE_RATE / hz - soft
    whole = int(period)
    t60 = float(rng.uniform(0.12, 0.35)) if muted else float(rng.uniform(3.0, 7.0)) * min(1.0, (220.0 / hz) ** 0.4)
    loss = 10.0 ** (-3.0 / (t60 * hz))
    loop = loss * np.convolve([1.0 - (period - whole), period - whole], [1.0 - soft, soft])
    burst = rng.uniform(-1.0, 1.0, whole)
    cut = 0.15 + 0.8 * bright * (0.5 if muted else 1.0)
    burst = scipy.signal.lfilter([cut], [1.0, cut - 1.0], burst)
    shift = max(1, int(whole * float(rng.uniform(0.06, 0.25))))  # where the pick strikes
    burst = burst - np.roll(burst, shift)
    length = int(min(seconds, 6.0) * SAMPLE_RATE)
    excitation = np.zeros(length)
    excitation[: min(length, whole)] = burst[:length]
    tail = np.concatenate([[1.0], np.zeros(whole - 1), -loop])
    audio = scipy.signal.lfilter([1.0], tail, excitation)
    return (audio / (np.abs(audio).max() + 1e-9)).astype(np.float32)


def play_strings(rng: np.random.Generator, part: Part, seconds_per_beat: float, num_samples: int) -> np.ndarray:
    """The part on synthesised strings (samples,); takes differ by a few milliseconds and by what they strike."""
    bright = float(rng.uniform(0.3, 1.0))
    track, cache = np.zeros((1, num_samples), np.float32), {}
    for muted, notes in ((False, part.open), (True, part.muted)):
        for note in notes:
            seconds = note.length * seconds_per_beat + 0.05
            key = (note.pitch, muted, int(rng.integers(3)))
            if key not in cache:
                cache[key] = string_note(rng, note.pitch, 6.0 if not muted else 1.0, muted=muted, bright=bright)
            audio = cache[key][: int(seconds * SAMPLE_RATE)].copy()
            fade = min(len(audio), 1500)
            audio[len(audio) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
            late = float(rng.normal(0.0, 0.006))
            mix_in(track, audio[None] * np.float32(note.velocity), note.start * seconds_per_beat + max(0.0, late))
    return track[0]


def play_part(
    rng: np.random.Generator, source: str, part: Part, seconds_per_beat: float, num_samples: int
) -> np.ndarray:
    """The part, dry (samples,), from `strings`, `sampled:<folder of instruments>` or `gm:<program>`."""
    kind, _, which = source.partition(":")
    if kind == "strings":
        return play_strings(rng, part, seconds_per_beat, num_samples)
    short = [
        Note(note.start, min(note.length, 0.12 / seconds_per_beat), note.pitch, note.velocity) for note in part.muted
    ]
    if kind == "sampled":
        played = play_sampled(
            rng, which, sorted(part.open + short, key=lambda note: note.start), seconds_per_beat, num_samples
        )
        return played.mean(0)
    played = play_sound_font(rng, int(which), part.open, seconds_per_beat, num_samples)
    if short:
        muted = MUTED_PROGRAM if which in ("27", "29", "30") else int(which)
        played = played + play_sound_font(rng, muted, short, seconds_per_beat, num_samples)
    return played.mean(0)


def vibrato(rng: np.random.Generator, audio: np.ndarray) -> np.ndarray:
    """A lead's wavering pitch: up to 0.4 semitones at 4.5 to 6.5 Hz, coming and going; audio (samples,)."""
    time = np.arange(len(audio)) / SAMPLE_RATE
    rate = float(rng.uniform(4.5, 6.5))
    depth = float(rng.uniform(0.1, 0.4)) * np.log(2.0) / 12.0 / (2.0 * np.pi * rate)
    swell = np.clip(np.sin(2.0 * np.pi * time * float(rng.uniform(0.2, 0.6))), 0.0, 1.0)
    return np.interp(time - depth * (1.0 + swell * np.sin(2.0 * np.pi * rate * time)), time, audio).astype(np.float32)


def amplified(rng: np.random.Generator, audio: np.ndarray, gain: str) -> np.ndarray:
    """A dry guitar (samples,) through an amplifier and a cabinet; `gain` is clean, crunch or high. RMS near 0.1.

    Distorts at four times the rate, so that what folds back stays inaudible.
    """
    level = float(np.quantile(np.abs(audio), 0.995)) + 1e-6
    tight = {"clean": 70.0, "crunch": 110.0, "high": 180.0}[gain] * float(rng.uniform(0.7, 1.4))
    pre = pedalboard.Pedalboard(
        [
            pedalboard.HighpassFilter(tight),
            pedalboard.PeakFilter(float(rng.uniform(600.0, 1200.0)), float(rng.uniform(-2.0, 6.0)), 0.7),
        ]
    )
    x = soxr.resample(pre(audio / np.float32(level), SAMPLE_RATE), SAMPLE_RATE, 4 * SAMPLE_RATE, quality="MQ")
    stages = {"clean": (0.8,), "crunch": (4.0, 2.0), "high": (14.0, 5.0, 2.0)}[gain]
    for drive in stages:
        drive *= float(np.exp(rng.normal(0.0, 0.35)))
        bias = float(rng.uniform(0.0, 0.3))
        x = np.tanh(np.float32(drive) * x + np.float32(bias)) - np.float32(np.tanh(bias))
    x = soxr.resample(x, 4 * SAMPLE_RATE, SAMPLE_RATE, quality="MQ")[: len(audio)]
    x = _cabinet(rng, gain)(np.pad(x, (0, len(audio) - len(x))).astype(np.float32), SAMPLE_RATE)
    return x * np.float32(0.1 / (np.sqrt((x**2).mean()) + 1e-6))


def _cabinet(rng: np.random.Generator, gain: str) -> pedalboard.Pedalboard:
    top = float(rng.uniform(3800.0, 6500.0)) if gain != "clean" else float(rng.uniform(4500.0, 9000.0))
    chain = [
        pedalboard.HighpassFilter(float(rng.uniform(60.0, 110.0))),
        pedalboard.PeakFilter(float(rng.uniform(95.0, 150.0)), float(rng.uniform(0.0, 5.0)), 1.2),
        pedalboard.PeakFilter(float(rng.uniform(350.0, 700.0)), float(rng.uniform(-8.0, 2.0)), 0.8),
        pedalboard.PeakFilter(float(rng.uniform(1800.0, 3600.0)), float(rng.uniform(1.0, 8.0)), 1.0),
        pedalboard.LowpassFilter(top),
        pedalboard.LowpassFilter(top * float(rng.uniform(1.0, 1.3))),
        pedalboard.LowpassFilter(top * 1.2),
    ]
    return pedalboard.Pedalboard(chain)


def double_tracked(
    rng: np.random.Generator, source: str, part: Part, seconds_per_beat: float, num_samples: int, gain: str
) -> np.ndarray:
    """Two takes, left and right (2, num_samples)."""
    takes = [amplified(rng, play_part(rng, source, part, seconds_per_beat, num_samples), gain) for _ in range(2)]
    if source != "strings":  # the same recordings again: the second take is a little late and out of tune
        takes[1] = np.roll(takes[1], int(rng.uniform(0.008, 0.025) * SAMPLE_RATE))
    wide = float(rng.uniform(0.6, 1.0))
    left, right = (takes[0] + (1.0 - wide) * takes[1]), (takes[1] + (1.0 - wide) * takes[0])
    return np.stack([left, right]).astype(np.float32)


def power_riff(rng: np.random.Generator, chords: list[Chord], *, low: int = 40) -> Part:
    """Power chords and palm-muted roots on a sixteenth or eighth grid, a pattern per song."""
    step = float(rng.choice([0.25, 0.5, 0.5]))
    size = int(4.0 / step)
    accents = rng.random(size) < float(rng.uniform(0.15, 0.5))
    accents[0] = True
    rests = (rng.random(size) < float(rng.choice([0.0, 0.1, 0.3]))) & ~accents
    held = bool(rng.random() < 0.35)  # long chords instead of a pattern
    ring, damped = [], []
    for chord in chords:
        root = low + (chord.root - low) % 12
        voicing = (root, root + 7, root + 12) if rng.random() < 0.7 else (root, root + 7)
        if held:
            ring += [Note(chord.start, 0.97 * chord.length, pitch, 0.9) for pitch in voicing]
            continue
        for index in range(int(chord.length / step)):
            place = index % size
            if rests[place]:
                continue
            if accents[place]:
                ring += [Note(chord.start + index * step, step * 1.9, pitch, 0.9) for pitch in voicing]
            else:
                damped.append(Note(chord.start + index * step, step * 0.9, root, float(rng.uniform(0.6, 0.9))))
    return Part(ring, damped)


def strummed(rng: np.random.Generator, chords: list[Chord], *, low: int = 40) -> Part:
    """Chords of four to six strings on an eighth pattern, strings a few milliseconds apart, up and down."""
    pattern = [1.0] + [float(rng.random() < 0.65) for _ in range(7)]
    spread, ring, damped = float(rng.uniform(0.008, 0.03)), [], []
    for chord in chords:
        root = low + (chord.root - low) % 12
        tones = [root, root + 7, root + 12, root + 12 + chord.intervals[1], root + 19, root + 24]
        tones = tones[: int(rng.integers(4, 7))]
        for index in range(int(chord.length * 2)):
            if pattern[index % 8]:
                order = tones if index % 2 == 0 else tones[::-1][:4]
                for place, pitch in enumerate(order):
                    ring.append(
                        Note(
                            chord.start + 0.5 * index + spread * place,
                            0.9 + 0.4 * rng.random(),
                            pitch,
                            float(rng.uniform(0.45, 0.8)),
                        )
                    )
    return Part(ring, damped)


def picked(rng: np.random.Generator, chords: list[Chord], *, low: int = 43) -> Part:
    """Arpeggios that ring into each other."""
    step, order = float(rng.choice([0.25, 0.5, 0.5])), rng.integers(0, 5, 16)
    ring = []
    for chord in chords:
        root = low + (chord.root - low) % 12
        tones = [root, root + 7, root + 12, root + 12 + chord.intervals[1], root + 19]
        ring += [
            Note(
                chord.start + index * step,
                min(2.0, chord.length),
                tones[int(order[index % 16])],
                float(rng.uniform(0.5, 0.9)),
            )
            for index in range(int(chord.length / step))
        ]
    return Part(ring, [])
