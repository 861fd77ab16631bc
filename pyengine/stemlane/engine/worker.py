# SPDX-License-Identifier: MIT
"""What the engine process calls: one model, one stream. It is the only module the engine executable imports.

Every error leaves as a `StemlaneError` of one line, so that the plugin can show it.
"""

import warnings

import numpy as np

from stemlane.engine import providers
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import EngineError, StemlaneError, StemlaneWarning, one_line


class _OneLineErrors:
    """A context whose errors leave as `StemlaneError`. Not a generator: it is entered with every step."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        if isinstance(error, StemlaneError):
            raise type(error)(one_line(error)) from None
        if isinstance(error, Exception):
            raise EngineError(one_line(error)) from error


_one_line_errors = _OneLineErrors()


class Worker:
    """One model set up for one stream.

    Parameters
    ----------
    model
        A model's name or the path of its folder.
    sample_rate
        The host's rate in Hz.
    num_channels
        1 or 2.
    strides_at_once
        Most strides that may be computed together.

    Attributes
    ----------
    model_rate
        The model's rate in Hz; the three numbers below are samples at this rate.
    stride_samples, delay_samples, compute_allowance_samples
        What the model takes at once, how far its stems trail the mixture, and the time the engine is given.
    strides_at_once
        Most strides that the model computes together.
    says
        What runs, and on what if it is not the processor, or why it is the processor although another was asked for.
    stems, residual
        Names of the stems `process` returns, and of what the mixture holds beside them.
    """

    def __init__(self, model: str, sample_rate: float, num_channels: int, strides_at_once: int = 1):
        with _one_line_errors, warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always", StemlaneWarning)
            self._separator = StreamingSeparator(
                model, sample_rate, num_channels, provider=providers.asked_of_engine(),
                strides_at_once=strides_at_once,
            )  # fmt: skip
        self.strides_at_once = self._separator.strides_at_once
        reasons = [str(warning.message) for warning in found if isinstance(warning.message, StemlaneWarning)]
        for reason in reasons:
            warnings.warn(reason, StemlaneWarning, stacklevel=2)  # into the engine's log
        provider = self._separator.provider
        self.says = f"running model '{model}'" + (f" on {provider}" if provider != providers.CPU else "")
        self.says = "; ".join([self.says, *reasons])
        manifest = self._separator.manifest
        self.model_rate = manifest.sample_rate
        self.stride_samples = manifest.stride_samples
        self.delay_samples = manifest.delay_samples
        self.compute_allowance_samples = manifest.compute_allowance_samples
        self.stems = manifest.separated_stems
        self.residual = manifest.residual

    def process(self, mixture: np.ndarray, focus: np.ndarray | None = None) -> np.ndarray:
        """Take (channels, samples) float32 and the focus of the stems and the residual one, (stems + 1,) in per cent.

        Returns what became known, (stems, channels, samples), C-contiguous. Without a focus the last one stays.
        """
        with _one_line_errors:
            if focus is not None:
                self._separator.set_focus(focus)
            return self._separator.process(mixture)

    def reset(self) -> None:
        """Start again at position 0."""
        with _one_line_errors:
            self._separator.reset()
