# SPDX-License-Identifier: MIT
"""What the engine needs of a model, whatever its kind: in a live stream, and over a whole recording."""

from typing import Protocol

import numpy as np


class StreamFrontEnd(Protocol):
    """A processor of fixed stride and delay at the model's rate.

    Attributes
    ----------
    stems
        Names of the stems it returns: all of the model's but the residual, in manifest order.
    sample_rate
        The rate it runs at in Hz: the model's, or the stream's if its frames follow that.
    stride_samples
        Samples of a stride. It takes and returns one a call, or up to `strides_at_once`.
    strides_at_once
        Most strides per call, with the same stems as one by one.
    delay_samples
        Samples by which what it returns trails what it took.
    """

    stems: tuple[str, ...]
    sample_rate: float
    stride_samples: int
    delay_samples: int
    strides_at_once: int = 1

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take the next stride of the mixture, or several, return as much of the stems.

        Parameters
        ----------
        mixture
            (2, n * stride_samples) float32, finite; n is 1 to `strides_at_once`.

        Returns
        -------
        numpy.ndarray
            (stems, 2, n * stride_samples) float32. Stride k (from 0) covers the positions
            [k * stride - delay, (k + 1) * stride - delay) of the mixture.
        """
        ...

    def set_focus(self, focus: np.ndarray) -> None:
        """Set how sharply stems are told apart from the next stride on, if the model takes a focus.

        Parameters
        ----------
        focus
            (stems + 1,) percent: of each stem it returns, then of the residual one, see `spectral.focus`.
        """
        del focus  # the default has no masks to sharpen

    def reset(self) -> None:
        """Forget everything heard so far. The focus stays."""
        ...


class RecordingFrontEnd(StreamFrontEnd, Protocol):
    """A front end for one recording from its start to its end, which may do what its original does there.

    The defaults treat a recording as a stream that goes on in silence.

    Attributes
    ----------
    needs_prescan
        Whether the recording passes through `prescan` first.
    knows_end
        Whether `finish` does what the original does at the end; otherwise silence follows.
    """

    needs_prescan: bool = False
    knows_end: bool = False

    def prescan(self, mixture: np.ndarray) -> None:
        """Take a piece (2, any number of samples) of the recording ahead of `process`; `reset` forgets it."""
        del mixture  # the default keeps nothing

    def finish(self, rest: np.ndarray) -> np.ndarray:
        """Take what follows the last stride, return all stems still owed.

        Parameters
        ----------
        rest
            (2, fewer than a stride) float32.

        Returns
        -------
        numpy.ndarray
            (stems, 2, samples) float32, from where `process` ended to the recording's end.
        """
        raise TypeError(f"{type(self).__name__} does not know how a recording ends, it was handed {rest.shape}")
