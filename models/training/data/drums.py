# SPDX-License-Identifier: MIT
"""Drums of the song renderer: kits put together of one-shots, synthesised kicks and kicks that boom."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from models.training.network.spectral import SAMPLE_RATE

from .instruments import files, mix_in, sample
from .scores import Hit


@lru_cache(maxsize=1)
def drum_samples() -> dict[str, tuple[tuple[Path, ...], ...]]:
    """Per drum the choices of a sound; a choice is a set of recordings of the same sound."""

    def singles(*patterns):
        return tuple((path,) for path in files(*patterns))

    def group(*folders):
        found = (tuple(files(f"drums/muldjordkit*/samples/{folder}/*.ogg")) for folder in folders)
        return tuple(paths for paths in found if paths)

    sonic, uzu, synth = "drums/sonicpi_CC0/", "drums/uzu_drumkit/", "drums/freepats_synth*/samples/"
    return {
        "kick": singles(
            sonic + "bd_*", sonic + "drum_heavy_kick*", sonic + "elec_*kick*", uzu + "bd/*", synth + "Kick*"
        )
        + group("KdrumL", "KdrumR"),
        "snare": singles(sonic + "sn_*", sonic + "drum_snare*", sonic + "elec_*snare*", uzu + "sd/*", synth + "Snare*")
        + group("Snare1", "Snare2"),
        "rim": singles(uzu + "rim/*", sonic + "elec_wood*", sonic + "perc_snap*"),
        "clap": singles(uzu + "cp/*", synth + "Clap*", sonic + "perc_snap*"),
        "tom_low": singles(sonic + "drum_tom_lo*", uzu + "lt/*", synth + "LowTom*") + group("Tom4"),
        "tom_mid": singles(sonic + "drum_tom_mid*", uzu + "mt/*", synth + "MidTom*") + group("Tom2", "Tom3"),
        "tom_high": singles(sonic + "drum_tom_hi*", uzu + "ht/*", synth + "HighTom*") + group("Tom1"),
        "hat_closed": singles(sonic + "hat_*", sonic + "drum_cymbal_closed*", uzu + "hh/*", synth + "ClosedHiHat*")
        + group("HihatClosed"),
        "hat_open": singles(sonic + "drum_cymbal_open*", uzu + "oh/*", synth + "OpenHiHat*") + group("HihatOpen"),
        "crash": singles(sonic + "drum_splash*", uzu + "cr/*", synth + "Cymbal*") + group("CrashL", "CrashR", "China"),
        "ride": singles(sonic + "ride_*", uzu + "rd/*") + group("RideL", "RideR"),
    }


def synthesised_kick(rng: np.random.Generator) -> np.ndarray:
    """An electronic bass drum: a sine that falls to a low tone, with a short or a booming tail and a click."""
    seconds = float(rng.uniform(0.15, 0.6))
    booming = rng.random() < 0.4
    if booming:
        seconds = float(rng.uniform(0.2, 0.45))
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    low_hz, sweep_hz = float(rng.uniform(38, 65)), float(np.exp(rng.uniform(np.log(40), np.log(500))))
    fall = float(rng.uniform(0.01, 0.06))
    phase = 2.0 * np.pi * (low_hz * time - sweep_hz * fall * (np.exp(-time / fall) - 1.0))
    decay = seconds * float(rng.uniform(0.6, 3.0) if booming else rng.uniform(0.15, 0.5))
    release = float(rng.uniform(0.02, 0.5)) * seconds if booming else 0.02
    audio = np.sin(phase) * np.exp(-time / decay) * np.clip((seconds - time) / release, 0, 1)
    click = rng.standard_normal(len(time)) * np.exp(-time / 0.003) * float(rng.uniform(0.0, 0.3))
    drive = float(rng.uniform(0.5, 4.0))
    audio = np.tanh(drive * (audio + click)) / np.tanh(drive)
    return np.stack([audio, audio]).astype(np.float32)


def booming_kicks(rng: np.random.Generator, seconds_per_beat: float, num_samples: int) -> np.ndarray:
    """A bass drum on every beat whose tail fills the time to the next one, as loud as a bass (2, samples).

    What goes on for longer than half a second is a bass that starts like a bass drum: `play_808`.
    """
    interval = seconds_per_beat * float(rng.choice([1.0, 1.0, 1.0, 0.5, 2.0]))
    seconds = min(0.5, interval * float(rng.uniform(0.6, 1.1)))
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    low_hz, sweep_hz = float(rng.uniform(38, 68)), float(np.exp(rng.uniform(np.log(60), np.log(600))))
    fall, drive = float(rng.uniform(0.01, 0.08)), float(rng.uniform(0.5, 5.0))
    phase = 2.0 * np.pi * (low_hz * time - sweep_hz * fall * (np.exp(-time / fall) - 1.0))
    tone = np.tanh(drive * np.sin(phase) * np.exp(-time / (seconds * float(rng.uniform(0.5, 3.0)))))
    click = rng.standard_normal(len(time)) * np.exp(-time / 0.004) * float(rng.uniform(0.0, 0.4))
    hit = (tone / np.tanh(drive) + click) * np.clip((seconds - time) / (0.15 * seconds), 0.0, 1.0)
    track, misses = np.zeros((2, num_samples), np.float32), float(rng.choice([0.0, 0.0, 0.1]))
    for index in range(int(num_samples / SAMPLE_RATE / interval) + 1):
        if rng.random() >= misses:
            level = np.float32(0.8 * rng.uniform(0.9, 1.0))
            mix_in(track, np.stack([hit, hit]).astype(np.float32) * level, index * interval)
    return track


def sampled_drums(rng: np.random.Generator, hits: list[Hit], seconds_per_beat: float, num_samples: int) -> np.ndarray:
    """Hits on a kit put together at random."""
    kit = {name: choices[int(rng.integers(len(choices)))] for name, choices in drum_samples().items() if choices}
    gain = {name: float(10.0 ** (rng.normal(0, 3) / 20)) for name in kit}
    pan = {name: 0.0 if name in ("kick", "snare") else float(rng.uniform(-0.5, 0.5)) for name in kit}
    base = {"kick": 1.0, "snare": 0.8, "clap": 0.6}
    kick = synthesised_kick(rng) if rng.random() < 0.45 else None
    track = np.zeros((2, num_samples), np.float32)
    for hit in hits:
        if hit.drum in kit:
            audio = sample(kit[hit.drum][int(rng.integers(len(kit[hit.drum])))])
            if hit.drum == "kick" and kick is not None:
                audio = kick
            peak = float(np.abs(audio).max()) + 1e-6
            level = base.get(hit.drum, 0.35) * gain[hit.drum] * hit.velocity**1.5 / peak
            balance = np.array([[1.0 - max(0.0, pan[hit.drum])], [1.0 + min(0.0, pan[hit.drum])]], np.float32)
            mix_in(track, audio * balance * np.float32(level), hit.start * seconds_per_beat)
    return track
