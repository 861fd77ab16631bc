# SPDX-License-Identifier: MIT
"""Spectrograms of a mixture, its stems and a bounce, one above the other, as a PNG."""

from pathlib import Path

import numpy as np

_FFT_SAMPLES = 4096
_NUM_COLUMNS = 900
_RANGE_DB = 80.0


def spectrogram_db(audio: np.ndarray) -> np.ndarray:
    """Power in dB, (bins, columns), of (channels, samples) audio: the mean over channels, Hann window."""
    starts = np.linspace(0, max(0, audio.shape[1] - _FFT_SAMPLES), _NUM_COLUMNS).astype(int)
    padded = np.pad(audio, ((0, 0), (0, max(0, _FFT_SAMPLES - audio.shape[1]))))
    frames = np.stack([padded[:, start : start + _FFT_SAMPLES] for start in starts], axis=1)
    power = np.square(np.abs(np.fft.rfft(np.hanning(_FFT_SAMPLES) * frames, axis=2))).mean(axis=0)
    spectrogram: np.ndarray = 10 * np.log10(power.T + 1e-12)
    return spectrogram


def draw(rows: dict[str, np.ndarray], sample_rate: float, path: str | Path, title: str) -> None:
    """Draw one spectrogram per row, all on one colour scale.

    Parameters
    ----------
    rows
        Title of a row to its audio (channels, samples); all of one length.
    path
        PNG file to write.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pictures = {name: spectrogram_db(audio) for name, audio in rows.items()}
    top = max(picture.max() for picture in pictures.values())
    seconds = next(iter(rows.values())).shape[1] / sample_rate
    figure, axes = pyplot.subplots(len(rows), 1, figsize=(11, 1.9 * len(rows) + 0.8), sharex=True, layout="constrained")
    for axis, (name, picture) in zip(np.atleast_1d(axes), pictures.items(), strict=True):
        image = axis.imshow(picture, origin="lower", aspect="auto", cmap="magma", vmin=top - _RANGE_DB, vmax=top,
                            extent=(0, seconds, 0, sample_rate / 2000))  # fmt: skip
        axis.set_yscale("symlog", linthresh=0.5)
        axis.set_ylim(0.03, sample_rate / 2000)
        axis.set_yticks([0.1, 0.5, 2, 10], ["0.1", "0.5", "2", "10"])
        axis.set_ylabel("kHz")
        axis.set_title(name, loc="left", fontsize=10, fontweight="bold")
    axes_list = np.atleast_1d(axes)
    axes_list[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=axes_list, label="dB", shrink=0.6)
    figure.suptitle(title)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
