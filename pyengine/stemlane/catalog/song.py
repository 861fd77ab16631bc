# SPDX-License-Identifier: MIT
"""A song made of nothing but numbers, with its true stems: drums, bass, an electric piano and a voice.

It exists so that the demonstration and the tests need no recording. No model has heard it, but how well they tell its
parts apart says little of recordings: nobody sings, and nobody plays.
"""

import math

import numpy as np

from stemlane.catalog.singer import Syllable, sing

SAMPLE_RATE = 44100
TEMPO_BPM = 112
NUM_BARS = 12
BEAT = 60.0 / TEMPO_BPM

# Two bars per chord, by MIDI note numbers: a minor, F, C, G.
_CHORDS = ((64, 69, 72), (65, 69, 72), (64, 67, 72), (62, 67, 71))
_ROOTS = (33, 29, 36, 31)
_COMPING = ((0.0, 1.4), (1.5, 0.4), (2.5, 1.4))  # of a bar: (start, length) in beats
# Melody in beats: (start, length, note, syllable); each phrase takes two bars.
_PHRASES = (
    ((0.0, 1.5, 57, "ha"), (1.5, 0.5, 59, "le"), (2.0, 2.0, 60, "mo"), (4.5, 1.5, 59, "na"), (6.0, 1.5, 55, "di")),
    ((0.0, 1.0, 57, "so"), (1.0, 1.0, 55, "na"), (2.0, 2.5, 53, "lu"), (5.0, 1.0, 52, "te"), (6.0, 1.5, 53, "ka")),
    ((0.5, 1.5, 55, "mi"), (2.0, 1.0, 60, "la"), (3.0, 2.0, 64, "sa"), (5.0, 1.0, 62, "ne"), (6.0, 1.5, 60, "do")),
    ((0.0, 2.0, 59, "fa"), (2.5, 0.5, 57, "he"), (3.0, 3.0, 55, "to"), (6.5, 1.0, 50, "nu")),
)
_PICK_UP = 0.2  # seconds before a phrase in which its first consonant sounds


def _note_hz(note: float) -> float:
    return 440.0 * math.pow(2.0, (note - 69) / 12)


def _seconds(length: float) -> np.ndarray:
    return np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE


def _add(track: np.ndarray, start: float, sound: np.ndarray, left: float = 1.0, right: float = 1.0) -> None:
    first = round(start * SAMPLE_RATE)
    sound = sound[: max(0, track.shape[1] - first)]
    track[0, first : first + len(sound)] += left * sound
    track[1, first : first + len(sound)] += right * sound


def _fade(num_samples: int, attack: float, release: float) -> np.ndarray:
    time = np.arange(num_samples) / SAMPLE_RATE
    return np.minimum(1.0, time / attack) * np.minimum(1.0, (num_samples / SAMPLE_RATE - time) / release)


def _highpass(noise: np.ndarray, corner_hz: float) -> np.ndarray:
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum * (frequency**4 / (frequency**4 + corner_hz**4)), len(noise))


def _drums(track: np.ndarray, random: np.random.Generator) -> None:
    time = _seconds(0.35)
    kick = np.sin(2 * np.pi * (48 * time + 90 / 30 * (1 - np.exp(-30 * time)))) * np.exp(-9 * time)
    for beat in range(NUM_BARS * 4):
        start = beat * BEAT
        if beat % 4 in (0, 2) or random.random() < 0.15:
            _add(track, start, 0.75 * kick)
        if beat % 2 == 1:
            rattle = _highpass(random.standard_normal(len(time)), 1200) * np.exp(-18 * time)
            tone = np.sin(2 * np.pi * 185 * time) * np.exp(-25 * time)
            _add(track, start, 0.4 * rattle + 0.35 * tone, 0.9, 1.0)
        for half in (0.0, 0.5):
            short = _seconds(0.18 if half and random.random() < 0.3 else 0.06)
            hat = _highpass(random.standard_normal(len(short)), 7000) * np.exp(-4 * short / short[-1])
            _add(track, start + half * BEAT + 0.003 * random.random(), random.uniform(0.14, 0.26) * hat, 1.0, 0.6)


def _bass(track: np.ndarray, random: np.random.Generator) -> None:
    for eighth in range(NUM_BARS * 8):
        if random.random() < 0.2:
            continue
        note = _ROOTS[eighth // 16 % 4] + (12 if random.random() < 0.15 else 0)
        time = _seconds(BEAT / 2 * 0.92)
        cutoff = 250 + 900 * np.exp(-8 * time)
        sound = np.zeros_like(time)
        for harmonic in range(1, 16):
            frequency = harmonic * _note_hz(note)
            sound += np.sin(2 * np.pi * frequency * time) / harmonic / np.sqrt(1 + (frequency / cutoff) ** 4)
        _add(track, eighth * BEAT / 2, 0.27 * sound * _fade(len(time), 0.005, 0.02))


def _piano_note(note: float, length: float, random: np.random.Generator) -> np.ndarray:
    """Two sines that bend the phases of two others, after Chowning, JAES 21 (1973): a tine and its bell."""
    time = _seconds(length + 0.15)
    phase = 2 * np.pi * _note_hz(note + 0.03 * random.standard_normal()) * time
    strength = random.uniform(0.8, 1.1)
    tine = np.sin(phase + strength * np.exp(-3 * time) * np.sin(phase)) * np.exp(-1.2 * time)
    bell = np.sin(phase + 0.6 * strength * np.exp(-9 * time) * np.sin(14 * phase)) * np.exp(-6 * time)
    sound: np.ndarray = strength * (tine + 0.5 * bell) * _fade(len(time), 0.003, 0.15)
    return sound


def _piano(track: np.ndarray, random: np.random.Generator) -> None:
    for bar in range(NUM_BARS):
        for start, length in _COMPING:
            for place, note in enumerate(_CHORDS[bar // 2 % 4]):
                left, right = math.sqrt(0.75 - place / 4), math.sqrt(0.25 + place / 4)
                sound = 0.24 * _piano_note(note, length * BEAT, random)
                late = 0.006 * random.random()
                _add(track, (bar * 4 + start) * BEAT + late, sound, left, right)


def _vocals(track: np.ndarray, random: np.random.Generator) -> None:
    for pair in range(1, NUM_BARS // 2):  # two bars of introduction
        syllables = [
            Syllable(_PICK_UP + start * BEAT, 0.95 * length * BEAT, note, text)
            for start, length, note, text in _PHRASES[(pair - 1) % 4]
        ]
        _add(track, pair * 8 * BEAT - _PICK_UP, 1.8 * sing(syllables, SAMPLE_RATE, random))


def _with_room(track: np.ndarray, amount: float, random: np.random.Generator) -> np.ndarray:
    time = _seconds(1.2)
    num_samples = track.shape[1]
    size = 2 ** int(np.ceil(np.log2(num_samples + len(time))))
    result = track.copy()
    for channel in range(2):
        tail = random.standard_normal(len(time)) * np.exp(-5 * time) / 40
        wet = np.fft.irfft(np.fft.rfft(track.mean(axis=0), size) * np.fft.rfft(tail, size), size)
        result[channel] += amount * wet[:num_samples]
    return result


def make_song(seed: int = 2026) -> dict[str, np.ndarray]:
    """The true stems of the song, whose sum is the mixture.

    Parameters
    ----------
    seed : int
        Decides about fills, phases, noise and breath. The same seed gives the same song.

    Returns
    -------
    dict of str to ndarray
        "vocals", "drums", "bass" and "other", each (2, samples) float32 at `SAMPLE_RATE`; about 26 s.
        The peak of their sum is 0.9.
    """
    random = np.random.default_rng(seed)
    num_samples = round((NUM_BARS * 4 + 1) * BEAT * SAMPLE_RATE)
    stems = {}
    for name, play, room in (
        ("vocals", _vocals, 0.5),
        ("drums", _drums, 0.1),
        ("bass", _bass, 0.0),
        ("other", _piano, 0.3),
    ):
        track = np.zeros((2, num_samples))
        play(track, random)
        stems[name] = _with_room(track, room, random) if room else track
    peak = np.abs(sum(stems.values())).max()
    return {name: (0.9 / peak * track).astype(np.float32) for name, track in stems.items()}
