# SPDX-License-Identifier: MIT
"""Voices as pads: choirs from sound fonts, textures stretched out of sung phrases, clouds of grains, vocoders, drones.

Productions hold voices far from speech and solo singing; all these kinds are filed as vocals.
Run as `python -m models.training.data.choirs --tracks 40`.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path

import numpy as np
import pedalboard
import soundfile

from models.training.network.spectral import SAMPLE_RATE

from . import scores
from .instruments import mix_in, play_sound_font
from .material import at_speed, phrase_files, read_stereo, training_songs, vocal_chain
from .pool import cache_folder, print_each, save
from .synths import Synth

TRACK_SECONDS = 45.0
GM_VOICES = (52, 53, 54, 52, 53, 85, 91)  # choir aahs, voice oohs, synth voice, lead voice, pad choir


def stretched(rng: np.random.Generator, audio: np.ndarray, factor: float, window_seconds: float) -> np.ndarray:
    """`audio` (2, samples) `factor` times as long: overlapping windows whose phases are drawn anew.

    What is left is the voice's spectrum, slowly changing, without its syllables.
    """
    size = int(window_seconds * SAMPLE_RATE) // 2 * 2
    hop = size // 2
    window = np.sqrt(np.hanning(size + 1)[:size])
    audio = np.pad(audio, ((0, 0), (0, size)))
    starts = np.arange(0, audio.shape[1] - size, hop / factor).astype(int)
    output = np.zeros((2, (len(starts) + 1) * hop), np.float32)
    for index, start in enumerate(starts):
        spectrum = np.abs(np.fft.rfft(audio[:, start : start + size] * window))
        turn = np.exp(2j * np.pi * rng.random(spectrum.shape[1]))  # the same in both channels: the image stays
        output[:, index * hop : index * hop + size] += np.fft.irfft(spectrum * turn, size) * window
    return output


@cache
def _voices() -> tuple[list[Path], list[Path]]:
    """Sung phrases, and the vocals of the album's songs."""
    sung, rest = phrase_files()
    songs = [folder / "vocals.ogg" for folder in training_songs().values()]
    return sung + rest, [path for path in songs if path.exists()]


def draw_voice(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """At most `seconds` of a sung phrase, or of the vocals of one of the album's songs (2, samples)."""
    phrases, songs = _voices()
    if songs and rng.random() < 0.4:
        path = songs[int(rng.integers(len(songs)))]
        length, last = int(seconds * SAMPLE_RATE), soundfile.info(path).frames
        for _ in range(8):
            excerpt = read_stereo(path, int(rng.integers(0, max(1, last - length))), length)
            if float((excerpt**2).mean()) > 1e-4:
                return excerpt
    return read_stereo(phrases[int(rng.integers(len(phrases)))])[:, : int(seconds * SAMPLE_RATE)]


def texture(rng: np.random.Generator) -> np.ndarray:
    """Stretched or drowned phrases over each other, some as chords (2, samples)."""
    track = np.zeros((2, int(TRACK_SECONDS * SAMPLE_RATE)), np.float32)
    intervals = [0] + [int(step) for step in rng.choice([0, 3, 4, 5, 7, 12, -12], int(rng.integers(0, 3)))]
    factor, window = float(np.exp(rng.uniform(np.log(1.5), np.log(10.0)))), float(rng.uniform(0.08, 0.5))
    position = float(rng.uniform(0.0, 2.0))
    while position < TRACK_SECONDS - 1.0:
        phrase = draw_voice(rng, 3.0)
        slow = stretched(rng, phrase, factor, window)[:, : int(12.0 * SAMPLE_RATE)]
        fade = min(slow.shape[1] // 4, int(rng.uniform(0.02, 1.5) * SAMPLE_RATE))
        slow[:, :fade] *= np.linspace(0.0, 1.0, fade, dtype=np.float32)
        slow[:, slow.shape[1] - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        for interval in intervals:
            voice = at_speed(slow, 2.0 ** (interval / 12.0))
            mix_in(track, voice * np.float32(0.1 / (np.sqrt((voice**2).mean()) + 1e-6)), position)
        position += slow.shape[1] / SAMPLE_RATE * float(rng.uniform(0.6, 1.3))
    return track


def grains(rng: np.random.Generator) -> np.ndarray:
    """A cloud of short pieces of a few phrases, at octaves and fifths of their pitch (2, samples)."""
    track = np.zeros((2, int(TRACK_SECONDS * SAMPLE_RATE)), np.float32)
    speeds = [1.0] + [float(speed) for speed in rng.choice([0.5, 0.75, 1.5, 2.0, 0.5], int(rng.integers(1, 4)))]
    length, density = float(rng.uniform(0.06, 0.5)), float(rng.uniform(3.0, 8.0))
    pulse = float(rng.uniform(0.12, 0.4)) if rng.random() < 0.5 else 0.0  # grains on a grid, or anywhere
    position, section = 0.0, float(rng.uniform(4.0, 15.0))
    while position < TRACK_SECONDS:
        phrase = draw_voice(rng, 4.0)
        phrase = phrase * np.float32(0.1 / (np.sqrt((phrase**2).mean()) + 1e-6))
        sources = [at_speed(phrase, speed) for speed in speeds]
        for _ in range(int(section / length * density)):
            source = sources[int(rng.integers(len(sources)))]
            size = min(source.shape[1], int(length * SAMPLE_RATE * rng.uniform(0.7, 1.4)))
            start = int(rng.integers(0, source.shape[1] - size + 1))
            place = position + section * float(rng.random())
            pan = float(rng.uniform(-0.7, 0.7))
            window = np.hanning(size).astype(np.float32) * np.array([[1.0 - pan], [1.0 + pan]], np.float32)
            mix_in(track, source[:, start : start + size] * window, pulse * round(place / pulse) if pulse else place)
        position += section * float(rng.uniform(0.6, 1.2))
    return track


def spoken_by(modulator: np.ndarray, carrier: np.ndarray, num_bands: int) -> np.ndarray:
    """A vocoder: `carrier` (2, samples) with the level of `modulator` (2, samples) in every band.

    The bands are equal steps of a scale that is linear below 1 kHz and logarithmic above, 80 Hz to 12 kHz.
    """
    size, hop = 1024, 256
    window = np.sqrt(np.hanning(size + 1)[:size])
    length = min(modulator.shape[1], carrier.shape[1])
    hertz = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    scale = np.log1p(np.clip(hertz, 80.0, 12000.0) / 1000.0)
    position = (scale - scale.min()) / (scale.max() - scale.min()) * (num_bands - 1)
    bands = np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(num_bands)))  # triangles that sum to one
    output = np.zeros((2, length), np.float32)
    for start in range(0, length - size, hop):
        part = slice(start, start + size)
        voice = np.abs(np.fft.rfft(modulator[:, part].mean(0) * window)) ** 2 @ bands
        spectrum = np.fft.rfft(carrier[:, part] * window)
        own = (np.abs(spectrum) ** 2).mean(0) @ bands
        gain = np.sqrt(voice / (own + 1e-3 * own.mean() + 1e-9))
        output[:, part] += (0.5 * np.fft.irfft(spectrum * (bands @ gain), size) * window).astype(np.float32)
    return output


def vocoder(rng: np.random.Generator) -> np.ndarray:
    """Phrases, or a texture of them, spoken by a synthesiser's chords or bass (2, samples)."""
    beat, num_samples = 60.0 / float(rng.uniform(70, 140)), int(TRACK_SECONDS * SAMPLE_RATE)
    chords = scores.loop_chords(rng, TRACK_SECONDS / beat)
    notes = scores.chord_notes(rng, chords, centre=int(rng.integers(45, 65)))
    notes += scores.bass_line(rng, chords, low=int(rng.integers(33, 46))) if rng.random() < 0.5 else []
    synth = Synth(rng, "pad" if rng.random() < 0.7 else "lead")
    synth.cutoff_hz, synth.resonance = float(rng.uniform(4000.0, 12000.0)), 0.1
    if rng.random() < 0.4:
        modulator = texture(rng)
    else:
        modulator = np.zeros((2, num_samples), np.float32)
        position = 0.0
        while position < TRACK_SECONDS:
            phrase = draw_voice(rng, 6.0)
            mix_in(modulator, phrase * np.float32(0.1 / (np.sqrt((phrase**2).mean()) + 1e-6)), position)
            position += phrase.shape[1] / SAMPLE_RATE + float(rng.exponential(0.3))
    spoken = spoken_by(modulator, synth.play(notes, beat, num_samples), int(rng.integers(16, 40)))
    return spoken + np.float32(rng.choice([0.0, 0.0, 0.3])) * modulator[:, : spoken.shape[1]]


def choir(rng: np.random.Generator) -> np.ndarray:
    """Chords or a melody on the voices of a sound font (2, samples)."""
    beat, num_samples = 60.0 / float(rng.uniform(60, 140)), int(TRACK_SECONDS * SAMPLE_RATE)
    chords = scores.loop_chords(rng, TRACK_SECONDS / beat)
    track = np.zeros((2, num_samples), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.5:
            notes = scores.chord_notes(rng, chords, centre=int(rng.integers(50, 72)))
        else:
            notes = scores.made_up_melody(rng, chords, centre=int(rng.integers(55, 76)))
        track += play_sound_font(rng, int(rng.choice(GM_VOICES)), notes, beat, num_samples)
    return track


def drone(rng: np.random.Generator) -> np.ndarray:
    """A piece of a voice held for ever, as chords that change now and then, octaves below too (2, samples)."""
    track = np.zeros((2, int(TRACK_SECONDS * SAMPLE_RATE)), np.float32)
    phrase = draw_voice(rng, 4.0)
    size = min(phrase.shape[1] // 2, int(rng.uniform(0.08, 0.4) * SAMPLE_RATE))
    power = np.convolve((phrase**2).mean(0), np.ones(2 * size), "valid")[::64]
    start = 64 * int(power.argmax())
    ramp = np.linspace(0.0, 1.0, size, dtype=np.float32)
    held = phrase[:, start : start + size] * ramp + phrase[:, start + size : start + 2 * size] * (1.0 - ramp)
    chords = [
        [int(step) for step in rng.choice([0, 0, 3, 5, 7, 12, -5, -12, -12, -24], int(rng.integers(1, 5)))]
        for _ in range(int(rng.integers(1, 4)))
    ]
    lengths, turn, position = rng.uniform(0.8, 8.0, len(chords)), 0, 0.0
    fade = np.minimum(1.0, np.arange(int(20.0 * SAMPLE_RATE)) / (float(rng.uniform(0.005, 0.4)) * SAMPLE_RATE))
    while position < TRACK_SECONDS:
        length = int(lengths[turn % len(chords)] * SAMPLE_RATE)
        for step in chords[turn % len(chords)]:
            cycle = at_speed(np.tile(held, (1, 3)), 2.0 ** (step / 12.0))
            cycle = cycle[:, cycle.shape[1] // 3 : 2 * (cycle.shape[1] // 3)]
            voice = np.tile(cycle, (1, length // cycle.shape[1] + 1))[:, :length]
            voice = voice * np.minimum(fade[:length], fade[:length][::-1]) / (np.sqrt((voice**2).mean()) + 1e-6)
            mix_in(track, 0.05 * voice.astype(np.float32), position)
        position, turn = position + length / SAMPLE_RATE, turn + 1
    return track


def make_track(seed: int) -> np.ndarray:
    """A choir, a texture, a cloud of grains, a vocoder or a drone, in turn, at times one over another (2, samples).

    All of it goes through one channel strip and is often dark.
    """
    rng = np.random.default_rng([11, seed])
    kind = (choir, texture, grains, vocoder, drone)[seed % 5]
    track = kind(rng)
    if rng.random() < 0.4:
        over = (texture, grains, vocoder)[int(rng.integers(3))](rng)
        level = float(np.sqrt((track**2).mean() / ((over**2).mean() + 1e-9))) * 10.0 ** (
            float(rng.uniform(-6.0, 6.0)) / 20.0
        )
        mix_in(track, over * np.float32(level), 0.0)
    chain = []
    if rng.random() < 0.5:
        chain.append(pedalboard.LowpassFilter(float(np.exp(rng.uniform(np.log(700), np.log(6000))))))
    if rng.random() < 0.3:
        chain.append(pedalboard.Chorus(float(rng.uniform(0.2, 1.5)), 0.3, 8.0, 0.0, 0.5))
    strip = list(vocal_chain(rng))
    if kind in (vocoder, drone):
        strip[0] = pedalboard.HighpassFilter(float(rng.uniform(25.0, 100.0)))  # they keep their low octaves
    track = pedalboard.Pedalboard(chain + strip)(track, SAMPLE_RATE)
    return track * np.float32(0.5 / max(0.5, float(np.abs(track).max())))


def _make(seed: int) -> str:
    path = cache_folder() / "pool" / "vocals" / f"choir_{seed:03d}.npy"
    if not path.exists():
        save(path, make_track(seed))
    return path.stem


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    print_each(_make, range(options.first, options.first + options.tracks), options.processes)


if __name__ == "__main__":
    main()
