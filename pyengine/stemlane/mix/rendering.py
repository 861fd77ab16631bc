# SPDX-License-Identifier: MIT
"""Remixes a recording with a gain per stem, fixed or moving. It runs the same C++ mixer as the plugin."""

import bisect
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stemlane.arguments import is_number, near_miss, shown
from stemlane.audio_checks import check_mixture, rechunk
from stemlane.contract import SILENT_DB, STEM_ORDER
from stemlane.errors import InputError
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import find_model
from stemlane.manifests.stem_names import stem_names, stem_of
from stemlane.mix._core import CoreStream
from stemlane.mix.automation import SHAPES, Automation, read_automation
from stemlane.mix.faders import OUTPUT
from stemlane.units import linear_gain, parse_gain

BLOCK_SAMPLES = 512


class _Point(NamedTuple):
    seconds: float
    gain_db: float
    shape: str


class GainPlan:
    """What every fader does over time.

    Parameters
    ----------
    manifest
        The model, or the names of stems that are there already; gains may name its stems and "output".
    gains
        Fixed gains in dB by fader; faders not named stay at 0 dB.
    automation
        Breakpoints {"time", "stem", "gain_db"} and, where wanted, "shape", which says how the gain moves on from
        there to the next: "linear" in dB, which is the usual, "stepped" (it stays, and is the next one's from there
        on) or "amplitude", a straight line of the factor. Before the first and after the last it stays. Of two at one
        time, the later in the list counts. An automated fader ignores its fixed gain.
    """

    def __init__(
        self, manifest: Manifest | Sequence[str], gains: Mapping[str, float | str] | None,
        automation: Automation | None,
    ):  # fmt: skip
        self._faders = (*(manifest.stems if isinstance(manifest, Manifest) else manifest), OUTPUT)
        self._fixed_db: dict[str, float] = {}
        if gains is not None and not isinstance(gains, Mapping):
            raise InputError(f'gains is {shown(gains)}, should be like {{"vocals": "-inf", "drums": 3}}')
        for name, value in (gains or {}).items():
            fader = self._check_fader(name, manifest)
            if fader in self._fixed_db:
                raise InputError(f"{name!r} is another name of {fader!r}, which has a gain already; leave one out")
            self._fixed_db[fader] = parse_gain(value, name)
        points: dict[str, list[_Point]] = {}
        if automation is not None and not isinstance(automation, (list, tuple)):
            raise InputError('automation should be a list of {"time": seconds, "stem": name, "gain_db": number}')
        for entry in automation or ():
            if not isinstance(entry, Mapping) or {"time", "stem", "gain_db"} - set(entry):
                raise InputError(
                    f'automation holds {shown(entry)}, should hold {{"time": seconds, "stem": name, "gain_db": number}}'
                )
            if unknown := set(entry) - {"time", "stem", "gain_db", "shape"}:
                raise InputError(
                    f"automation has {shown(min(unknown, key=str))}, "
                    "should have time, stem, gain_db and, where wanted, shape"
                )
            name, time = self._check_fader(entry["stem"], manifest), entry["time"]
            if not is_number(time, 0, sys.float_info.max):
                raise InputError(f"automation of {name} has the time {shown(time)}, should be seconds from 0 on")
            shape = entry.get("shape", "linear")
            if shape not in SHAPES:
                raise InputError(
                    f"automation of {name} has the shape {shown(shape)}, should be one of: {', '.join(SHAPES)}"
                )
            points.setdefault(name, []).append(_Point(float(time), parse_gain(entry["gain_db"], name), shape))
        self._curves = {name: sorted(curve, key=lambda point: point.seconds) for name, curve in points.items()}

    def _check_fader(self, name: object, manifest: Manifest | Sequence[str]) -> str:
        if isinstance(manifest, Manifest):
            fader = stem_of(manifest, name) if isinstance(name, str) else None
            owner, names = f"model {manifest.name!r}", stem_names(manifest)
        else:
            fader, owner, names = name if isinstance(name, str) else None, "the stem file", tuple(manifest)
        if fader is None or fader not in self._faders:
            near = near_miss(name, [*names, "output"]) if isinstance(name, str) else ""
            there = f"{near} It has" if near else ", it has"
            raise InputError(f"{owner} has no stem {shown(name)}{there}: {', '.join(names)}; or output")
        return fader

    def gain_db(self, fader: str, seconds: float) -> float:
        """Gain of one fader at a time."""
        curve = self._curves.get(fader)
        if not curve:
            return self._fixed_db.get(fader, 0.0)
        following = bisect.bisect_right(curve, seconds, key=lambda point: point.seconds)
        if following == 0 or following == len(curve):
            return curve[max(following - 1, 0)].gain_db
        return _between(curve[following - 1], curve[following], seconds)

    def linear_gains(self, seconds: float, stems: Sequence[str] = STEM_ORDER) -> np.ndarray:
        """Factors of `stems` at a time, float32, the output fader multiplied in."""
        output = linear_gain(self.gain_db(OUTPUT, seconds))
        return np.array([linear_gain(self.gain_db(stem, seconds)) * output for stem in stems], np.float32)


def _between(before: _Point, after: _Point, seconds: float) -> float:
    """Gain in dB at a time from one point's on, before the next one's."""
    if before.shape == "stepped":
        return before.gain_db
    share = (seconds - before.seconds) / (after.seconds - before.seconds)
    if before.shape == "linear":
        return before.gain_db + (after.gain_db - before.gain_db) * share
    factor = (1 - share) * linear_gain(before.gain_db) + share * linear_gain(after.gain_db)
    return max(20 * math.log10(factor), SILENT_DB) if factor > 0 else SILENT_DB


def render_blocks(
    blocks: Iterable[np.ndarray], sample_rate: float, num_channels: int, plan: GainPlan, manifest: Manifest,
    focus: Mapping[str, float | str] | None = None,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Mix a recording that comes in blocks (channels, samples); yields the mix, in all as many samples as came in.

    Gains are set once per 512 samples, to their value at the end of those; the core moves there linearly.
    """
    from stemlane.engine.spectral.focus import model_focus
    from stemlane.engine.streaming import StreamingSeparator  # brings onnxruntime, which importing this need not

    percent = model_focus(manifest, {} if focus is None else focus)
    separator = StreamingSeparator(manifest, sample_rate, num_channels)
    separator.set_focus(percent)
    core = CoreStream(manifest, sample_rate, num_channels, BLOCK_SAMPLES)
    num_in = num_out = position = 0

    def continued() -> Iterator[np.ndarray]:
        nonlocal num_in
        for block in rechunk(blocks, BLOCK_SAMPLES):
            num_in += block.shape[1]
            yield block
        num_left = core.latency_samples  # silence behind the end pushes the rest out
        while num_left > 0:
            yield np.zeros((num_channels, min(num_left, BLOCK_SAMPLES)), np.float32)
            num_left -= BLOCK_SAMPLES

    for block in continued():
        position += block.shape[1]
        core.push(block, plan.linear_gains(position / sample_rate))
        core.put_stems(separator.process(block))
        mix = core.pull(block.shape[1])
        early = min(max(core.latency_samples - num_out, 0), mix.shape[1])  # what lies before the recording
        num_out += mix.shape[1]
        if early < mix.shape[1]:
            yield mix[:, early:]


def mix_blocks(
    blocks: Iterable[np.ndarray], sample_rate: float, plan: GainPlan, stems: Sequence[str]
) -> Iterator[np.ndarray]:
    """Mix stems that are there already: blocks (stems, channels, samples) become blocks (channels, samples).

    Gains are set and reached as in `render_blocks`.
    """
    position, before = 0, plan.linear_gains(0, stems)
    for block in rechunk(blocks, BLOCK_SAMPLES):
        num_samples = block.shape[2]
        position += num_samples
        after = plan.linear_gains(position / sample_rate, stems)
        moved = np.arange(1, num_samples + 1, dtype=np.float32) / num_samples
        yield np.einsum("sct,st->ct", block, before[:, None] + (after - before)[:, None] * moved)
        before = after


def render(
    mixture: np.ndarray,
    sample_rate: float,
    gains: Mapping[str, float | str] | None = None,
    *,
    automation: Automation | str | Path | None = None,
    focus: Mapping[str, float | str] | None = None,
    model: str | Path = "default",
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Remix one recording, as the plugin would.

    Parameters
    ----------
    mixture, sample_rate
        A recording (channels, samples) and its rate in Hz, as `Separator.separate` takes them.
    gains
        dB by stem or "output", such as {"vocals": "-inf", "drums": 3.0}; from -60 (silence) to +12, 0 if not named.
    automation
        Breakpoints, see `GainPlan`, or the path of a file with them, see `stemlane.mix.automation.read_automation`.
    focus
        How sharply stems are told apart, see `Separator`.
    model
        A model's name or the path of its folder.
    progress
        As that of `Separator.separate`; an exception it raises cancels the work.

    Returns
    -------
    numpy.ndarray
        (channels, samples) float32, as long as the mixture and in time with it.

    Examples
    --------
    >>> mixture = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 44100)).astype(np.float32)
    >>> karaoke = render(mixture, 44100, {"vocals": "-inf"}, model="live")
    >>> karaoke.shape, bool(np.array_equal(render(mixture, 44100, model="live"), mixture))
    ((2, 44100), True)
    """
    mixture = check_mixture(mixture, sample_rate)
    if isinstance(automation, (str, Path)):
        automation = read_automation(automation)
    manifest = find_model(model)
    plan = GainPlan(manifest, gains, automation)
    pieces = []
    for piece in render_blocks([mixture], sample_rate, mixture.shape[0], plan, manifest, focus):
        pieces.append(piece)
        if progress:
            progress(piece.shape[1])
    return np.concatenate(pieces, axis=1)
