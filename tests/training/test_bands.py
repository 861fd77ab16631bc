# SPDX-License-Identifier: MIT
"""Guitars, drum kits and bands: pitch, damping, what an amplifier does, stems that are what they say."""

import numpy as np
import pytest

from models.training.data import bands, guitars, kits, scores
from models.training.network.spectral import SAMPLE_RATE


def spectrum(audio):
    """Magnitudes of a second of audio (samples,), a bin per Hz."""
    return np.abs(np.fft.rfft(audio[:SAMPLE_RATE] * np.hanning(len(audio[:SAMPLE_RATE])), SAMPLE_RATE))


@pytest.mark.parametrize("pitch, hertz", [(40, 82.41), (57, 220.0), (76, 659.26)])
def test_a_string_has_its_pitch(pitch, hertz):
    found = spectrum(guitars.string_note(np.random.default_rng(1), pitch, 1.2, muted=False, bright=0.6))
    for harmonic in (1, 2, 3):
        around = found[int(hertz * harmonic) - 15 : int(hertz * harmonic) + 16]
        assert abs(around.argmax() - 15 + int(hertz * harmonic) - hertz * harmonic) < 2.0 * harmonic


def test_a_damped_string_is_over_soon():
    def level_db(muted):
        audio = guitars.string_note(np.random.default_rng(2), 45, 1.0, muted=muted, bright=0.6)
        return 10 * np.log10(
            (audio[SAMPLE_RATE // 3 : SAMPLE_RATE // 2] ** 2).mean() / (audio[: SAMPLE_RATE // 20] ** 2).mean()
        )

    assert level_db(True) < -25.0 and level_db(False) > -15.0


def test_an_amplifier_fills_the_gaps_between_partials_and_a_cabinet_ends_near_5_khz():
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    fifth = 0.3 * (np.sin(2 * np.pi * 110 * time) + np.sin(2 * np.pi * 165 * time)).astype(np.float32)
    dry, wet = spectrum(fifth), {}
    for gain in ("clean", "high"):
        audio = guitars.amplified(np.random.default_rng(3), fifth, gain)
        assert np.sqrt((audio**2).mean()) == pytest.approx(0.1, rel=1e-3)
        wet[gain] = spectrum(audio[SAMPLE_RATE // 2 :])
    assert dry[54:57].max() < 1e-3 * dry.max()
    assert wet["high"][270:280].max() > 0.05 * wet["high"].max()  # 2 * 165 - 55: intermodulation
    assert (wet["high"][600:] ** 2).sum() / (wet["high"] ** 2).sum() > 3 * (wet["clean"][600:] ** 2).sum() / (
        wet["clean"] ** 2
    ).sum()
    assert (wet["high"][10000:] ** 2).sum() < 1e-3 * (wet["high"] ** 2).sum()


def test_a_riff_is_damped_roots_and_ringing_fifths():
    rng = np.random.default_rng(4)
    chords = scores.loop_chords(rng, 32.0)
    parts = [guitars.power_riff(np.random.default_rng(seed), chords) for seed in range(20)]
    assert any(part.muted for part in parts) and all(part.open for part in parts)
    for part in parts:
        assert all(40 <= note.pitch < 52 for note in part.muted)
        starts = {note.start for note in part.open}
        for start in starts:
            pitches = sorted(note.pitch for note in part.open if note.start == start)
            assert pitches[1] - pitches[0] == 7


def test_two_takes_are_wide():
    part = guitars.Part([scores.Note(beat, 0.9, 45, 0.9) for beat in range(4)], [])
    left, right = guitars.double_tracked(np.random.default_rng(5), "strings", part, 0.5, 2 * SAMPLE_RATE, "crunch")
    assert np.corrcoef(left, right)[0, 1] < 0.8


@pytest.mark.parametrize(
    "name, drum",
    [
        ("Pearl Kick", "kick"),
        ("BassDrum", "kick"),
        ("d3 - snare 1", "snare"),
        ("Rim Click (Pearl Free Floating)", "rim"),
        ("Snare Rimshot", "rim"),
        ("Tom Low (Tama)", "tom_low"),
        ("Pearl Tom Floor", "tom_low"),
        ("Tom Mid", "tom_mid"),
        ("tomhi2", "tom_mid"),
        ("Closed HH", "hat_closed"),
        ("Open HH", "hat_open"),
        ("Hi-Hat Semiopen (Paiste)", "hat_open"),
        ("Paiste Ride", "ride"),
        ("Sabian Crash", "crash"),
        ('China (Paiste Alpha 18")', "crash"),
        ("Zap 1", None),
    ],
)
def test_a_drum_is_told_by_its_name(name, drum):
    assert kits.drum_of(name) == drum


def test_metal_drums_stay_in_the_song_and_roll():
    hits = bands.metal_drums(np.random.default_rng(6), 32.0)
    assert all(0.0 <= hit.start < 32.0 and 0.0 < hit.velocity <= 1.0 for hit in hits)
    assert sum(hit.drum == "kick" for hit in hits) >= 32 and {"snare", "crash"} <= {hit.drum for hit in hits}


@pytest.fixture
def strings_only(shared_audio, monkeypatch):
    """A band that needs no package: strings for guitar and bass, made-up drums."""
    monkeypatch.setattr(
        bands.kits,
        "play_kit",
        lambda rng, kit, hits, beat, size: np.stack([0.1 * rng.standard_normal(size)] * 2).astype(np.float32),
    )
    return bands.Sounds(
        kits=("none",),
        drummers=(),
        guitars=("strings",),
        acoustics=("strings",),
        basses=("strings",),
        keys=(0,),
        winds=(73,),
        strings=(48,),
    )


def test_a_band_is_the_same_by_seed_and_its_guitar_is_in_other(strings_only, monkeypatch):
    monkeypatch.setattr(
        bands, "others", lambda rng, sounds, chords, melody, beat, size, genre: np.full((2, size), 0.01, np.float32)
    )
    first, again = (bands.render_band(1, "metal", 4.0, strings_only) for _ in range(2))
    assert all(np.array_equal(first[stem], again[stem]) for stem in first)
    np.testing.assert_allclose(first["other"] - first["guitar"], 0.01, atol=1e-6)
    assert (first["guitar"] ** 2).mean() > 1e-4


def test_most_of_a_bass_lies_between_45_and_400_hz(strings_only):
    notes = [scores.Note(beat, 0.9, 33 + beat % 5, 0.9) for beat in range(8)]
    for seed, genre in enumerate(("rock", "metal", "jazz", "pop")):
        audio = bands.play_bass(np.random.default_rng(seed), "strings", notes, 0.25, 2 * SAMPLE_RATE, genre)
        power = np.abs(np.fft.rfft(audio[0])) ** 2
        assert power[2 * 45 : 2 * 400].sum() > 0.55 * power.sum(), (
            genre
        )  # 0.61 to 0.89 over eight seeds; the rest is the pick
