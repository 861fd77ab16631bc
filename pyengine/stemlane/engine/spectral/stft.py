# SPDX-License-Identifier: MIT
"""Short-time Fourier analysis and synthesis with a low-delay window pair, a few frames per call.

The synthesis window covers only the last `synthesis_samples` of a frame, so that the delay is set by it and
the resolution by the longer analysis window. What happens to the spectra is the front end's business.
"""

from typing import TYPE_CHECKING

import numpy as np

from stemlane.engine.spectral.overlap_add import OverlapAdd

if TYPE_CHECKING:
    import numpy.typing as npt


def hann(num_samples: int) -> np.ndarray:
    """Periodic Hann window, which overlap-adds exactly (the symmetric one does not)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(num_samples) / num_samples)


def fade_samples(synthesis_samples: int, hop_samples: int) -> int:
    """Length of either slope of the windows' product: half of it, or less where frames overlap by less."""
    return min(synthesis_samples // 2, synthesis_samples - hop_samples)


def analysis_window(fft_samples: int, synthesis_samples: int, hop_samples: int) -> np.ndarray:
    """Analysis window h of Mauler and Martin (2007), eq. 8, with K = `fft_samples` and M = `fade_samples`.

    D. Mauler, R. Martin: A low delay, variable resolution, perfect reconstruction spectral
    analysis-synthesis system for speech enhancement. EUSIPCO 2007.

    A long rise (K - M samples) and a short fall (M samples), both halves of square-rooted Hann windows.
    For `synthesis_samples` = `fft_samples` it is the usual square-root Hann window.

    Returns
    -------
    numpy.ndarray
        (fft_samples,) float64.
    """
    fade = fade_samples(synthesis_samples, hop_samples)
    window = np.empty(fft_samples)
    rise = fft_samples - fade
    window[:rise] = np.sqrt(hann(2 * rise)[:rise])
    window[rise:] = np.sqrt(hann(2 * fade)[fade:])
    return window


def synthesis_window(fft_samples: int, synthesis_samples: int, hop_samples: int) -> np.ndarray:
    """Synthesis window f of Mauler and Martin (2007), scaled for `hop_samples`.

    f h covers the last `synthesis_samples` of the frame and is zero before: half a Hann window up over
    `fade_samples`, level, and down again; a Hann window where the fades meet, as in the paper. Such windows, one
    every hop, add up to (synthesis_samples - fade) / hop_samples; f is divided by that.

    Returns
    -------
    numpy.ndarray
        (fft_samples,) float64.
    """
    fade = fade_samples(synthesis_samples, hop_samples)
    window = np.zeros(fft_samples)
    rise = fft_samples - fade
    start = fft_samples - synthesis_samples
    product = np.ones(synthesis_samples)
    product[:fade], product[synthesis_samples - fade :] = np.split(hann(2 * fade), 2)
    # Where the analysis window is zero (only at n = 0, and only if both windows start there) the product is too.
    divisor = np.sqrt(hann(2 * rise)[start:rise])
    np.divide(product[: synthesis_samples - fade], divisor, out=window[start:rise], where=divisor > 0)
    window[rise:] = np.sqrt(product[synthesis_samples - fade :])
    return window * (hop_samples / (synthesis_samples - fade))


class StftAnalysis:
    """Turns a stream of samples into frames. Frame k ends with sample (k + 1) hop - 1; before sample 0 all is zero.

    Parameters
    ----------
    window
        (fft_samples,), such as `analysis_window` gives.
    num_channels
        Channels analysed side by side.
    num_frames
        Most frames per call; a call takes hop_samples new samples for each of its frames.
    dtype
        float32, or float64 for reference computations.
    """

    def __init__(
        self,
        window: np.ndarray,
        *,
        hop_samples: int,
        num_channels: int,
        num_frames: int,
        dtype: "npt.DTypeLike" = np.float32,
    ):
        fft_samples = len(window)
        self._window = window.astype(dtype)
        self._hop_samples = hop_samples
        self._history = np.zeros((num_channels, fft_samples + (num_frames - 1) * hop_samples), dtype)
        self._frames = np.lib.stride_tricks.sliding_window_view(self._history, fft_samples, axis=1)[:, ::hop_samples]

    def process(self, samples: np.ndarray) -> np.ndarray:
        """Spectra of the next frames, `numpy.fft.rfft(h * frame)`, not normalised.

        Parameters
        ----------
        samples
            (channels, frames * hop).

        Returns
        -------
        numpy.ndarray
            (channels, frames, bins) complex.
        """
        num_new = samples.shape[1]
        kept = self._history.shape[1] - num_new
        self._history[:, :kept] = self._history[:, num_new:]
        self._history[:, kept:] = samples
        return np.fft.rfft(self._frames[:, -num_new // self._hop_samples :] * self._window, axis=-1)

    def reset(self) -> None:
        """Forget all samples."""
        self._history.fill(0)


class StftSynthesis:
    """Turns frames back into samples. What a call returns ends `synthesis_samples - hop_samples` before its last frame.

    Parameters
    ----------
    window
        (fft_samples,), such as `synthesis_window` gives; zero before its last `synthesis_samples`.
    lead_shape
        Leading dimensions, such as (stems, channels).
    num_frames
        Most frames per call; a call returns hop_samples samples for each of its frames.
    """

    def __init__(
        self,
        window: np.ndarray,
        *,
        synthesis_samples: int,
        hop_samples: int,
        lead_shape: tuple[int, ...],
        num_frames: int,
        dtype: "npt.DTypeLike" = np.float32,
    ):
        self._window = window[-synthesis_samples:].astype(dtype)
        self._fft_samples = len(window)
        self._hop_samples = hop_samples
        self._sum = OverlapAdd(lead_shape, (num_frames - 1) * hop_samples + synthesis_samples, dtype)

    def process(self, spectra: np.ndarray) -> np.ndarray:
        """The next samples that no later frame can change.

        Parameters
        ----------
        spectra
            (*lead_shape, frames, bins) complex.

        Returns
        -------
        numpy.ndarray
            (*lead_shape, frames * hop).
        """
        synthesis_samples = len(self._window)
        pieces = np.fft.irfft(spectra, self._fft_samples, axis=-1)[..., -synthesis_samples:] * self._window
        num_frames = spectra.shape[-2]
        for frame in range(num_frames):
            self._sum.add(pieces[..., frame, :], frame * self._hop_samples)
        return self._sum.take(num_frames * self._hop_samples)

    def reset(self) -> None:
        """Forget all frames."""
        self._sum.reset()
