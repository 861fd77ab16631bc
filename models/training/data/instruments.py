# SPDX-License-Identifier: MIT
"""Recorded instruments of the song renderer: sampled notes, and sound fonts through fluidsynth.

Each takes notes or hits and a tempo and returns audio (2, samples). Synthesisers are in `synths`, drums in `drums`,
the arrangement in `render`.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import mido
import numpy as np

from models.training.network.spectral import SAMPLE_RATE

from .material import read_stereo
from .pool import audio_folder
from .scores import MIDI_OF_DRUM, Hit, Note

SOUND_FONTS = tuple(
    Path(path)
    for path in (
        "/usr/share/sounds/sf2/FluidR3_GM.sf2",
        "/usr/share/sounds/sf3/MuseScore_General_Full.sf3",
        "/usr/share/sounds/sf3/MuseScore_General.sf3",
    )
)
_NOTE_NAME = re.compile(r"^([a-g])(#|b)?(-?\d)", re.IGNORECASE)


def mix_in(track: np.ndarray, part: np.ndarray, start_seconds: float) -> None:
    """Add `part` to `track` from `start_seconds`, cut at the track's end."""
    start = max(0, int(start_seconds * SAMPLE_RATE))
    stop = min(track.shape[1], start + part.shape[1])
    if stop > start:
        track[:, start:stop] += part[:, : stop - start]


@lru_cache(maxsize=600)
def sample(path: Path) -> np.ndarray:
    """A recorded one-shot, stereo, leading silence cut."""
    audio = read_stereo(path)
    loud = np.flatnonzero(np.abs(audio).max(0) > 0.02 * np.abs(audio).max())
    return audio[:, max(0, loud[0] - 32) :] if len(loud) else audio


def files(*patterns: str) -> list[Path]:
    """Recordings of the instruments that match any of the patterns, sorted within each."""
    root = audio_folder() / "instruments"
    return [path for pattern in patterns for path in sorted(root.glob(pattern))]


@lru_cache(maxsize=8)
def sampled_notes(folder: str) -> dict[int, tuple[Path, ...]]:
    """Recordings of an instrument folder by MIDI pitch, as far as their names tell it."""
    pitches: dict[int, list[Path]] = {}
    for path in files(f"{folder}/**/*.ogg"):
        match = _NOTE_NAME.match(path.stem)
        if match:
            step = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}[match[1].lower()]
            step += {"#": 1, "b": -1, None: 0}[match[2]]
            pitches.setdefault(12 * (int(match[3]) + 1) + step, []).append(path)
    return {pitch: tuple(paths) for pitch, paths in pitches.items()}


def play_sampled(
    rng: np.random.Generator, folder: str, notes: list[Note], seconds_per_beat: float, num_samples: int
) -> np.ndarray:
    """Notes on a sampled instrument; the nearest recording, resampled by at most a few semitones."""
    from .material import at_speed

    recordings = sampled_notes(folder)
    track = np.zeros((2, num_samples), np.float32)
    shifted: dict[tuple[int, Path], np.ndarray] = {}
    release = int(0.06 * SAMPLE_RATE)
    for note in notes:
        nearest = min(recordings, key=lambda pitch: abs(pitch - note.pitch))
        path = recordings[nearest][int(rng.integers(min(2, len(recordings[nearest]))))]
        key = (note.pitch, path)
        if key not in shifted:
            shifted[key] = at_speed(sample(path)[:, : 4 * SAMPLE_RATE], 2.0 ** ((note.pitch - nearest) / 12.0))
        length = min(shifted[key].shape[1], int(note.length * seconds_per_beat * SAMPLE_RATE) + release)
        audio = shifted[key][:, :length].copy()
        fade = min(release, length)
        audio[:, length - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        mix_in(track, audio * np.float32(0.5 * note.velocity), note.start * seconds_per_beat)
    return track


def play_sound_font(
    rng: np.random.Generator,
    program: int,
    notes: list[Note] | list[Hit],
    seconds_per_beat: float,
    num_samples: int,
    *,
    drums: bool = False,
) -> np.ndarray:
    """Notes, or hits on a drum kit, through fluidsynth with a General MIDI sound font."""
    fonts = [path for path in SOUND_FONTS if path.exists()]
    font = fonts[int(rng.integers(len(fonts)))]
    track, events = mido.MidiTrack(), []
    channel = 9 if drums else 0
    for note in notes:
        pitch = MIDI_OF_DRUM[note.drum] if drums else note.pitch
        length = 0.2 if drums else note.length
        events.append((note.start, 1, pitch, max(1, int(127 * note.velocity))))
        events.append((note.start + length, 0, pitch, 0))
    track.append(mido.MetaMessage("set_tempo", tempo=int(seconds_per_beat * 1e6)))
    track.append(mido.Message("program_change", program=program, channel=channel))
    now = 0
    for beat, kind, pitch, velocity in sorted(events):
        tick = max(now, round(beat * 480))
        track.append(
            mido.Message(
                "note_on" if kind else "note_off",
                note=int(np.clip(pitch, 0, 127)),
                velocity=velocity,
                channel=channel,
                time=tick - now,
            )
        )
        now = tick
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    with tempfile.TemporaryDirectory() as folder:
        score, audio = Path(folder) / "score.mid", Path(folder) / "audio.wav"
        file.save(score)
        subprocess.run(
            [
                "fluidsynth", "-q", "-ni", "-g", "0.5", "-R", "0", "-C", "0", "-r", str(SAMPLE_RATE),
                "-o", "synth.dynamic-sample-loading=1",  # only the presets played: five times as fast
                "-F", str(audio), str(font), str(score),
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        played = read_stereo(audio)[:, :num_samples]
    return np.pad(played, ((0, 0), (0, num_samples - played.shape[1])))
