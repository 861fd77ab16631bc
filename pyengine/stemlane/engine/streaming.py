# SPDX-License-Identifier: MIT
"""Separates a stream: blocks of any length, at any rate, mono or stereo, to stems that stay aligned.

Resamples to the model's rate and back where the model's frames cannot follow the stream's rate, cuts the stream into
the front end's strides, and keeps the timeline. The result does not depend on how the input was cut into blocks, bit
for bit.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Never

import numpy as np

from stemlane.arguments import check_names, is_count, shown
from stemlane.audio_checks import as_array, check_stream
from stemlane.contract import RESAMPLER_LAGS
from stemlane.engine import provider_choice, providers
from stemlane.engine.frontends import ModelStream, StreamFrontEnd, create_recording, create_stream
from stemlane.engine.frontends.model_stream import going_on_in_silence
from stemlane.errors import InputError
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import check_model, find_model

if TYPE_CHECKING:
    import soxr

_RESAMPLER_QUALITY = "HQ"
_MOST_STRIDES_AT_ONCE = 64


def resampler_lag_samples(rate_in: float, rate_out: float, at_rate: float) -> int:
    """Upper bound on the lag of a stream resampler, in samples at `at_rate`; 0 where the rates are equal.

    What soxr's HQ stream holds back depends on the stages it chooses, never on how it is fed. The tests measure the
    bounds again; the C++ core adds up its latency from the same table.
    """
    if rate_in == rate_out:
        return 0
    low, high = sorted((rate_in, rate_out))
    lag_samples = next(samples for above, below, samples in RESAMPLER_LAGS if above < high / low < below)
    return math.ceil(lag_samples / low * at_rate)


def _resampler(rate_in: float, rate_out: float, num_channels: int) -> "soxr.ResampleStream | None":
    """A stream resampler, or None where the rates are equal."""
    if rate_in == rate_out:
        return None
    import soxr  # only where needed: the engine's start-up time counts

    return soxr.ResampleStream(rate_in, rate_out, num_channels, "float32", _RESAMPLER_QUALITY)


class StreamingSeparator:
    """Separates a stream block by block.

    Parameters
    ----------
    model
        A `Manifest`, a model's name, or the path of its folder.
    sample_rate
        Rate of the stream in Hz, 8000 to 384000.
    num_channels
        1 or 2. Mono is given to the model as equal channels, and the mean of both comes back.
    whole
        The input is one recording from start to end, so the front end may do what its original does and a live stream
        cannot, see `RecordingFrontEnd`.
    shifts
        How many shifted passes of an `htdemucs` model are averaged; 0 for one that is not shifted. Needs `whole`.
    provider
        What computes the networks, see `Separator`.
    strides_at_once
        Most strides of a block that are computed together, 1 to 64, if the model can: the same stems for less work.
        Not of a `whole` recording, where as many are as are of use.

    Attributes
    ----------
    manifest
        The model as it runs at this rate, see `Manifest.at_rate`.
    provider
        What computes the networks: what was asked for, or `cpu` where that does not give the model's known output.
    needs_prescan
        Whether the recording should pass through `prescan` before it is separated.
    stems
        Names of what `process` returns: all stems but the residual, which is the mixture minus their sum.
    strides_at_once
        How many strides of the model are computed together at most.
    max_lag_samples
        However the stream is cut: after n samples in, at least n - max_lag_samples have come out.

    Raises
    ------
    StemlaneError
        If the model cannot be used or the rate or number of channels is not supported.

    Examples
    --------
    >>> stream = StreamingSeparator("live", 44100, 2)
    >>> noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 44100)).astype(np.float32)
    >>> pieces = [stream.process(noise[:, start : start + 4410]) for start in range(0, 44100, 4410)]
    >>> sum(piece.shape[2] for piece in pieces) >= 44100 - stream.max_lag_samples
    True
    >>> np.concatenate([*pieces, stream.finish()], axis=2).shape, stream.stems
    ((3, 2, 44100), ('vocals', 'drums', 'bass'))
    """

    def __init__(
        self,
        model: Manifest | str | Path,
        sample_rate: float,
        num_channels: int,
        *,
        whole: bool = False,
        shifts: int = 0,
        provider: str | None = None,
        strides_at_once: int = 1,
        **unknown: Never,
    ):
        check_names(unknown, ("whole", "shifts", "provider", "strides_at_once"), "StreamingSeparator")
        check_stream(sample_rate, num_channels)
        if not is_count(strides_at_once, 1, _MOST_STRIDES_AT_ONCE):
            raise InputError(f"strides_at_once is {shown(strides_at_once)}, should be 1 to {_MOST_STRIDES_AT_ONCE}")
        found = model if isinstance(model, Manifest) else find_model(model)
        self.manifest = found.at_rate(sample_rate)
        check_model(self.manifest)
        self.provider = provider_choice.choose(found, provider)
        with providers.use(self.provider):
            front_end: StreamFrontEnd = (
                create_recording(self.manifest, shifts=shifts)
                if whole
                else create_stream(self.manifest, strides_at_once=strides_at_once)
            )
        self._model = ModelStream(front_end, self.manifest.name, whole=whole)
        self._is_whole = whole
        self.needs_prescan = self._model.needs_prescan
        self.stems = self._model.stems
        self.strides_at_once = front_end.strides_at_once
        self.sample_rate = sample_rate
        self.num_channels = num_channels
        model_rate = front_end.sample_rate
        self.max_lag_samples = (
            math.ceil(self._model.max_lag_samples * sample_rate / model_rate)
            + resampler_lag_samples(sample_rate, model_rate, sample_rate)
            + resampler_lag_samples(model_rate, sample_rate, sample_rate)
        )
        self._to_model = _resampler(sample_rate, model_rate, num_channels)
        self._to_stream = _resampler(model_rate, sample_rate, len(self.stems) * num_channels)
        self._num_in = self._num_out = 0

    def __repr__(self) -> str:
        stream = f"{self.num_channels} channels at {self.sample_rate:g} Hz"
        return f"StreamingSeparator({self.manifest.name!r}) of {stream}: {', '.join(self.stems)}"

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take the next block, return the stems that have become known.

        Parameters
        ----------
        mixture
            (channels, samples), any number of samples. Samples that are not finite count as zero.

        Returns
        -------
        numpy.ndarray
            (stems, channels, samples) float32, C-contiguous: the continuation, from position 0, of what earlier
            calls returned. Often shorter or longer than the block, or empty.

        Raises
        ------
        EngineError
            If the network returns something that is not finite. `reset` before going on.
        """
        mixture = as_array(mixture, np.float32)
        if mixture.ndim != 2 or mixture.shape[0] != self.num_channels:
            raise InputError(f"mixture has shape {mixture.shape}, should be ({self.num_channels}, samples)")
        self._num_in += mixture.shape[1]
        if not np.isfinite(mixture).all():
            mixture = np.where(np.isfinite(mixture), mixture, np.float32(0))
        stems = self._at_stream_rate(self._model.process(self._at_model_rate(mixture)))
        self._num_out += stems.shape[2]
        return stems

    def set_focus(self, focus: np.ndarray) -> None:
        """Set how sharply stems are told apart from here on; see `Separator`. It stays over a `reset`.

        Parameters
        ----------
        focus
            (stems + 1,), 0 to 100 %: of each of `stems`, then of the residual one. Models of other kinds than
            `streaming` do without.
        """
        self._model.front_end.set_focus(focus)

    def prescan(self, blocks: Iterable[np.ndarray]) -> None:
        """Pass the whole recording, in blocks (channels, samples), ahead of `process`, if `needs_prescan`."""
        self.reset()
        if not self._is_whole:
            return
        for block in blocks:
            self.prescan_block(block)
        if self._to_model is not None:
            nothing = np.zeros((self.num_channels, 0), np.float32)
            self._model.prescan(self._at_model_rate(nothing, last=True))
            self._to_model.clear()

    def prescan_block(self, block: np.ndarray) -> None:
        """Pass one block (channels, samples) of a recording, after a `reset`."""
        if self._is_whole:
            self._model.prescan(self._at_model_rate(np.asarray(block, np.float32)))

    def finish(self) -> np.ndarray:
        """Return the rest, so that in all as many samples have come out as went in. `reset` before going on.

        The stream is continued with silence, as a host does at the end of a bounce, unless the front end of a whole
        recording knows better.

        Returns
        -------
        numpy.ndarray
            (stems, channels, samples) float32.
        """
        owed = self._num_in - self._num_out
        if self._model.knows_end:
            return self._finish_recording(owed)
        return going_on_in_silence(self.process, self.num_channels, owed)

    def reset(self) -> None:
        """Start again at position 0 with everything forgotten."""
        self._model.reset()
        if self._to_model is not None:
            self._to_model.clear()
        if self._to_stream is not None:
            self._to_stream.clear()
        self._num_in = self._num_out = 0

    def _finish_recording(self, num_samples: int) -> np.ndarray:
        """The last `num_samples` of the stems, of a model that knows how a recording ends."""
        nothing = np.zeros((self.num_channels, 0), np.float32)
        first = self._model.process(self._at_model_rate(nothing, last=True))
        last = self._model.finish()
        if first.shape[2]:
            last = np.concatenate([first, last], axis=2)
        rest = self._at_stream_rate(last, last=True)[:, :, :num_samples]
        if rest.shape[2] < num_samples:  # two resamplers may end one sample short
            rest = np.pad(rest, ((0, 0), (0, 0), (0, num_samples - rest.shape[2])))
        return np.ascontiguousarray(rest)

    def _at_model_rate(self, mixture: np.ndarray, *, last: bool = False) -> np.ndarray:
        """(channels, samples) of the stream continued at the model's rate."""
        if self._to_model is None:
            return mixture
        resampled: np.ndarray = self._to_model.resample_chunk(np.ascontiguousarray(mixture.T), last=last)
        return resampled.T

    def _at_stream_rate(self, stems: np.ndarray, *, last: bool = False) -> np.ndarray:
        """(stems, 2, samples) of the model continued at the stream's rate, (stems, channels, samples)."""
        if self.num_channels == 1:
            stems = stems.mean(axis=1, keepdims=True)
        if self._to_stream is None:
            return stems
        interleaved = np.ascontiguousarray(stems.reshape(len(self.stems) * self.num_channels, stems.shape[2]).T)
        resampled = self._to_stream.resample_chunk(interleaved, last=last)
        return np.ascontiguousarray(resampled.T).reshape(len(self.stems), self.num_channels, len(resampled))
