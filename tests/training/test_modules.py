# SPDX-License-Identifier: MIT
"""Tracker modules: a small one made here is played as it is written, and its instruments find their stems."""

from collections import Counter

import numpy as np
import pytest

from models.training.data import modules
from models.training.data.material import split_low
from models.training.network.spectral import SAMPLE_RATE

PERIODS = (428, 404, 381, 360, 339, 320, 302, 285)  # of a ProTracker's second octave from C up, a semitone each
RATE = 8287  # samples per second at the first of them
KICK, BASS, LEAD, HAT = range(4)


def write_module(path, *, tunes=True):
    """Four channels, 64 rows of 0.12 s: a bass drum and a hat on one note; a bass and a lead on eight each."""
    rng, time = np.random.default_rng(4), np.arange(2400) / RATE
    waves = [
        np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-time / 0.03)))) * np.exp(-time / 0.08),
        np.sin(2 * np.pi * np.arange(128) / 128),  # 65 Hz
        np.sign(np.sin(2 * np.pi * np.arange(32) / 32 + 0.1)),  # 259 Hz
        rng.uniform(-1, 1, 600) * np.exp(-np.arange(600) / 150),
    ]
    looped = (False, True, True, False)
    headers, samples = b"", b""
    for name, wave, loop in zip((b"boom", b"low", b"tune", b"tss"), waves, looped, strict=True):
        words = len(wave) // 2
        headers += name.ljust(22, b"\0") + words.to_bytes(2, "big") + bytes([0, 40, 0, 0])
        headers += (words if loop else 1).to_bytes(2, "big")
        samples += np.round(100 * wave).astype(np.int8).tobytes()
    cells = np.zeros((64, 4, 4), np.uint8)
    for row in range(64):
        for channel in range(4):
            if row % 4 == (2 if channel == HAT else 0):
                period = PERIODS[row // 4 % 8] if channel in (BASS, LEAD) and tunes else PERIODS[0]
                cells[row, channel] = period >> 8, period & 255, (channel + 1) << 4, 0
    content = b"test".ljust(20, b"\0") + headers + bytes(30 * 27) + bytes([1, 127]) + bytes(128) + b"M.K."
    path.write_bytes(content + cells.tobytes() + samples)
    return path


def test_instruments_find_their_stems_by_what_they_play_and_how_they_sound(tmp_path):
    module = modules.Module(write_module(tmp_path / "a.mod"))
    assert module.names[:4] == ["boom", "low", "tune", "tss"] and abs(module.seconds - 64 * 0.12) < 0.01
    notes = module.notes()
    assert notes[KICK] == Counter({61: 16}) and notes[LEAD] == Counter(dict.fromkeys(range(61, 69), 2))
    assert modules.stems_of(module) == {"drums": [KICK, HAT], "bass": [BASS], "other": [LEAD]}


def test_what_plays_one_note_without_being_percussive_is_left_out(tmp_path):
    module = modules.Module(write_module(tmp_path / "a.mod", tunes=False))
    assert modules.stems_of(module) == {"drums": [KICK, HAT], "bass": [], "other": []}
    assert modules.render(tmp_path / "a.mod") is None


def test_stems_add_up_to_what_the_module_sounds_like_and_are_at_their_pitch(tmp_path):
    path = write_module(tmp_path / "a.mod")
    module = modules.Module(path)
    whole = module.render(range(module.count))
    alone = [module.render({instrument}) for instrument in range(4)]
    assert np.abs(sum(alone) - whole).max() < 1e-5 < np.abs(whole).max()
    stems = modules.render(path)
    audible = split_low(whole, modules.LOWEST_HZ)[1]
    assert np.abs(sum(stems.values()) - audible).max() < 1e-4
    first_note = stems["bass"][0, : int(0.4 * SAMPLE_RATE)]
    peak_hz = np.abs(np.fft.rfft(first_note, 10 * SAMPLE_RATE)).argmax() / 10.0
    assert abs(peak_hz - RATE / 128) < 2.0
    assert np.abs(np.corrcoef(stems["drums"][0], stems["bass"][0])[0, 1]) < 0.2


@pytest.mark.parametrize(
    "name, notes, sound, stem",
    [
        ("snare", {61: 9}, modules.Timbre(0.9, 0.1, 0.2, 190.0), "drums"),
        ("", {61: 9}, modules.Timbre(0.1, 0.95, 0.0, 54.0), "drums"),  # a long tail
        ("", {61: 9}, modules.Timbre(0.01, 0.95, 0.0, 54.0), None),  # a drone, or a long tail
        ("", {61: 9}, modules.Timbre(0.1, 0.0, 0.0, 400.0), None),  # a chord, a voice, an effect
        ("toms", {61: 3, 63: 3, 65: 3, 66: 3}, modules.Timbre(0.9, 0.4, 0.0, 90.0), "drums"),
        ("", {60 + k: 2 for k in range(9)}, modules.Timbre(0.2, 0.6, 0.0, 60.0), "bass"),
        ("", {60 + k: 2 for k in range(9)}, modules.Timbre(0.2, 0.1, 0.0, 260.0), "other"),
        ("", {60 + k: 2 for k in range(9)}, modules.Timbre(0.2, 0.2, 0.0, 130.0), None),
        ("Choir", {60 + k: 2 for k in range(9)}, modules.Timbre(0.0, 0.1, 0.0, 260.0), None),
    ],
)
def test_unsure_instruments_are_in_no_stem(name, notes, sound, stem):
    assert modules.stem_of(name, Counter(notes), sound) == stem


def test_timbre_tells_noise_from_tones_and_silence():
    rng = np.random.default_rng(1)
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    tone = modules.timbre(np.tile(0.3 * np.sin(2 * np.pi * 100.0 * time), (2, 1)).astype(np.float32))
    assert tone.percussive < 0.05 and tone.low > 0.95 and tone.flatness < 0.01 and 75.0 < tone.lowest_hz < 101.0
    noise = modules.timbre((0.1 * rng.standard_normal((2, len(time)))).astype(np.float32))
    assert noise.flatness > 0.4 and noise.low < 0.02
    assert modules.timbre(np.zeros((2, SAMPLE_RATE), np.float32)) is None


def test_a_file_that_is_no_module_is_refused(tmp_path):
    path = tmp_path / "a.mod"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"a\.mod: not a tracker module"):
        modules.Module(path)


def test_songs_go_to_the_pool_held_out_ones_do_not_and_other_files_are_named(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(modules, "PACKAGES", ("game-data", modules.HELD_OUT, *modules.KICKS))
    for package in modules.PACKAGES:
        folder = tmp_path / "cache" / "unpacked" / package
        folder.mkdir(parents=True)
        write_module(folder / "a.mod")
    (tmp_path / "cache/unpacked/game-data/language.It").write_text("English")
    modules.main([])
    said = capfd.readouterr().out
    assert "language.It: not a tracker module" in said
    songs = {
        path.name: sorted(part.name for part in path.iterdir()) for path in (tmp_path / "cache/pool/songs").iterdir()
    }
    assert songs == {"module_game-a": ["bass.npy", "drums.npy", "other.npy"]}
    assert [path.name for path in (tmp_path / "cache/demos").iterdir()] == ["module_open-invaders-a"]
