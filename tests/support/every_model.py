# SPDX-License-Identifier: MIT
"""Every kind of model in each of its latency modes, as small as it gets: what laws of an insert are shown for."""

import functools
from fractions import Fraction
from pathlib import Path

from support import tiny_htdemucs
from support.tiny_mdx import FFT, SEGMENT, build_mdx
from support.tiny_models import build_model
from support.tiny_segment import build_segment
from support.tiny_spleeter import build_spleeter

_SHORT = {"stride_frames": 32, "crossfade_frames": 8}  # half of a window is kept, as in the short ones of real models


def _build_htdemucs(folder: Path, *, name: str, window: int, stems=()) -> Path:
    """One of the two windows of a tiny network, or of one network for each of `stems`."""
    return tiny_htdemucs.build(folder, name, segment=Fraction(1, 2), stems=stems)[window]


# By name: builds the model `folder`/`name` and returns its folder. "live" has the embedded model's sizes, "mix" nearly.
EVERY_MODEL = {
    "live": functools.partial(
        build_model, fft_samples=4096, synthesis_samples=1536, hop_samples=1024,
        frames_per_step=1, lookahead_frames=0, compute_allowance_samples=1024,
    ),
    "mix": functools.partial(
        build_model, fft_samples=2048, synthesis_samples=2048, hop_samples=512,
        frames_per_step=4, lookahead_frames=4, compute_allowance_samples=4096, fade_in=True,
    ),
    "other-rate": functools.partial(build_model, sample_rate=32000, frames_per_step=3),
    "spleeter": build_spleeter,
    "spleeter-short": functools.partial(build_spleeter, **_SHORT),
    "spleeter-average": functools.partial(build_spleeter, mask_extension="average"),
    "spleeter-wiener": functools.partial(build_spleeter, wiener_iterations=1),
    "spleeter-wiener-short": functools.partial(build_spleeter, wiener_iterations=1, **_SHORT),
    "open-unmix": functools.partial(build_spleeter, kind="open-unmix", stride_frames=27),
    "open-unmix-short": functools.partial(build_spleeter, kind="open-unmix", **_SHORT),
    "open-unmix-wiener": functools.partial(
        build_spleeter, kind="open-unmix", stride_frames=30, wiener_iterations=1, wiener_frames=15
    ),
    "open-unmix-wiener-short": functools.partial(build_spleeter, kind="open-unmix", wiener_iterations=1, **_SHORT),
    "mdx": build_mdx,
    "mdx-short": functools.partial(
        build_mdx, stride_samples=(SEGMENT - FFT) // 4, weights='"flat"', crossfade_samples=100, both_signs="true"
    ),
    "segment": build_segment,
    "segment-ramps": functools.partial(build_segment, weights='"ramps"'),
    "htdemucs": functools.partial(_build_htdemucs, window=0),
    "htdemucs-short": functools.partial(_build_htdemucs, window=1),
    "htdemucs-ft": functools.partial(_build_htdemucs, window=1, stems=("vocals", "drums", "bass")),
}  # fmt: skip
