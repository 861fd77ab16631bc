# SPDX-License-Identifier: MIT
"""One front end per kind of model, with one interface: a processor of fixed stride and delay at the model's rate."""

from typing import Protocol

import numpy as np

from stemlane.engine.session import available_threads
from stemlane.errors import InputError
from stemlane.manifests.manifest import Manifest


class FrontEnd(Protocol):
    """What `streaming` needs of a model, whatever its kind.

    Some originals look at a whole recording. Their front ends have some of three more members, which are used where a
    recording is separated as a whole and ignored in a live stream:

    - `lead_samples`: zeros, fewer than a stride, that are thought to stand before sample 0, so that segments lie where
      the original's lie;
    - `learn(mixture)`: takes the whole recording beforehand, in pieces (2, any number of samples); `reset` forgets it;
    - `finish(rest)`: takes the samples after the last stride, (2, fewer than a stride), lead included if there was no
      stride, and returns all stems still owed, (stems, 2, samples) from where `process` ended to the recording's end.

    Attributes
    ----------
    stems
        Names of the stems it returns: all of the model's but the residual, in manifest order.
    sample_rate
        The model's rate in Hz.
    stride_samples
        Samples it takes and returns per call.
    delay_samples
        Samples by which what it returns trails what it took.
    """

    stems: tuple[str, ...]
    sample_rate: int
    stride_samples: int
    delay_samples: int

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take the next stride of the mixture, return the next stride of the stems.

        Parameters
        ----------
        mixture
            (2, stride_samples) float32, finite.

        Returns
        -------
        numpy.ndarray
            (stems, 2, stride_samples) float32. Call k (from 0) covers the positions
            [k * stride - delay, (k + 1) * stride - delay) of the mixture.
        """

    def reset(self) -> None:
        """Forget everything heard so far."""


def create_front_end(manifest: Manifest, *, whole: bool = False, shifts: int = 0) -> FrontEnd:
    """Load the network of a model whose files have been verified; `whole` and `shifts` as in `StreamingSeparator`."""
    if manifest.kind == "htdemucs":
        from stemlane.engine.frontends.htdemucs import HtdemucsFrontEnd

        return HtdemucsFrontEnd(manifest, whole=whole, shifts=shifts)
    if shifts:
        raise InputError(f"model {manifest.name!r} cannot be shifted: leave shifts out, or take an htdemucs model")
    if manifest.kind == "streaming":
        from stemlane.engine.frontends.streaming import StreamingFrontEnd

        return StreamingFrontEnd(manifest)
    # A live stream shares the machine with others, a file does not.
    threads = available_threads() if whole else 1
    if manifest.kind == "spleeter" and manifest.settings.wiener_iterations:
        from stemlane.engine.frontends.spleeter_wiener import SpleeterWienerFrontEnd

        return SpleeterWienerFrontEnd(manifest, threads=threads)
    if manifest.kind == "spleeter":
        from stemlane.engine.frontends.masked_segments import MaskedSegmentFrontEnd

        return MaskedSegmentFrontEnd(manifest, threads=threads)
    if manifest.kind == "open-unmix":
        from stemlane.engine.frontends.open_unmix import OpenUnmixFrontEnd

        return OpenUnmixFrontEnd(manifest, threads=threads)
    if manifest.kind == "mdx":
        from stemlane.engine.frontends.mdx import MdxFrontEnd

        return MdxFrontEnd(manifest, whole=whole, threads=threads)
    raise AssertionError(f"manifest.py accepted the kind {manifest.kind!r} without a front end")
