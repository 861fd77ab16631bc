# SPDX-License-Identifier: MIT
"""Dark guitars, basses that follow them, and what a heavy song's stems are."""

import numpy as np
import pytest

from models.training.data import guitars, heavy, scores
from models.training.network.spectral import SAMPLE_RATE


def share_between(audio, low, high):
    """Share of the energy of audio (samples,) between two frequencies in Hz."""
    power = np.abs(np.fft.rfft(audio)) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1.0 / SAMPLE_RATE)
    return power[(hertz >= low) & (hertz < high)].sum() / power.sum()


def test_dark_guitars_have_their_body_where_a_bass_plays():
    rng = np.random.default_rng(1)
    part = guitars.power_riff(rng, scores.loop_chords(rng, 8.0), low=33)
    dry = guitars.play_part(rng, "strings", part, 0.5, 3 * SAMPLE_RATE)

    def body(amplify):
        return np.median([share_between(amplify(np.random.default_rng(seed)), 60.0, 400.0) for seed in range(8)])

    dark, bright = (
        body(lambda rng: heavy.dark_amplified(rng, dry)),
        body(lambda rng: guitars.amplified(rng, dry, "high")),
    )
    assert dark > 0.5 and dark > 1.5 * bright
    assert np.sqrt((heavy.dark_amplified(rng, dry) ** 2).mean()) == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_a_bass_follows_the_lowest_note_of_every_stroke(seed):
    rng = np.random.default_rng(seed)
    part = heavy.riff(rng, scores.loop_chords(rng, 16.0), 36)
    strokes = {round(note.start * 4.0) / 4.0 for note in part.open + part.muted}
    line = heavy.follow(rng, part)
    assert {note.start for note in line} == strokes
    lowest = {
        start: min(n.pitch for n in part.open + part.muted if round(n.start * 4.0) / 4.0 == start) for start in strokes
    }
    for note in line:
        assert heavy.LOWEST_BASS <= note.pitch <= heavy.HIGHEST_BASS and (lowest[note.start] - note.pitch) % 12 == 0


def test_a_tom_beat_has_toms_and_stays_within_its_beats():
    hits = heavy.tom_beat(np.random.default_rng(2), 16.0)
    assert all(0.0 <= hit.start < 16.0 for hit in hits)
    assert sum(hit.drum.startswith("tom") for hit in hits) > len(hits) / 4
