# SPDX-License-Identifier: MIT
"""A stream at a model's own rate, in pieces of any length: strides are gathered, and stems begin at position 0."""

from collections.abc import Callable

import numpy as np

from stemlane.engine.frontends.protocols import RecordingFrontEnd, StreamFrontEnd
from stemlane.errors import EngineError

_SILENCE_SAMPLES = 4096


def going_on_in_silence(process: Callable[[np.ndarray], np.ndarray], num_channels: int, num_samples: int) -> np.ndarray:
    """The next `num_samples` (stems, channels, samples) that `process` returns, of (channels, samples) of silence."""
    silence = np.zeros((num_channels, _SILENCE_SAMPLES), np.float32)
    pieces = [process(silence[:, :0])]
    while sum(piece.shape[2] for piece in pieces) < num_samples:
        pieces.append(process(silence))
    return np.concatenate(pieces, axis=2)[:, :, :num_samples]


class ModelStream:
    """Turns a stream in pieces into strides for a front end.

    Parameters
    ----------
    front_end
        What it feeds, owned by the stream from then on.
    name
        The model's, for messages.
    whole
        Whether the input is one recording from start to end; the front end knows what to do with that.

    Attributes
    ----------
    front_end
        What it feeds.
    stems
        Names of the stems that come out: all of the model's but the residual.
    needs_prescan
        Whether the recording should pass through `prescan` before it is separated.
    max_lag_samples
        However the stream is cut: after n samples in, at least n - max_lag_samples have come out.
    """

    def __init__(self, front_end: StreamFrontEnd, name: str, *, whole: bool = False):
        self.front_end = front_end
        self.stems = front_end.stems
        self.max_lag_samples = front_end.delay_samples + front_end.stride_samples
        self._name = name
        self._recording: RecordingFrontEnd | None = front_end if whole else None  # type: ignore[assignment]
        self.needs_prescan = self._recording is not None and self._recording.needs_prescan
        self._strides = np.zeros((2, front_end.strides_at_once * front_end.stride_samples), np.float32)
        self._num_waiting = 0  # samples of the unfinished stride
        self._clear_positions()

    @property
    def knows_end(self) -> bool:
        """Whether the model does what its original does at the end of a recording; otherwise silence follows."""
        return self._recording is not None and self._recording.knows_end

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take the next piece, return the stems that have become known.

        Parameters
        ----------
        mixture
            (2, any number of samples) float32, finite; (1, samples) stands for two equal channels.

        Returns
        -------
        numpy.ndarray
            (stems, 2, samples) float32, the continuation of what earlier calls returned.

        Raises
        ------
        EngineError
            If the network returns something that is not finite.
        """
        stride_samples = self.front_end.stride_samples
        pieces = []
        position = 0
        while position < mixture.shape[1]:
            num_taken = min(self._strides.shape[1] - self._num_waiting, mixture.shape[1] - position)
            filled = self._num_waiting + num_taken
            self._strides[:, self._num_waiting : filled] = mixture[:, position : position + num_taken]
            position += num_taken
            self._num_waiting = filled % stride_samples
            ready = filled - self._num_waiting
            if ready == 0:
                break
            with np.errstate(invalid="ignore", over="ignore"):  # reported just below
                stems = self.front_end.process(self._strides[:, :ready])
            pieces.append(self._checked(stems))
            self._strides[:, : self._num_waiting] = self._strides[:, ready:filled]
        self._num_in += mixture.shape[1]
        self._num_out += sum(piece.shape[2] for piece in pieces)
        if len(pieces) == 1:
            return pieces[0].copy()  # it may be the front end's own
        return np.concatenate(pieces or [np.zeros((len(self.stems), 2, 0), np.float32)], axis=2)

    def prescan(self, mixture: np.ndarray) -> None:
        """Take a piece (1 or 2, samples) of a whole recording ahead of `process`; of a stream, nothing is kept."""
        if self._recording is not None:
            self._recording.prescan(np.ascontiguousarray(np.broadcast_to(mixture, (2, mixture.shape[1]))))

    def finish(self) -> np.ndarray:
        """The rest (stems, 2, samples), so that in all as many samples have come out as went in; then `reset`.

        Silence follows the stream, unless the model knows better what follows a whole recording.
        """
        owed = self._num_in - self._num_out
        if self._recording is not None and self._recording.knows_end:
            return self._checked(self._recording.finish(self._strides[:, : self._num_waiting]))[:, :, :owed]
        return going_on_in_silence(self.process, 2, owed)

    def reset(self) -> None:
        """Start again at position 0 with everything forgotten."""
        self.front_end.reset()
        self._clear_positions()

    def _clear_positions(self) -> None:
        self._num_in = self._num_out = 0
        self._num_waiting = 0
        self._num_to_drop = self.front_end.delay_samples  # what comes first lies before position 0

    def _checked(self, stems: np.ndarray) -> np.ndarray:
        """What the front end returned, finite, without what lies before position 0."""
        if not np.isfinite(stems).all():
            raise EngineError(f"model {self._name!r} returned values that are not finite")
        num_dropped = min(self._num_to_drop, stems.shape[2])
        self._num_to_drop -= num_dropped
        return stems[:, :, num_dropped:]
