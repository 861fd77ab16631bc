# SPDX-License-Identifier: MIT
"""Focus: how sharply a stem is told from the others, with the sum of all stems kept.

A network that masks gives every stem a share m_i of every bin of the mixture. With focus the shares become

    m_i^p_i / sum over all stems j of m_j^p_j,    p_i = 4^((focus_i - 50) / 50).

At 50 % for all they stay as they are. Above it, a stem keeps what is clearly its own and leaves the rest to the others;
below it, it takes what is doubtful. The shares stay between 0 and 1 and add up to 1, the residual stem's included.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.arguments import shown
from stemlane.contract import HIGHEST_FOCUS, NEUTRAL_FOCUS
from stemlane.errors import InputError
from stemlane.manifests.model import Manifest
from stemlane.units import parse_focus

_STEEPEST = 4.0  # the exponent at 100 %; its reciprocal at 0 %


def exponents(focus: np.ndarray) -> np.ndarray:
    """The exponents p of the shares for a focus in percent, float32; what is beyond 0 to 100 counts as the bound.

    >>> exponents(np.array([0.0, 50.0, 100.0]))
    array([0.25, 1.  , 4.  ], dtype=float32)
    """
    percent = np.clip(np.nan_to_num(focus, nan=NEUTRAL_FOCUS), 0.0, HIGHEST_FOCUS)
    powers: np.ndarray = np.power(_STEEPEST, (percent - NEUTRAL_FOCUS) / NEUTRAL_FOCUS)
    return powers.astype(np.float32)


def sharpen(stems: np.ndarray, mixture: np.ndarray, powers: np.ndarray) -> None:
    """Change the spectra of the separated stems in place.

    Parameters
    ----------
    stems
        (stems, channels, frames, bins) complex: shares of the mixture, which they are taken for.
    mixture
        (channels, frames, bins) complex.
    powers
        (frames, stems + 1): `exponents` of the separated stems and of the residual one.
    """
    energy = mixture.real**2 + mixture.imag**2
    shares = np.empty((len(stems) + 1, *mixture.shape), np.float32)
    along = stems.real * mixture.real + stems.imag * mixture.imag
    np.divide(along, energy, out=shares[:-1], where=energy > 0)
    shares[:-1, energy == 0] = 0.0
    np.clip(shares[:-1], 0.0, 1.0, out=shares[:-1])
    shares[-1] = np.maximum(1.0 - shares[:-1].sum(axis=0), 0.0)
    # Not np.power, whose last bit depends on how many frames there are.
    with np.errstate(divide="ignore"):  # the logarithm of no share
        np.log(shares, out=shares)
    shares *= powers.T[:, np.newaxis, :, np.newaxis]
    np.exp(shares, out=shares)
    shares /= shares.sum(
        axis=0
    )  # never zero: the largest share is a sixth at least, and the fourth power of that is some
    np.multiply(shares[:-1], mixture, out=stems)


def model_focus(manifest: Manifest, focus: Mapping[str, float | str]) -> np.ndarray:
    """The focus of a model's stems as an array (stems + 1,) in per cent, the residual one's last.

    Parameters
    ----------
    manifest
        The model.
    focus
        By stem, 0 to 100; 50 changes nothing, and is what stems have that are not named.

    Raises
    ------
    InputError
        If the model has no such stem or takes no focus, or a focus is not a number from 0 to 100.
    """
    names = (*manifest.separated_stems, manifest.residual)
    percent = focus_by_stem(names, focus, f"model {manifest.name!r}")
    if not manifest.takes_focus and not is_neutral(percent):
        raise InputError(f"model {manifest.name!r} takes no focus: leave it out, or take one that comes with Stemlane")
    return np.array(list(percent.values()), np.float32)


def focus_by_stem(names: Sequence[str], focus: Mapping[str, float | str], owner: str) -> dict[str, float]:
    """The focus of each stem of `names` in per cent, 50 for those that `focus` leaves out.

    Raises
    ------
    InputError
        If `owner`, as messages call it, has no such stem, or a focus is not a number from 0 to 100.
    """
    if not isinstance(focus, Mapping):
        raise InputError(f"focus is {shown(focus)}, should be a dictionary such as {{'vocals': 70}}")
    percent = dict.fromkeys(names, NEUTRAL_FOCUS)
    for stem, value in focus.items():
        if stem not in percent:
            raise InputError(f"focus names {shown(stem)}, but {owner} has: {', '.join(names)}")
        percent[stem] = parse_focus(value, stem)
    return percent


def is_neutral(percent: Mapping[str, float]) -> bool:
    """Whether a focus leaves all stems as they are; 0 does not."""
    return set(percent.values()) <= {NEUTRAL_FOCUS}
