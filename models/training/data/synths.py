# SPDX-License-Identifier: MIT
"""Synthesisers of the song renderer, in numpy: pads, leads, plucks, basses, 808s and struck tones.

Each takes notes and a tempo and returns audio (2, samples); recorded instruments are in `instruments`.
"""

from __future__ import annotations

import numpy as np
import pedalboard

from models.training.network.spectral import SAMPLE_RATE

from .instruments import mix_in
from .scores import Note


def _oscillator(shape: str, phase: np.ndarray) -> np.ndarray:
    turn = phase - np.floor(phase)
    if shape == "sine":
        return np.sin(2.0 * np.pi * turn)
    if shape == "saw":
        return 2.0 * turn - 1.0
    if shape == "triangle":
        return 4.0 * np.abs(turn - 0.5) - 1.0
    if shape == "square":
        return np.tanh(8.0 * np.sin(2.0 * np.pi * turn))
    return np.tanh(3.0 * np.sin(2.0 * np.pi * turn + 1.5 * np.sin(4.0 * np.pi * turn)))  # "growl"


class Synth:
    """A random subtractive synthesiser voice: oscillators, envelope, resonant low-pass per track.

    Parameters
    ----------
    rng : Generator
        Draws the patch.
    kind : str
        `bass`, `pad`, `lead` or `pluck`.
    """

    def __init__(self, rng: np.random.Generator, kind: str):
        self.rng = rng
        self.kind = kind
        shapes = {
            "bass": ["sine", "saw", "square", "triangle", "growl"],
            "pad": ["saw", "triangle", "square"],
            "lead": ["saw", "square", "growl"],
            "pluck": ["saw", "triangle", "sine", "square"],
        }[kind]
        self.shapes = [str(shape) for shape in rng.choice(shapes, 1 if kind == "bass" else 2)]
        self.detune = 0.0 if kind == "bass" and rng.random() < 0.6 else float(rng.uniform(0.001, 0.008))
        self.unison = 1 if kind == "bass" and rng.random() < 0.6 else int(rng.integers(2, 6))
        self.sub = float(rng.uniform(0.3, 1.0)) if kind == "bass" and rng.random() < 0.7 else 0.0
        self.attack = {"pad": float(rng.uniform(0.05, 0.8)), "lead": 0.01, "pluck": 0.002, "bass": 0.004}[kind]
        self.decay = {
            "pad": 4.0,
            "lead": 2.0,
            "pluck": float(rng.uniform(0.08, 0.5)),
            "bass": float(rng.choice([0.2, 0.6, 5.0])),
        }[kind]
        self.sustain = {"pad": 0.8, "lead": 0.7, "pluck": 0.0, "bass": float(rng.uniform(0.2, 1.0))}[kind]
        self.release = float(rng.uniform(0.2, 1.0)) if kind == "pad" else float(rng.uniform(0.02, 0.12))
        self.width = 0.0 if kind == "bass" else float(rng.uniform(0.2, 1.0))
        high = {"bass": 1500.0, "pad": 7000.0, "lead": 9000.0, "pluck": 8000.0}[kind]
        self.cutoff_hz = float(np.exp(rng.uniform(np.log(high / 20.0), np.log(high))))
        self.resonance = float(rng.uniform(0.0, 0.6))
        self.drive_db = float(rng.uniform(3, 18)) if kind in ("bass", "lead") and rng.random() < 0.4 else 0.0
        if kind == "bass" and rng.random() < 0.3:  # a pure sub bass
            self.shapes, self.unison, self.sub, self.drive_db = ["sine"], 1, 0.0, 0.0
            self.sustain, self.attack = float(rng.uniform(0.7, 1.0)), float(rng.uniform(0.005, 0.05))
        # Many electronic basses fall onto their pitch within milliseconds, like a bass drum that goes on.
        self.fall_ratio, self.fall_seconds = 0.0, 1.0
        if kind == "bass" and rng.random() < 0.3:
            self.fall_ratio, self.fall_seconds = float(rng.uniform(0.5, 6.0)), float(rng.uniform(0.008, 0.06))
        self._cache: dict[tuple[int, int], np.ndarray] = {}

    def _note(self, pitch: int, seconds: float) -> np.ndarray:
        key = (pitch, int(seconds * 200))
        if key in self._cache:
            return self._cache[key]
        total = seconds + self.release
        time = np.arange(int(total * SAMPLE_RATE)) / SAMPLE_RATE
        frequency = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
        turns = time + self.fall_ratio * self.fall_seconds * (1.0 - np.exp(-time / self.fall_seconds))
        audio = np.zeros((2, len(time)))
        for voice in range(self.unison):
            spread = 0.0 if self.unison == 1 else 2.0 * voice / (self.unison - 1) - 1.0
            shape = self.shapes[voice % len(self.shapes)]
            wave = _oscillator(shape, turns * frequency * (1.0 + self.detune * spread) + self.rng.random())
            audio[0] += wave * np.sqrt(0.5 - 0.5 * spread * self.width)
            audio[1] += wave * np.sqrt(0.5 + 0.5 * spread * self.width)
        audio /= np.sqrt(self.unison)
        audio += self.sub * np.sin(2.0 * np.pi * turns * (frequency if frequency < 70.0 else frequency / 2.0))
        envelope = self.sustain + (1.0 - self.sustain) * np.exp(-time / self.decay)
        envelope *= np.minimum(1.0, time / self.attack) * np.clip((total - time) / self.release, 0.0, 1.0)
        self._cache[key] = (audio * envelope).astype(np.float32)
        return self._cache[key]

    def play(self, notes: list[Note], seconds_per_beat: float, num_samples: int) -> np.ndarray:
        """Audio (2, num_samples) of the notes."""
        track = np.zeros((2, num_samples), np.float32)
        for note in notes:
            mix_in(
                track,
                self._note(note.pitch, note.length * seconds_per_beat) * np.float32(0.3 * note.velocity),
                note.start * seconds_per_beat,
            )
        chain = [pedalboard.LadderFilter(pedalboard.LadderFilter.Mode.LPF24, self.cutoff_hz, self.resonance)]
        if self.drive_db:
            chain.append(pedalboard.Distortion(self.drive_db))
        return pedalboard.Pedalboard(chain)(track, SAMPLE_RATE)


def sub_drops(rng: np.random.Generator, seconds_per_beat: float, num_samples: int) -> np.ndarray:
    """Long low notes of electronic music, every few beats: they swell, decay, glide or drop; filed as bass."""
    track = np.zeros((2, num_samples), np.float32)
    grid = float(rng.choice([2.0, 4.0, 8.0])) * seconds_per_beat
    base_hz, glide = float(rng.uniform(33, 62)), float(rng.choice([0.0, 0.0, 0.3, 1.0]))
    swell, drive = float(rng.choice([0.01, 0.1, 0.4, 0.8])), float(rng.uniform(0.3, 3.0))
    length = min(float(rng.uniform(0.6, 2.5)), grid)
    # Half of them drop from above like a bass drum, but stay; a click may mark the start.
    fall = float(rng.uniform(0.008, 0.08))
    drop = float(rng.uniform(1.0, 8.0)) if rng.random() < 0.5 else 0.0
    if drop:
        swell = 0.005
    fade = float(rng.choice([0.02, 0.08, 0.5, 1.0])) * length
    time = np.arange(int(length * SAMPLE_RATE)) / SAMPLE_RATE
    offset = float(rng.choice([0.0, 0.0, 0.5])) * grid
    for index in range(int(num_samples / SAMPLE_RATE / grid)):
        if rng.random() < 0.75:
            hz = base_hz * 2.0 ** (float(rng.choice([0, 0, 0, 2, 3, 5, -2])) / 12.0)
            hz = hz * (1.0 + glide * np.exp(-time / (0.3 * length)) + drop * np.exp(-time / fall))
            tone = np.tanh(drive * np.sin(2.0 * np.pi * np.cumsum(hz) / SAMPLE_RATE)) / np.tanh(drive)
            tone *= np.minimum(1.0, time / min(swell, 0.7 * length)) * np.clip((length - time) / fade, 0.0, 1.0)
            mix_in(track, np.stack([tone, tone]).astype(np.float32), index * grid + offset)
    return track


def play_808(rng: np.random.Generator, notes: list[Note], seconds_per_beat: float, num_samples: int) -> np.ndarray:
    """Notes that start like a bass drum, far above their pitch, and stay on it, distorted (2, samples): bass."""
    height = float(np.exp(rng.uniform(np.log(1.0), np.log(20.0))))
    fall = float(np.exp(rng.uniform(np.log(0.008), np.log(0.12))))
    drive, bias = float(np.exp(rng.uniform(np.log(0.3), np.log(6.0)))), float(rng.choice([0.0, 0.3, 0.8]))
    dip, decay = float(rng.uniform(0.0, 0.6)), float(rng.choice([0.5, 1.5, 10.0]))
    click, release = float(rng.uniform(0.0, 0.5)), float(np.exp(rng.uniform(np.log(0.005), np.log(0.15))))
    track = np.zeros((2, num_samples), np.float32)
    for note in notes:
        seconds = note.length * seconds_per_beat + release
        time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        hz = 440.0 * 2.0 ** ((note.pitch - 69) / 12.0)
        hz /= 2.0 ** max(0.0, np.ceil(np.log2(hz / 75.0)))
        phase = 2.0 * np.pi * hz * (time + height * fall * (1.0 - np.exp(-time / fall)))
        level = np.exp(-time / decay) * (1.0 - dip * (np.exp(-time / 0.12) - np.exp(-time / 0.01)))
        tone = np.tanh(drive * (np.sin(phase) + bias)) - np.tanh(drive * bias)
        tone = tone / np.tanh(drive) * level + click * rng.standard_normal(len(time)) * np.exp(-time / 0.004)
        tone *= 0.3 * note.velocity * np.clip((seconds - time) / release, 0.0, 1.0)
        mix_in(track, np.stack([tone, tone]).astype(np.float32), note.start * seconds_per_beat)
    chain = [
        pedalboard.HighpassFilter(25.0),
        pedalboard.LowpassFilter(float(np.exp(rng.uniform(np.log(200), np.log(8000))))),
    ]
    if rng.random() < 0.3:
        chain.append(pedalboard.Reverb(float(rng.uniform(0.1, 0.5)), 0.5, float(rng.uniform(0.02, 0.15)), 1.0, 1.0))
    return pedalboard.Pedalboard(chain)(track, SAMPLE_RATE)


def play_pings(rng: np.random.Generator, notes: list[Note], seconds_per_beat: float, num_samples: int) -> np.ndarray:
    """Short struck tones, from a bare sine to a bell, dry or far away (2, samples): one random patch.

    A note rings with the patch's decay whatever its length.
    """
    ratios = [
        (1.0,),
        (1.0,),
        (1.0, 2.0, 3.0, 4.0),
        (1.0, 3.0, 5.0),
        (1.0, 2.756, 5.404),  # a free bar
        (0.5, 1.0, 1.19, 1.5, 2.0, 2.67),  # a church bell
    ][int(rng.integers(6))]
    decay = float(np.exp(rng.uniform(np.log(0.015), np.log(0.8))))
    tilt, damping = float(rng.uniform(0.3, 1.5)), float(rng.uniform(0.0, 1.0))
    modulation, modulator = float(rng.choice([0.0, 0.0, 1.0, 3.0])), float(rng.choice([1.0, 1.41, 2.0, 3.5, 7.0]))
    attack, click = float(np.exp(rng.uniform(np.log(0.0003), np.log(0.01)))), float(rng.choice([0.0, 0.1, 0.4]))
    fall = float(rng.choice([0.0, 0.0, 0.05, 0.5]))
    time = np.arange(int(min(3.0, 7.0 * decay + 0.05) * SAMPLE_RATE)) / SAMPLE_RATE
    tones: dict[int, np.ndarray] = {}
    for pitch in {note.pitch for note in notes}:
        turns = 440.0 * 2.0 ** ((pitch - 69) / 12.0) * (time + fall * 0.006 * (1.0 - np.exp(-time / 0.006)))
        bend = modulation * np.exp(-time / (0.5 * decay)) * np.sin(2.0 * np.pi * modulator * turns)
        tone = sum(
            ratio**-tilt * np.sin(2.0 * np.pi * ratio * turns + bend) * np.exp(-time * ratio**damping / decay)
            for ratio in ratios
            if ratio * turns[-1] / time[-1] < 0.45 * SAMPLE_RATE
        )
        tone = tone + click * rng.standard_normal(len(time)) * np.exp(-time / 0.002)
        tones[pitch] = (tone * np.minimum(1.0, time / attack)).astype(np.float32)
    track, width = np.zeros((2, num_samples), np.float32), float(rng.choice([0.0, 0.0, 0.5]))
    for note in notes:
        pan = width * float(rng.uniform(-1.0, 1.0))
        gain = np.array([[1.0 - pan], [1.0 + pan]], np.float32) * np.float32(0.3 * note.velocity)
        mix_in(track, tones[note.pitch] * gain, note.start * seconds_per_beat)
    chain = []
    if rng.random() < 0.4:
        chain.append(pedalboard.HighpassFilter(float(rng.uniform(80.0, 400.0))))
    if rng.random() < 0.5:
        chain.append(pedalboard.LowpassFilter(float(np.exp(rng.uniform(np.log(800.0), np.log(8000.0))))))
    if rng.random() < 0.4:
        chain.append(
            pedalboard.Delay(
                seconds_per_beat * float(rng.choice([0.25, 0.5, 0.75, 1.0])),
                float(rng.uniform(0.1, 0.7)),
                float(rng.uniform(0.1, 0.45)),
            )
        )
    if rng.random() < 0.7:
        chain.append(
            pedalboard.Reverb(
                float(rng.uniform(0.2, 1.0)),
                float(rng.uniform(0.2, 0.8)),
                float(rng.uniform(0.05, 0.6)),
                float(rng.uniform(0.4, 1.0)),
                1.0,
            )
        )
    return pedalboard.Pedalboard(chain)(track, SAMPLE_RATE) if chain else track
