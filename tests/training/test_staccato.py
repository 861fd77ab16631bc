# SPDX-License-Identifier: MIT
"""Basses as short and as low as kicks: their notes have the length, the pitch and the places that they say."""

import numpy as np
import pytest

from models.training.data import scores, staccato
from models.training.network.spectral import SAMPLE_RATE

BEAT = 0.5


def kicks_on(*ticks):
    return [scores.Hit(tick / 4.0, "kick", 1.0) for tick in ticks]


@pytest.mark.parametrize("seed", range(12))
def test_notes_are_short_and_low_and_lie_on_sixteenths(seed):
    rng = np.random.default_rng(seed)
    chords = scores.loop_chords(rng, 32.0)
    notes = staccato.short_notes(rng, chords, kicks_on(*range(0, 128, 4)), BEAT)
    assert notes
    for note in notes:
        assert staccato.LOWEST <= note.pitch <= staccato.HIGHEST and (note.start * 4.0).is_integer()
        assert staccato.SHORTEST_SECONDS <= note.length * BEAT <= staccato.LONGEST_SECONDS


def test_songs_differ_in_how_their_basses_meet_the_kicks():
    """Of all basses some play on the kicks alone, some never there."""
    kicks, on_kicks = set(range(0, 64, 4)), []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        notes = staccato.short_notes(rng, scores.loop_chords(rng, 16.0), kicks_on(*kicks), BEAT)
        on_kicks.append(np.mean([round(note.start * 4.0) in kicks for note in notes]))
    assert min(on_kicks) == 0.0 and max(on_kicks) > 0.6


@pytest.mark.parametrize("seed", range(12))
def test_a_short_bass_has_its_pitch_and_is_over_with_its_note(seed):
    note = scores.Note(1.0, 0.2 / BEAT, 33, 1.0)  # 55 Hz for 200 ms, half a second in
    audio = staccato.play_short(np.random.default_rng(seed), [note], BEAT, SAMPLE_RATE)[0]
    start, stop = SAMPLE_RATE // 2, int(0.7 * SAMPLE_RATE)
    assert not audio[:start].any() and np.abs(audio).max() > 1e-3
    # What rings on in the filters is at least 40 dB below.
    late = audio[stop + int(0.1 * SAMPLE_RATE) :]
    assert (late**2).sum() < 1e-4 * (audio**2).sum()
    steady = audio[start + int(0.07 * SAMPLE_RATE) : stop]  # a kick is still falling here
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady)), 10 * SAMPLE_RATE))
    assert spectrum[300:].argmax() / 10.0 + 30.0 == pytest.approx(55.0, abs=5.0)  # 130 ms tell it to a few Hz


def test_a_synth_is_over_with_its_note_too():
    for seed in range(6):
        synth = staccato.short_synth(np.random.default_rng(seed))
        audio = synth.play([scores.Note(0.0, 0.1 / BEAT, 33, 1.0)], BEAT, SAMPLE_RATE)
        assert np.abs(audio).max() > 1e-3
        assert (audio[:, int(0.3 * SAMPLE_RATE) :] ** 2).sum() < 1e-3 * (audio**2).sum()


def test_a_song_is_the_same_by_seed(shared_audio):
    first, again = (staccato.render_staccato(1, 3.0) for _ in range(2))
    assert set(first) == {"drums", "bass", "other"}
    assert first["drums"].any() and first["other"].any()
    for stem, audio in first.items():
        assert audio.shape == (2, 3 * SAMPLE_RATE) and np.isfinite(audio).all()
        assert np.array_equal(audio, again[stem])
