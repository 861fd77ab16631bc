# SPDX-License-Identifier: MIT
"""What audio can be separated, checked where it enters; and cutting a stream of blocks to another length."""

from collections.abc import Iterable, Iterator

import numpy as np

from stemlane.contract import HIGHEST_RATE, LOWEST_RATE
from stemlane.errors import InputError


def check_stream(sample_rate: float, num_channels: int) -> None:
    """Raise `InputError` unless Stemlane can separate audio of this rate and number of channels."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise InputError(f"sample rate is {sample_rate} Hz, should be from {LOWEST_RATE} to {HIGHEST_RATE}")
    if num_channels not in (1, 2):
        raise InputError(f"{num_channels} channels: only mono or stereo can be separated")


def check_finite(block: np.ndarray, position: int = 0) -> None:
    """Raise `InputError` naming the first sample that is not finite of (channels, samples) from `position` on."""
    finite = np.isfinite(block)
    if not finite.all():
        sample = int(np.argmin(finite.all(axis=0)))
        channel = int(np.argmin(finite[:, sample]))
        raise InputError(
            f"sample {position + sample} of channel {channel} is {block[channel, sample]}; repair the recording first"
        )


def check_mixture(mixture: np.ndarray, sample_rate: float) -> np.ndarray:
    """The recording as float32 (channels, samples), or `InputError` saying what is wrong with it."""
    mixture = np.asarray(mixture)
    if mixture.ndim != 2:
        raise InputError(f"mixture has shape {mixture.shape}, should be (channels, samples)")
    if not np.issubdtype(mixture.dtype, np.floating):
        raise InputError(f"mixture is of type {mixture.dtype}, should be floating point with full scale at 1.0")
    if mixture.shape[0] > 2 and mixture.shape[1] in (1, 2):
        raise InputError(f"mixture has shape {mixture.shape}, should be (channels, samples): pass its transpose")
    check_stream(sample_rate, mixture.shape[0])
    if mixture.shape[1] == 0:
        raise InputError("mixture has 0 samples")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is named below
        mixture = mixture.astype(np.float32, copy=False)
    check_finite(mixture)
    return mixture


def rechunk(blocks: Iterable[np.ndarray], num_samples: int) -> Iterator[np.ndarray]:
    """Cut a stream of (..., samples) into blocks of `num_samples`, the last one shorter."""
    waiting = None
    for block in blocks:
        waiting = block if waiting is None or not waiting.shape[-1] else np.concatenate([waiting, block], axis=-1)
        while waiting.shape[-1] >= num_samples:
            yield waiting[..., :num_samples]
            waiting = waiting[..., num_samples:]
    if waiting is not None and waiting.shape[-1]:
        yield waiting
