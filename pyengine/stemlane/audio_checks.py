# SPDX-License-Identifier: MIT
"""What audio can be separated, checked where it enters; and cutting a stream of blocks to another length."""

import os
from collections.abc import Iterable, Iterator

import numpy as np

from stemlane.arguments import is_count, is_number, shown
from stemlane.contract import HIGHEST_RATE, LOWEST_RATE
from stemlane.errors import InputError


def check_stream(sample_rate: float, num_channels: int) -> None:
    """Raise `InputError` unless Stemlane can separate audio of this rate and number of channels."""
    if not is_number(sample_rate, LOWEST_RATE, HIGHEST_RATE):
        raise InputError(f"sample rate is {shown(sample_rate)} Hz, should be from {LOWEST_RATE} to {HIGHEST_RATE}")
    if not is_count(num_channels, 1, 2):
        raise InputError(f"{shown(num_channels)} channels: only mono or stereo can be separated")


def check_block(block: object, num_channels: int, position: int = 0) -> np.ndarray:
    """A block of a stream as float32 (channels, samples), or `InputError` saying what is wrong with it.

    Parameters
    ----------
    position
        Number of its first sample, for the message on one that is not finite.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is named
        samples = as_array(block, np.float32)
    if samples.ndim != 2 or samples.shape[0] != num_channels:
        raise InputError(f"a block has shape {samples.shape}, should be ({num_channels}, samples)")
    check_finite(samples, position)
    return samples


def as_array(audio: object, dtype: type | None = None) -> np.ndarray:
    """What numpy makes of it, or `InputError` where that is nothing.

    A tensor of torch may lie on another device and belong to a computation; its values are copied out of both.
    """
    try:
        if hasattr(audio, "detach") and hasattr(audio, "cpu"):
            audio = audio.detach().cpu()
        return np.asarray(audio, dtype)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise InputError(f"audio is {shown(audio)}, should be an array (channels, samples) of numbers") from None


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
    if isinstance(mixture, (str, os.PathLike)):
        raise InputError(f"mixture is the path {shown(mixture)}, should be an array; separate_file takes paths")
    mixture = as_array(mixture)
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
