# SPDX-License-Identifier: MIT
"""One picture of what a bounce has done: the mixture before, each stem with its fader drawn over it, the bounce after.

Every stem keeps its colour in all rows, the one it has in the plugin's editor.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FFT_SAMPLES = 4096
_NUM_COLUMNS = 900
_RANGE_DB = 70.0
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 16000.0
_NUM_BANDS = 160
_GROUND = (0.047, 0.055, 0.071)
# As colours::stem in plugin/editor/Palette.cpp.
COLOURS = {
    "vocals": "#ff6f91", "drums": "#ffab4a", "bass": "#9b82ff", "guitar": "#57c98a", "piano": "#4fb4ff",
    "other": "#9fb0c3", "accompaniment": "#9fb0c3",
}  # fmt: skip
_SILENT_AT_DB = -60.0  # where a fader's line ends


def column_starts(num_samples: int) -> np.ndarray:
    """First sample of each column of a picture."""
    return np.linspace(0, max(0, num_samples - _FFT_SAMPLES), _NUM_COLUMNS).astype(int)


def band_power(audio: np.ndarray, sample_rate: float) -> np.ndarray:
    """Power, (bands, columns), of (channels, samples) audio: the strongest bin of each band, mean over channels.

    Bands are equally wide in octaves, from 40 Hz to 16 kHz; a sine of full scale in all channels has power 1.
    """
    padded = np.pad(audio, ((0, 0), (0, max(0, _FFT_SAMPLES - audio.shape[1]))))
    window = np.hanning(_FFT_SAMPLES)
    window *= 2 / window.sum()
    frames = np.stack([padded[:, start : start + _FFT_SAMPLES] for start in column_starts(audio.shape[1])], axis=1)
    power = np.square(np.abs(np.fft.rfft(window * frames, axis=2))).mean(axis=0).T
    edges_hz = _LOWEST_HZ * (_HIGHEST_HZ / _LOWEST_HZ) ** (np.arange(_NUM_BANDS + 1) / _NUM_BANDS)
    edges = np.clip(np.rint(edges_hz / sample_rate * _FFT_SAMPLES).astype(int), 1, len(power) - 1)
    bands = [power[low : max(low + 1, high)].max(axis=0) for low, high in pairwise(edges)]
    return np.stack(bands)


def coloured(stems: Mapping[str, np.ndarray], sound: np.ndarray, top: float) -> np.ndarray:
    """Pixels, (bands, columns, 3), as bright as the sound's power and in the colours of the stems that make it up.

    Parameters
    ----------
    stems
        Name to power (bands, columns), after the faders.
    sound
        Power of what is drawn, (bands, columns).
    top
        Power of the brightest pixel; 70 dB below it is the ground.
    """
    from matplotlib.colors import to_rgb

    amplitudes = {name: np.sqrt(power) for name, power in stems.items()}
    total = np.maximum(sum(amplitudes.values(), np.zeros_like(sound)), 1e-12)[..., np.newaxis]
    hue = np.zeros((*sound.shape, 3))
    for name, amplitude in amplitudes.items():
        hue += amplitude[..., np.newaxis] / total * np.array(to_rgb(COLOURS[name]))
    level = 1 + 10 * np.log10(np.maximum(sound, 1e-30) / top) / _RANGE_DB
    light = np.square(np.clip(level, 0, 1))[..., np.newaxis]
    pixels: np.ndarray = np.asarray(_GROUND) * (1 - light) + hue * light
    return pixels


def draw(
    path: Path, title: str, *, sample_rate: float, mixture: np.ndarray, stems: Mapping[str, np.ndarray],
    bounce: np.ndarray, faders_db: Mapping[str, np.ndarray],
) -> None:  # fmt: skip
    """Write the picture as a PNG.

    Parameters
    ----------
    mixture, bounce
        (channels, samples), before and after.
    stems
        Name to (channels, samples), before the faders.
    faders_db
        Name to dB, minus infinity for silence, at evenly spaced times; 0 dB for the stems that are not named.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    power = {name: band_power(stem, sample_rate) for name, stem in stems.items()}
    before, after = band_power(mixture, sample_rate), band_power(bounce, sample_rate)
    top = max(before.max(), after.max(), 1e-12)
    gains = {name: _column_gains(faders_db.get(name, np.zeros(1))) for name in stems}
    heard = {name: power[name] * np.square(gain) for name, gain in gains.items()}
    rows = [("before", coloured(power, before, top)), ("after", coloured(heard, after, top))]
    rows[1:1] = [(name, coloured({name: power[name]}, power[name], top)) for name in stems]

    seconds = mixture.shape[1] / sample_rate
    with matplotlib.rc_context({"axes.facecolor": _GROUND, "font.size": 10}):
        figure, axes = pyplot.subplots(len(rows), 1, figsize=(11, 1.6 * len(rows) + 0.6), sharex=True,
                                       layout="constrained")  # fmt: skip
        for axis, (name, pixels) in zip(axes, rows, strict=True):
            axis.imshow(pixels, origin="lower", aspect="auto", extent=(0, seconds, 0, 1), interpolation="nearest")
            ticks = [_height(hz) for hz in (100, 1000, 10000)]
            axis.set_yticks(ticks, ["100", "1k", "10k"])
            axis.set_ylabel("Hz")
            axis.set_title(name, loc="left", fontweight="bold")
            if name in stems:
                _draw_fader(axis, faders_db.get(name, np.zeros(1)), seconds)
        axes[-1].set_xlabel("seconds")
        figure.suptitle(title)
        figure.savefig(path, dpi=100)
        pyplot.close(figure)


def _height(hz: float) -> float:
    return float(np.log(hz / _LOWEST_HZ) / np.log(_HIGHEST_HZ / _LOWEST_HZ))


def _column_gains(fader_db: np.ndarray) -> np.ndarray:
    gains = 10 ** (np.asarray(fader_db, float) / 20)
    return np.interp(np.linspace(0, 1, _NUM_COLUMNS), np.linspace(0, 1, len(gains)), gains)


def _draw_fader(axis: "Axes", fader_db: np.ndarray, seconds: float) -> None:
    levels = np.maximum(np.asarray(fader_db, float), _SILENT_AT_DB)
    times = np.linspace(0, seconds, max(2, len(levels)))
    scale = axis.twinx()
    scale.plot(times, np.broadcast_to(levels, times.shape) if len(levels) == 1 else levels, color="white", linewidth=2)
    scale.set_ylim(_SILENT_AT_DB - 4, 14)
    scale.set_yticks([_SILENT_AT_DB, -24, 0, 12], ["−∞", "−24", "0", "+12"])
    scale.set_ylabel("fader, dB")
