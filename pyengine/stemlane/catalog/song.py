# SPDX-License-Identifier: MIT
"""A song made of nothing but numbers, with its true stems: drums, bass, chords and a lead that sings vowels.

It exists so that the demonstration and the tests need no recording. It flatters no model: the
voice is a formant synthesiser (source and filter, after Fant 1960), not a singer.
"""

import math

import numpy as np

SAMPLE_RATE = 44100
TEMPO_BPM = 112
NUM_BARS = 12
BEAT = 60.0 / TEMPO_BPM

# Two bars per chord, by MIDI note numbers: a minor, F, C, G.
_CHORDS = ((57, 60, 64), (53, 57, 60), (48, 55, 64), (55, 59, 62))
_ROOTS = (33, 29, 36, 31)
# Melody in beats: (start, length, note, vowel); each phrase takes two bars.
_PHRASES = (
    ((0.0, 1.5, 69, "a"), (1.5, 0.5, 71, "e"), (2.0, 2.0, 72, "o"), (4.5, 1.5, 71, "a"), (6.0, 1.5, 67, "i")),
    ((0.0, 1.0, 69, "o"), (1.0, 1.0, 67, "a"), (2.0, 2.5, 65, "u"), (5.0, 1.0, 64, "e"), (6.0, 1.5, 65, "a")),
    ((0.5, 1.5, 67, "i"), (2.0, 1.0, 72, "a"), (3.0, 2.0, 76, "a"), (5.0, 1.0, 74, "e"), (6.0, 1.5, 72, "o")),
    ((0.0, 2.0, 71, "a"), (2.5, 0.5, 69, "e"), (3.0, 3.0, 67, "o"), (6.5, 1.0, 62, "u")),
)
# Formant frequencies in Hz of a high voice, rounded from Peterson & Barney (1952).
_FORMANTS = {
    "a": (850, 1220, 2810, 3800), "e": (610, 2330, 2990, 4000), "i": (310, 2790, 3310, 4200),
    "o": (590, 920, 2710, 3700), "u": (370, 950, 2670, 3700),
}  # fmt: skip
_BANDWIDTHS = (80, 100, 140, 200)


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
        _add(track, eighth * BEAT / 2, 0.32 * sound * _fade(len(time), 0.005, 0.02))


def _chords(track: np.ndarray, random: np.random.Generator) -> None:
    for bar in range(NUM_BARS):
        chord = _CHORDS[bar // 2 % 4]
        time = _seconds(BEAT * 4)
        pulse = 0.75 + 0.25 * np.cos(2 * np.pi * time / BEAT)
        for note in chord:
            for side in (-1, 1):
                frequency = _note_hz(note) * 2 ** (side * 5 / 1200)
                sound = sum(
                    np.sin(2 * np.pi * k * frequency * time + random.uniform(0, 6.28)) / k**1.3
                    for k in range(1, int(9000 / frequency))
                )
                _add(
                    track,
                    bar * 4 * BEAT,
                    0.11 * sound * pulse * _fade(len(time), 0.05, 0.1),
                    0.5 - 0.4 * side,
                    0.5 + 0.4 * side,
                )


def _sing(length: float, note: float, vowel: str, next_vowel: str, random: np.random.Generator) -> np.ndarray:
    time = _seconds(length)
    vibrato = 0.25 * np.sin(2 * np.pi * 5.6 * time) * np.clip((time - 0.15) / 0.3, 0, 1)
    glide = -1.5 * np.exp(-time / 0.04) + 0.03 * np.cumsum(random.standard_normal(len(time))) / np.sqrt(SAMPLE_RATE)
    phase = 2 * np.pi * np.cumsum(_note_hz(note) * 2 ** ((vibrato + glide) / 12)) / SAMPLE_RATE
    blend = np.clip((time - length + 0.15) / 0.15, 0, 1)  # towards the next vowel
    formants = [(1 - blend) * a + blend * b for a, b in zip(_FORMANTS[vowel], _FORMANTS[next_vowel], strict=True)]
    sound = np.zeros_like(time)
    for harmonic in range(1, int(12000 / _note_hz(note))):
        frequency = harmonic * _note_hz(note)
        resonances = zip(formants, _BANDWIDTHS, (1.0, 0.7, 0.5, 0.4), strict=True)
        filtered = sum(weight / (1 + ((frequency - centre) / width) ** 2) for centre, width, weight in resonances)
        sound += (filtered + 0.004) * np.sin(harmonic * phase) / harmonic**0.7
    breath = _highpass(random.standard_normal(len(time)), 3000)
    consonant = 0.5 * breath * np.exp(-((time - 0.02) ** 2) / (2 * 0.012**2))
    syllable: np.ndarray = (sound + 0.006 * breath + 0.25 * consonant) * _fade(len(time), 0.03, 0.06)
    return syllable


def _vocals(track: np.ndarray, random: np.random.Generator) -> None:
    for pair in range(1, NUM_BARS // 2):  # two bars of introduction
        phrase = _PHRASES[(pair - 1) % 4]
        for index, (start, length, note, vowel) in enumerate(phrase):
            next_vowel = phrase[index + 1][3] if index + 1 < len(phrase) else vowel
            _add(track, (pair * 8 + start) * BEAT, 0.5 * _sing(length * BEAT, note, vowel, next_vowel, random))


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
        ("other", _chords, 0.3),
    ):
        track = np.zeros((2, num_samples))
        play(track, random)
        stems[name] = _with_room(track, room, random) if room else track
    peak = np.abs(sum(stems.values())).max()
    return {name: (0.9 / peak * track).astype(np.float32) for name, track in stems.items()}
