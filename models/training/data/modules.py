# SPDX-License-Identifier: MIT
"""Electronic songs with known stems: tracker modules of free games, played by libopenmpt with instruments muted.

Needs Debian's package libopenmpt0; the games' packages are downloaded by apt-get and unpacked into the cache
folder, not installed. Run as `python -m models.training.data.modules`.
"""

from __future__ import annotations

import argparse
import ctypes
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import scipy.ndimage
import scipy.signal

from models.training.network.spectral import SAMPLE_RATE

from .material import BASS_CROSSOVER_HZ, split_low
from .packages import unpacked
from .pool import cache_folder, print_each, save_song

# Under the (Lesser) GNU General Public, BSD or zlib licence or in the public domain, as their packages say. Games
# with music from elsewhere, or with versions of other games' tunes, are left out.
PACKAGES = (
    "ironseed-data",
    "pingus-data",
    "tecnoballz-data",
    "pekka-kana-2-data",
    "heroes-sound-tracks",
    "gl-117-data",
    "biniax2-data",
    "flobopuyo",
    "rafkill-data",
    "pachi-data",
    "ri-li-data",
    "open-invaders-data",
    "dodgindiamond2",
    "njam-data",
    "vodovod",
    "bb",
    "gltron",
    "fb-music-high",
    "cuyo-data",
    "ceferino-data",
    "monsterz-data",
    "criticalmass-data",
)
# Heard by nobody in training; kept for measuring.
HELD_OUT = "open-invaders-data"
# What `panel.kicks` measures with: electronic kicks beside basses. No training after `live` 0.5.0 hears them.
KICKS = ("heroes-sound-tracks", "tecnoballz-data")
SUFFIXES = (".mod", ".xm", ".it", ".s3m", ".stm")

STEMS = ("drums", "bass", "other")
LONGEST_SECONDS = 300.0
LOWEST_HZ = 25.0  # samples of eight bits are often off centre: what is below is not heard
EXCERPT_SECONDS = 10.0  # of an instrument alone, the loudest, from which its stem is told
_VOICE = re.compile(r"voice|choir|vocal|vox|speech|\baah|\booh", re.IGNORECASE)


class Module:
    """A tracker module; `render` plays it with some of its instruments.

    Samples are numbered like instruments where a format has no instruments. Raises ValueError if
    libopenmpt cannot read the file.
    """

    def __init__(self, path: Path):
        library = _library()
        self._content = path.read_bytes()
        nothing = (None,) * 7
        self._ext = library.openmpt_module_ext_create_from_memory(self._content, len(self._content), *nothing)
        if not self._ext:
            raise ValueError(f"{path}: not a tracker module that libopenmpt reads; choose another file")
        self._module = library.openmpt_module_ext_get_module(self._ext)
        functions = (ctypes.c_void_p * 16)()
        library.openmpt_module_ext_get_interface(self._ext, b"interactive", functions, ctypes.sizeof(functions))
        mute_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int)
        self._mute = mute_type(functions[12])  # set_instrument_mute_status in libopenmpt_ext.h
        if path.suffix.lower() == ".mod":  # an Amiga's channels are hard left and right
            library.openmpt_module_set_render_param(self._module, 2, 50)
        self.seconds = min(LONGEST_SECONDS, library.openmpt_module_get_duration_seconds(self._module))
        instruments = library.openmpt_module_get_num_instruments(self._module)
        self.count = instruments or library.openmpt_module_get_num_samples(self._module)
        name = library.openmpt_module_get_instrument_name if instruments else library.openmpt_module_get_sample_name
        self.names = [name(self._module, index).decode("latin-1") for index in range(self.count)]

    def __del__(self):
        if getattr(self, "_ext", None):
            _library().openmpt_module_ext_destroy(self._ext)

    def notes(self) -> dict[int, Counter[int]]:
        """How often each instrument plays which note (in semitones), in the order list's patterns."""
        library, module = _library(), self._module
        result: dict[int, Counter[int]] = {}
        for order in range(library.openmpt_module_get_num_orders(module)):
            pattern = library.openmpt_module_get_order_pattern(module, order)
            current: dict[int, int] = {}
            for row in range(library.openmpt_module_get_pattern_num_rows(module, pattern)):
                for channel in range(library.openmpt_module_get_num_channels(module)):
                    note, instrument = (
                        library.openmpt_module_get_pattern_row_channel_command(module, pattern, row, channel, command)
                        for command in (0, 1)
                    )
                    if instrument:
                        current[channel] = instrument - 1
                    if 1 <= note <= 120 and channel in current:
                        result.setdefault(current[channel], Counter())[note] += 1
        return result

    def render(self, instruments: Collection[int]) -> np.ndarray:
        """Float32 (2, samples) with these instruments alone, once through the song."""
        library = _library()
        for index in range(self.count):
            self._mute(self._ext, index, int(index not in instruments))
        library.openmpt_module_set_position_seconds(self._module, 0.0)
        audio = np.zeros((int(self.seconds * SAMPLE_RATE), 2), np.float32)
        position = 0
        while position < len(audio):
            count = library.openmpt_module_read_interleaved_float_stereo(
                self._module, SAMPLE_RATE, min(65536, len(audio) - position), audio[position:].ctypes.data
            )
            if not count:
                break
            position += count
        return np.ascontiguousarray(audio.T)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libopenmpt.so.0")
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    for function, result, arguments in (
        ("ext_create_from_memory", pointer, (ctypes.c_char_p, ctypes.c_size_t, *(pointer,) * 7)),
        ("ext_destroy", None, (pointer,)),
        ("ext_get_module", pointer, (pointer,)),
        ("ext_get_interface", ctypes.c_int, (pointer, ctypes.c_char_p, pointer, ctypes.c_size_t)),
        ("set_render_param", ctypes.c_int, (pointer, ctypes.c_int, number)),
        ("get_duration_seconds", ctypes.c_double, (pointer,)),
        ("set_position_seconds", ctypes.c_double, (pointer, ctypes.c_double)),
        ("get_num_instruments", number, (pointer,)),
        ("get_num_samples", number, (pointer,)),
        ("get_num_orders", number, (pointer,)),
        ("get_num_channels", number, (pointer,)),
        ("get_instrument_name", ctypes.c_char_p, (pointer, number)),
        ("get_sample_name", ctypes.c_char_p, (pointer, number)),
        ("get_order_pattern", number, (pointer, number)),
        ("get_pattern_num_rows", number, (pointer, number)),
        ("get_pattern_row_channel_command", ctypes.c_uint8, (pointer, *(number,) * 3, ctypes.c_int)),
        ("read_interleaved_float_stereo", ctypes.c_size_t, (pointer, number, ctypes.c_size_t, pointer)),
    ):
        entry = getattr(library, "openmpt_module_" + function)
        entry.restype, entry.argtypes = result, arguments
    return library


@dataclass(frozen=True)
class Timbre:
    """What an instrument alone sounds like.

    Attributes
    ----------
    percussive : float
        Share of the energy that a median filter takes for vertical lines of the spectrogram
        (Fitzgerald 2010), 0 to 1.
    low : float
        Share of the energy below BASS_CROSSOVER_HZ, 0 to 1.
    flatness : float
        Geometric over arithmetic mean of the spectrum from 86 Hz to 8.6 kHz: 1 is white noise, 0 a sine.
    lowest_hz : float
        Where the lowest strong partial begins in the median frame, in steps of 11 Hz.
    """

    percussive: float
    low: float
    flatness: float
    lowest_hz: float


def timbre(audio: np.ndarray) -> Timbre | None:
    """Of the loudest seconds of `audio` (2, samples); None if it is silent."""
    mono = audio[0] + 0.7 * audio[1]  # hears what is out of phase as well
    step, length = SAMPLE_RATE // 10, int(EXCERPT_SECONDS * SAMPLE_RATE)
    total = np.concatenate([[0.0], np.cumsum(mono.astype(np.float64) ** 2)])
    starts = np.arange(0, max(1, len(mono) - length), step)
    start = int(starts[np.argmax(total[np.minimum(starts + length, len(mono))] - total[starts])])
    excerpt = mono[start : start + length]
    if len(excerpt) < 4096 or float((excerpt**2).mean()) < 1e-9:
        return None
    hertz, _, spectrum = scipy.signal.stft(excerpt, SAMPLE_RATE, nperseg=4096, noverlap=3072)
    magnitude = np.abs(spectrum).astype(np.float32)
    magnitude[hertz < LOWEST_HZ] = 0.0
    steady = scipy.ndimage.median_filter(magnitude, (1, 17))
    sudden = scipy.ndimage.median_filter(magnitude, (25, 1))
    energy = magnitude**2
    frames = energy.sum(0)
    heard = energy[:, frames > 1e-3 * frames.max()]
    middle = heard[8:800] + 1e-12
    flatness = np.exp(np.log(middle).mean(0)) / middle.mean(0)
    strong = heard > 0.06 * heard.max(0)
    lowest = hertz[strong.argmax(0)]
    return Timbre(
        float(energy[sudden > steady].sum() / energy.sum()),
        float(energy[hertz < BASS_CROSSOVER_HZ].sum() / energy.sum()),
        float(np.average(flatness, weights=heard.sum(0))),
        float(np.median(lowest)),
    )


def stem_of(name: str, notes: Counter[int], sound: Timbre) -> str | None:
    """The stem of an instrument by its name, the notes it plays and its sound alone; None where that is not sure.

    Trackers play drums on one note, or two; whoever plays more is a tune or a chord.
    """
    if _VOICE.search(name):
        return None  # not sung, and not other either
    often = sorted(notes.values(), reverse=True)
    on_one_note = often[0] >= 0.8 * sum(often)
    tuned = len(often) >= 4 and not on_one_note
    if sound.percussive > 0.75 and not (tuned and len(often) > 6):
        return "drums"
    if on_one_note:
        booms = sound.low > 0.6 and sound.percussive > 0.05 and len(often) <= 2
        return "drums" if sound.percussive > 0.5 or sound.flatness > 0.1 or booms else None
    if not tuned or sound.percussive > 0.4 or sound.flatness > 0.1:
        return None
    if sound.lowest_hz < 120.0 and sound.low > 0.25:
        return "bass"
    return "other" if sound.lowest_hz > 140.0 and sound.low < 0.3 else None


def stems_of(module: Module) -> dict[str, list[int]]:
    """The instruments of each stem; those that are none surely, or hardly play, are in none."""
    result: dict[str, list[int]] = {stem: [] for stem in STEMS}
    for instrument, notes in sorted(module.notes().items()):
        if sum(notes.values()) < 4 or instrument >= module.count:
            continue
        sound = timbre(module.render({instrument}))
        stem = stem_of(module.names[instrument], notes, sound) if sound else None
        if stem:
            result[stem].append(instrument)
    return result


def render(path: Path) -> dict[str, np.ndarray] | None:
    """Drums, bass and other (2, samples); what is low in other is bass. None if fewer than two of them sound."""
    module = Module(path)
    instruments = stems_of(module)
    if sum(bool(chosen) for chosen in instruments.values()) < 2:
        return None
    stems = {stem: split_low(module.render(chosen), LOWEST_HZ)[1] for stem, chosen in instruments.items()}
    low, high = split_low(stems["other"], BASS_CROSSOVER_HZ)  # as in the album's songs
    return stems | {"bass": stems["bass"] + low, "other": high}


def files(package: str) -> list[Path]:
    """The modules of a package, in order."""
    return [
        path
        for path in sorted(unpacked(package).rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink()
    ]


def _render_to_pool(job: tuple[str, Path]) -> str:
    package, path = job
    folder = cache_folder() / ("demos" if package == HELD_OUT else "pool/songs")
    song = f"{package.removesuffix('-data')}-{path.stem}"
    target = folder / f"module_{song}"
    if target.exists():
        return target.name
    try:
        stems = render(path)
    except ValueError as error:  # a game's other file of the same suffix
        return str(error)
    if stems is None:
        return f"{target.name}: fewer than two stems, left out"
    peak = max(0.1, float(np.abs(sum(stems.values())).max()))
    save_song(target, {stem: audio * np.float32(0.5 / peak) for stem, audio in stems.items()})
    return target.name


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    jobs = [(package, path) for package in PACKAGES if package not in KICKS for path in files(package)]
    print_each(_render_to_pool, jobs, options.processes)


if __name__ == "__main__":
    main()
