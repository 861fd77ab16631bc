# SPDX-License-Identifier: MIT
"""What `Separator.separate` returns: a dictionary of arrays, which notebooks show with players and pictures."""

import base64
import html
import io
import wave
from collections.abc import Iterable

import numpy as np

# Of what a notebook keeps in its file: the beginning, in mono, as small as still tells stems apart.
_PREVIEW_SECONDS = 15.0
_PREVIEW_HZ = 16_000
_MOST_PLAYERS = 8
_POINTS = 400  # of a picture
_WIDTH, _HEIGHT = 400, 40  # pixels


class Stems(dict[str, np.ndarray]):
    """The stems of a recording by name: (channels, samples) float32, of the recording's shape.

    An ordinary dictionary, except that notebooks show it with a picture of each stem and a player for its first 15 s.

    Attributes
    ----------
    sample_rate
        In Hz.

    Examples
    --------
    >>> stems = Stems([("vocals", np.zeros((2, 66150), np.float32))], 44100)
    >>> stems
    Stems of 1.500 s at 44100 Hz, 2 channels: vocals
    >>> stems["vocals"].shape
    (2, 66150)
    """

    def __init__(self, stems: Iterable[tuple[str, np.ndarray]] = (), sample_rate: float = 44100):
        super().__init__(stems)
        self.sample_rate = sample_rate

    def __repr__(self) -> str:
        first = next(iter(self.values()), np.zeros((0, 0)))
        seconds, names = first.shape[-1] / self.sample_rate, ", ".join(self)
        return f"Stems of {seconds:.3f} s at {self.sample_rate:g} Hz, {len(first)} channels: {names}"

    def _repr_html_(self) -> str:
        """For notebooks: a row for each stem, of at most 1 MB in all for four stems."""
        rows = []
        for name, samples in list(self.items())[:_MOST_PLAYERS]:
            peak = float(np.abs(samples).max()) if samples.size else 0.0
            level = f"{20 * np.log10(peak):.1f} dB" if peak > 0 else "silent"
            rows.append(
                f"<tr><th>{html.escape(name)}</th><td>{_picture(samples, html.escape(name))}</td><td>{level}</td>"
                f"<td><audio controls preload='none' src='{_sound(samples, self.sample_rate)}'></audio></td></tr>"
            )
        left_out = len(self) - len(rows)
        more = f"<p>and {left_out} more</p>" if left_out > 0 else ""
        caption = f"{html.escape(repr(self))}. The players have the first {_PREVIEW_SECONDS:g} s, in mono."
        return f"<table><caption>{caption}</caption>{''.join(rows)}</table>{more}"


def _picture(samples: np.ndarray, name: str) -> str:
    """The outline of (channels, samples) as an SVG: the largest sample of each of 400 parts."""
    loud = np.abs(samples).max(axis=0) if samples.size else np.zeros(1)
    edges = np.linspace(0, len(loud), min(_POINTS, len(loud)) + 1).astype(int)[:-1]
    peaks = np.minimum(np.maximum.reduceat(loud, edges), 1.0) * _HEIGHT / 2
    across = np.linspace(0, _WIDTH, len(peaks))
    upper = [f"{x:.0f},{_HEIGHT / 2 - y:.1f}" for x, y in zip(across, peaks, strict=True)]
    lower = [f"{x:.0f},{_HEIGHT / 2 + y:.1f}" for x, y in zip(across[::-1], peaks[::-1], strict=True)]
    return (
        f"<svg role='img' aria-label='{name}' width='{_WIDTH}' height='{_HEIGHT}'>"
        f"<polygon fill='#56B4E9' points='{' '.join(upper + lower)}'/></svg>"
    )


def _sound(samples: np.ndarray, sample_rate: float) -> str:
    """The first seconds as the address of a WAV file that lies in the address itself."""
    import soxr

    mono = samples[:, : round(_PREVIEW_SECONDS * sample_rate)].mean(axis=0, dtype=np.float32)
    rate = min(_PREVIEW_HZ, round(sample_rate))
    if len(mono):
        mono = soxr.resample(mono, sample_rate, rate)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes())
    return f"data:audio/wav;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
