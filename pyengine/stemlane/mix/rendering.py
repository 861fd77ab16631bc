# SPDX-License-Identifier: MIT
"""Mixes a recording anew: a gain for every stem, fixed or moving. It runs the same C++ mixer as the plugin."""

import bisect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stemlane.arguments import as_path, is_number, shown
from stemlane.audio_checks import check_mixture, rechunk
from stemlane.contract import STEM_ORDER
from stemlane.errors import InputError
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import find_model
from stemlane.manifests.stem_names import stem_names, stem_of
from stemlane.mix._core import CoreStream
from stemlane.units import linear_gain, parse_gain

BLOCK_SAMPLES = 512
OUTPUT = "output"  # the fader after the sum
Automation = Sequence[Mapping[str, Any]]  # breakpoints, see `GainPlan`; not checked yet


def parse_gain_options(options: Sequence[str]) -> dict[str, str]:
    """Turn ["vocals=-inf", "drums=+3"] into {"vocals": "-inf", "drums": "+3"}."""
    gains = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise InputError(f"--gain {option!r}: should be like vocals=-inf or drums=+3")
        if name.strip() in gains:
            raise InputError(f"--gain {option!r}: {name.strip()} has a gain already; leave one out")
        gains[name.strip()] = value.strip()
    return gains


def read_automation(path: str | Path) -> Automation:
    """The breakpoints in a JSON file: a list of {"time": seconds, "stem": name or "output", "gain_db": number}."""
    try:
        breakpoints: Automation = json.loads(as_path(path, "automation").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8 text'})") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: holds lists in lists without end, should be one list of breakpoints") from None
    return breakpoints


class GainPlan:
    """What every fader does over time.

    Parameters
    ----------
    manifest
        The model; gains may name its stems and "output".
    gains
        Fixed gains in dB by fader; faders not named stay at 0 dB.
    automation
        Breakpoints {"time", "stem", "gain_db"}. Between two, the gain moves linearly in dB; before the first and
        after the last it stays. An automated fader ignores its fixed gain.
    """

    def __init__(self, manifest: Manifest, gains: Mapping[str, float | str] | None, automation: Automation | None):
        self._faders = (*manifest.stems, OUTPUT)
        self._fixed_db: dict[str, float] = {}
        if gains is not None and not isinstance(gains, Mapping):
            raise InputError(f'gains is {shown(gains)}, should be like {{"vocals": "-inf", "drums": 3}}')
        for name, value in (gains or {}).items():
            fader = self._check_fader(name, manifest)
            if fader in self._fixed_db:
                raise InputError(f"{name!r} is another name of {fader!r}, which has a gain already; leave one out")
            self._fixed_db[fader] = parse_gain(value, name)
        points: dict[str, list[tuple[float, float]]] = {}
        if automation is not None and not isinstance(automation, (list, tuple)):
            raise InputError('automation should be a list of {"time": seconds, "stem": name, "gain_db": number}')
        for entry in automation or ():
            if not isinstance(entry, Mapping) or {"time", "stem", "gain_db"} - set(entry):
                raise InputError(
                    f'automation holds {shown(entry)}, should hold {{"time": seconds, "stem": name, "gain_db": number}}'
                )
            name, time = self._check_fader(entry["stem"], manifest), entry["time"]
            if not is_number(time, 0, sys.float_info.max):
                raise InputError(f"automation of {name} has the time {shown(time)}, should be seconds from 0 on")
            points.setdefault(name, []).append((float(time), parse_gain(entry["gain_db"], name)))
        self._curves = {name: sorted(curve, key=lambda point: point[0]) for name, curve in points.items()}

    def _check_fader(self, name: object, manifest: Manifest) -> str:
        fader = stem_of(manifest, name) if isinstance(name, str) else None
        if fader is None or fader not in self._faders:
            known = ", ".join(stem_names(manifest))
            raise InputError(f"model {manifest.name!r} has no stem {shown(name)}, it has: {known}; or output")
        return fader

    def gain_db(self, fader: str, seconds: float) -> float:
        """Gain of one fader at a time."""
        curve = self._curves.get(fader)
        if not curve:
            return self._fixed_db.get(fader, 0.0)
        following = bisect.bisect_right(curve, seconds, key=lambda point: point[0])
        if following == 0 or following == len(curve):
            return curve[max(following - 1, 0)][1]
        (time0, gain0), (time1, gain1) = curve[following - 1], curve[following]
        return gain0 + (gain1 - gain0) * (seconds - time0) / (time1 - time0)

    def linear_gains(self, seconds: float) -> np.ndarray:
        """Factors (6,) by `STEM_ORDER` at a time, the output fader multiplied in."""
        output = linear_gain(self.gain_db(OUTPUT, seconds))
        return np.array([linear_gain(self.gain_db(stem, seconds)) * output for stem in STEM_ORDER], np.float32)


def render_blocks(
    blocks: Iterable[np.ndarray], sample_rate: float, num_channels: int, plan: GainPlan, manifest: Manifest
) -> Iterator[np.ndarray]:
    """Mix a recording that comes in blocks (channels, samples); yields the mix, in all as many samples as came in.

    Gains are set once per 512 samples, to their value at the end of those; the core moves there linearly.
    """
    from stemlane.engine.streaming import StreamingSeparator  # brings onnxruntime, which importing this need not

    separator = StreamingSeparator(manifest, sample_rate, num_channels)
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


def render(
    mixture: np.ndarray,
    sample_rate: float,
    gains: Mapping[str, float | str] | None = None,
    *,
    automation: Automation | str | Path | None = None,
    model: str | Path = "default",
    progress: Callable[[int], None] = lambda num_samples: None,
) -> np.ndarray:
    """Mix one recording anew, as the plugin would.

    Parameters
    ----------
    mixture
        (channels, samples) floating point, one or two channels, finite.
    sample_rate
        In Hz, 8000 to 384000.
    gains
        dB by stem or "output", such as {"vocals": "-inf", "drums": 3.0}; from -60 (silence) to +12, 0 if not named.
    automation
        Breakpoints, or the path of a JSON file with them; see `GainPlan`.
    model
        A model's name or the path of its folder.

    Returns
    -------
    numpy.ndarray
        (channels, samples) float32, as long as the mixture and in time with it.
    """
    mixture = check_mixture(mixture, sample_rate)
    if isinstance(automation, (str, Path)):
        automation = read_automation(automation)
    manifest = find_model(model)
    plan = GainPlan(manifest, gains, automation)
    pieces = []
    for piece in render_blocks([mixture], sample_rate, mixture.shape[0], plan, manifest):
        pieces.append(piece)
        progress(piece.shape[1])
    return np.concatenate(pieces, axis=1)
