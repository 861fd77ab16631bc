# SPDX-License-Identifier: MIT
"""Turns the shared recordings into pool entries: songs at several speeds, processed singing phrases.

Run as `python -m models.training.data.material [--speeds N] [--vocal-tracks N]`; reading and rendering
of scores is left to `render`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pedalboard
import scipy.fft
import soundfile
import soxr

from models.training.network.spectral import SAMPLE_RATE

from .pool import audio_folder, cache_folder, save, save_song
from .withdrawn import is_withdrawn_voice

# In the album's songs synthesiser basses hide in stems filed under other ("PAD + BASS" is 99 % below
# 200 Hz). What lies below this frequency and is not a drum is filed as bass.
BASS_CROSSOVER_HZ = 150.0

# Loops of drums alone, by their names.
DRUM_LOOPS = (
    "loop_breakbeat",
    "loop_compus",
    "loop_industrial",
    "loop_mehackit1",
    "loop_mehackit2",
    "loop_perc1",
    "loop_perc2",
    "loop_tabla",
    "arovane_beat_a",
    "arovane_beat_b",
    "arovane_beat_c",
    "arovane_beat_d",
    "arovane_beat_e",
)


def read_stereo(path: Path, start: int = 0, num_frames: int = -1) -> np.ndarray:
    """Audio file as float32 (2, samples) at 44.1 kHz; from its frame `start` on, `num_frames` of it or all (-1)."""
    audio, rate = soundfile.read(path, num_frames, start, dtype="float32", always_2d=True)
    if rate != SAMPLE_RATE:
        audio = soxr.resample(audio, rate, SAMPLE_RATE)
    audio = audio[:, :2].T
    return np.repeat(audio, 2, axis=0) if audio.shape[0] == 1 else np.ascontiguousarray(audio)


def split_low(audio: np.ndarray, crossover_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Complementary zero-phase split into (below, above)."""
    length = audio.shape[-1]
    padded = scipy.fft.next_fast_len(length, real=True)  # a song of a prime number of samples takes 20 times as long
    frequency = scipy.fft.rfftfreq(padded, 1.0 / SAMPLE_RATE)
    gain = 1.0 / (1.0 + (frequency / crossover_hz) ** 8)
    low = scipy.fft.irfft(scipy.fft.rfft(audio, padded) * gain, padded)[..., :length].astype(np.float32)
    return low, audio - low


def album_song(folder: Path) -> dict[str, np.ndarray]:
    """The four stems of a training song, bass content of `other` moved to `bass`."""
    stems = {path.stem: read_stereo(path) for path in sorted(folder.glob("*.ogg"))}
    length = max(audio.shape[1] for audio in stems.values())
    stems = {name: np.pad(audio, ((0, 0), (0, length - audio.shape[1]))) for name, audio in stems.items()}
    zero = np.zeros((2, length), np.float32)
    low, high = split_low(stems.get("other", zero), BASS_CROSSOVER_HZ)
    return {
        "vocals": stems.get("vocals", zero),
        "drums": stems.get("drums", zero),
        "bass": stems.get("bass", zero) + low,
        "other": high + stems.get("piano", zero),
    }


def band_song(folder: Path) -> dict[str, np.ndarray]:
    """The multitrack without vocals: drums, bass guitar, and guitar, horns and clavinet as other."""
    tracks = {path.stem: read_stereo(path) for path in sorted(folder.glob("*.mp3"))}
    length = min(audio.shape[1] for audio in tracks.values())
    tracks = {name: audio[:, :length] for name, audio in tracks.items()}
    other = tracks["clav"] + tracks["horns"] + tracks["leadguitar"]
    return {"drums": tracks["drums"], "bass": tracks["bassguitar"], "other": other}


def at_speed(audio: np.ndarray, speed: float) -> np.ndarray:
    """Played `speed` times as fast, pitch and tempo together."""
    if speed == 1.0:
        return audio
    return soxr.resample(audio.T, SAMPLE_RATE, SAMPLE_RATE / speed, quality="MQ").T


def training_songs() -> dict[str, Path]:
    """Names and folders; the validation song is not among them."""
    root = audio_folder() / "songs" / "train"
    return {folder.name: folder for folder in sorted(root.iterdir()) if folder.is_dir()}


def make_songs(pool: Path, *, speeds: int, seed: int) -> None:
    """Every training song once as it is and `speeds` - 1 times at random speeds of 0.8 to 1.25."""
    for number, (name, folder) in enumerate(training_songs().items()):
        rng = np.random.default_rng([seed, 1, number])
        played = [1.0] + [float(np.exp(rng.uniform(np.log(0.8), np.log(1.25)))) for _ in range(speeds - 1)]
        targets = [pool / "songs" / f"{name.split('.')[-1].split('_')[0]}_{version}" for version in range(speeds)]
        if all(target.exists() for target in targets):
            continue
        multitrack = folder / "multi-track"
        stems = band_song(multitrack) if multitrack.exists() else album_song(folder)
        for speed, target in zip(played, targets, strict=True):
            if not target.exists():
                save_song(target, {stem: at_speed(audio, speed) for stem, audio in stems.items()})
                print(f"{target.name}: speed {speed:.3f}", flush=True)


def vocal_chain(rng: np.random.Generator, *, gentle: bool = False) -> pedalboard.Pedalboard:
    """A random vocal channel strip; a gentle one has no effects besides a compressor and a room."""
    if gentle:
        return pedalboard.Pedalboard(
            [
                pedalboard.HighpassFilter(80.0),
                pedalboard.Compressor(float(rng.uniform(-26, -16)), 3.0, 5.0, 120.0),
                pedalboard.Reverb(float(rng.uniform(0.1, 0.6)), 0.5, float(rng.uniform(0.03, 0.2)), 0.9, 1.0),
            ]
        )
    chain = [pedalboard.HighpassFilter(float(rng.uniform(60, 160)))]
    if rng.random() < 0.7:
        chain.append(pedalboard.Compressor(float(rng.uniform(-30, -15)), float(rng.uniform(2, 5)), 5.0, 120.0))
    if rng.random() < 0.5:
        chain.append(pedalboard.HighShelfFilter(float(rng.uniform(4000, 9000)), float(rng.uniform(-4, 6))))
    if rng.random() < 0.2:
        chain.append(pedalboard.Distortion(float(rng.uniform(3, 15))))
        chain.append(pedalboard.Gain(-6.0))
    if rng.random() < 0.3:
        chain.append(pedalboard.Chorus(float(rng.uniform(0.3, 1.5)), 0.2, 8.0, 0.0, float(rng.uniform(0.2, 0.5))))
    if rng.random() < 0.5:
        chain.append(
            pedalboard.Delay(
                float(rng.uniform(0.12, 0.5)), float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.08, 0.35))
            )
        )
    if rng.random() < 0.8:
        chain.append(
            pedalboard.Reverb(
                float(rng.uniform(0.2, 0.9)),
                0.5,
                float(rng.uniform(0.05, 0.4)),
                float(rng.uniform(0.6, 1.0)),
                float(rng.uniform(0.5, 1.0)),
            )
        )
    return pedalboard.Pedalboard(chain)


def produced(rng: np.random.Generator, phrase: np.ndarray) -> np.ndarray:
    """A phrase as electronic productions treat it: chopped, gated, reversed, as a telephone, drowned in reverb."""
    if rng.random() < 0.3:  # the same syllable again and again
        length = min(phrase.shape[1], int(rng.uniform(0.12, 0.6) * SAMPLE_RATE))
        start = int(rng.integers(0, phrase.shape[1] - length + 1))
        piece = phrase[:, start : start + length] * np.minimum(1.0, np.arange(length, 0, -1) / 500.0)
        phrase = np.tile(piece, (1, int(rng.integers(2, 9))))
    if rng.random() < 0.1:
        phrase = phrase[:, ::-1]
    if rng.random() < 0.15:
        period = int(rng.uniform(0.1, 0.3) * SAMPLE_RATE)
        phrase = phrase * np.clip(4.0 * np.sin(2 * np.pi * np.arange(phrase.shape[1]) / period) + 2.0, 0.0, 1.0)
    chain = []
    if rng.random() < 0.2:
        chain += [
            pedalboard.HighpassFilter(float(rng.uniform(200, 700))),
            pedalboard.LowpassFilter(float(rng.uniform(1500, 6000))),
        ]
    if rng.random() < 0.1:
        chain.append(pedalboard.Bitcrush(float(rng.uniform(6, 10))))
    if rng.random() < 0.35:
        phrase = np.pad(phrase, ((0, 0), (0, 2 * SAMPLE_RATE)))
        chain.append(
            pedalboard.Reverb(
                float(rng.uniform(0.7, 1.0)), 0.4, float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.1, 0.6)), 1.0
            )
        )
    phrase = np.ascontiguousarray(phrase, dtype=np.float32)
    return pedalboard.Pedalboard(chain)(phrase, SAMPLE_RATE) if chain else phrase


def phrase_files() -> tuple[list[Path], list[Path]]:
    """Sung phrases, and sustained vowels used now and then; the panel's voices are in neither."""
    root = audio_folder() / "vocals"
    sung = [
        path
        for folder in sorted(root.glob("producerspace_*"))
        for path in sorted(folder.rglob("*.ogg"))
        if not is_withdrawn_voice(path)
    ]
    return sung, sorted((root / "olpc_berklee_voices").rglob("*.ogg"))


def make_vocal_track(path: Path, sung: list[Path], rest: list[Path], rng: np.random.Generator) -> None:
    """About two minutes of phrases with pauses, doubled at times, through one channel strip."""
    length = 120 * SAMPLE_RATE
    track = np.zeros((2, length), np.float32)
    speed = float(np.exp(rng.uniform(np.log(0.78), np.log(1.2))))
    electronic = bool(rng.random() < 0.6)
    voices = 1 if rng.random() < 0.5 else int(rng.integers(2, 4))
    for voice in range(voices):
        position = int(rng.uniform(0, 2) * SAMPLE_RATE)
        detune = 1.0 if voice == 0 else float(rng.choice([1.0, 1.06, 1.122, 1.189, 0.89]))
        pan = float(rng.uniform(-0.3, 0.3)) if voice == 0 else float(rng.uniform(-0.9, 0.9))
        level = 1.0 if voice == 0 else float(rng.uniform(0.25, 0.7))
        while position < length:
            files = rest if rest and rng.random() < 0.12 else sung
            phrase = at_speed(read_stereo(files[int(rng.integers(len(files)))]), speed * detune)
            if electronic and rng.random() < 0.6:
                phrase = produced(rng, phrase)
            rms = float(np.sqrt((phrase**2).mean())) + 1e-6
            phrase = phrase * (0.1 / rms) * level * np.float32(10.0 ** (rng.normal(0, 3) / 20))
            phrase = phrase * np.array([[np.sqrt(0.5 - pan / 2)], [np.sqrt(0.5 + pan / 2)]], np.float32)
            stop = min(length, position + phrase.shape[1])
            track[:, position:stop] += phrase[:, : stop - position]
            position = stop + int(rng.exponential(0.8) * SAMPLE_RATE)
    track = vocal_chain(rng)(track, SAMPLE_RATE)
    save(path, track * (0.5 / max(0.5, float(np.abs(track).max()))))


def make_loops(pool: Path, *, seed: int) -> None:
    """Drum loops, repeated to half a minute, each as recorded and twice at another speed."""
    root = audio_folder() / "instruments" / "drums" / "sonicpi_CC0"
    for number, name in enumerate(DRUM_LOOPS):
        rng = np.random.default_rng([seed, 3, number])
        for version in range(3):
            path = pool / "drums" / f"{name}_{version}.npy"
            speed = 1.0 if version == 0 else float(np.exp(rng.uniform(np.log(0.75), np.log(1.35))))
            if not path.exists():
                audio = at_speed(read_stereo(root / f"{name}.ogg"), speed)
                save(path, np.tile(audio, (1, 1 + 30 * SAMPLE_RATE // audio.shape[1])))


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speeds", type=int, default=4)
    parser.add_argument("--vocal-tracks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    pool = cache_folder() / "pool"
    make_songs(pool, speeds=options.speeds, seed=options.seed)
    make_loops(pool, seed=options.seed)
    sung, rest = phrase_files()
    for index in range(options.vocal_tracks):
        path = pool / "vocals" / f"phrases_{index:03d}.npy"
        if not path.exists():
            make_vocal_track(path, sung, rest, np.random.default_rng([options.seed, 2, index]))


if __name__ == "__main__":
    main()
