# SPDX-License-Identifier: MIT
"""Singing made of what speech synthesisers say."""

import functools
import re
import sys

import numpy as np
import pytest
import soundfile

from models.training.data import sing, speakers
from models.training.data.pool import PoolError
from models.training.network.spectral import SAMPLE_RATE

PROGRAMS = ("espeak-ng", "flite", "text2wave")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs of those names that write a second of a 300 Hz tone at 16 kHz and what they were asked for."""
    folder = tmp_path / "programs"
    folder.mkdir()
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)
    soundfile.write(tmp_path / "tone.wav", tone, 16000)
    for program in PROGRAMS:
        (folder / program).write_text(
            f"#!{sys.executable}\n"
            "import pathlib, shutil, sys\n"
            f"shutil.copy({str(tmp_path / 'tone.wav')!r}, next(a for a in sys.argv if a.endswith('.wav')))\n"
            f"pathlib.Path({str(tmp_path)!r}, 'asked').write_text(repr(sys.argv[1:]) + sys.stdin.read())\n"
        )
        (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path / "asked"


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_says_comes_at_44_1_khz(programs, program):
    audio = speakers.speak(program, "voice7", "la mi no")
    assert len(audio) == pytest.approx(SAMPLE_RATE, abs=50)
    spectrum = np.abs(np.fft.rfft(audio))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(audio) == pytest.approx(300, abs=1)
    asked = programs.read_text()
    assert "voice7" in asked and "la mi no" in asked


def test_a_program_that_says_nothing_is_named(programs):
    (programs.parent / "programs" / "text2wave").write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(PoolError, match="text2wave cannot speak as lost"):
        speakers.speak("text2wave", "lost", "la")


@pytest.fixture
def lists(tmp_path, monkeypatch):
    """What each program prints that is asked for its voices, in the words of the real one; the pool is empty."""
    monkeypatch.setattr(speakers, "check_voices", functools.cache(speakers.check_voices.__wrapped__))
    monkeypatch.setattr(speakers, "speak", lambda *_: pytest.fail("something was said"))
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    head = "Pty Language       Age/Gender VoiceName          File                 Other Languages"
    lines = {
        "espeak-ng": [head, *(f" 5  variant  --/M  A_name  !v/{name}  (en-us 5)" for name in speakers.ESPEAK_VARIANTS)],
        "festival": ["(" + " ".join(speakers.FESTIVAL) + ")"],
        "flite": ["Voices available: kal awb_time kal16 awb rms slt "],
    }
    for program, texts in lines.items():
        (tmp_path / program).write_text("#!/bin/sh\necho '" + "\n".join(texts) + "'\n")
        (tmp_path / program).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("program, voice, package", [
    ("espeak-ng", "f1", "espeak-ng-data"), ("espeak-ng", "klatt", "espeak-ng-data"), ("flite", "awb", "flite"),
    ("festival", "pc_diphone", "festvox-itapc16k"),
])  # fmt: skip
def test_a_missing_voice_is_named_before_anything_is_said(lists, program, voice, package):
    """Another one whose name only begins or ends like it is none."""
    text = (lists / program).read_text()
    (lists / program).write_text(re.sub(rf"(?<![\w]){voice}(?=[\s)])", voice + "_time", text))
    with pytest.raises(SystemExit) as caught:
        speakers.main(["--tracks", "1"])
    assert caught.value.code == f"speakers: {program} has no voice {voice}; run 'apt-get install {package}'"


@pytest.mark.parametrize("program", ["espeak-ng", "festival", "flite"])
def test_a_missing_program_is_named_with_its_package(lists, program):
    speakers.check_voices()  # all is there
    speakers.check_voices.cache_clear()
    (lists / program).unlink()
    with pytest.raises(PoolError, match=f"^{program} does not run; run 'apt-get install {program}'$"):
        speakers.check_voices()


def test_half_of_the_speakers_are_formants_and_every_voice_is_drawn():
    rng = np.random.default_rng(7)
    drawn = [speakers.draw_speaker(rng) for _ in range(4000)]
    assert sum(program == "espeak-ng" for program, _ in drawn) == pytest.approx(2000, abs=100)
    people = {voice for program, voice in drawn if program != "espeak-ng"}
    assert people == {*speakers.FESTIVAL, *speakers.FLITE}
    assert {voice.split("+")[1] for program, voice in drawn if program == "espeak-ng"} == set(speakers.ESPEAK_VARIANTS)


def test_lines_are_four_to_seven_words_and_some_have_vowels_only():
    rng = np.random.default_rng(8)
    lines = [speakers.words(rng) for _ in range(400)]
    assert {len(line.split()) for line in lines} == {4, 5, 6, 7}
    vowels_only = sum(set(line) <= {*speakers.VOWELS, " "} for line in lines)
    assert vowels_only == pytest.approx(100, abs=30)


def test_a_track_of_a_seed_is_the_same_every_time(monkeypatch):
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    vowel = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20)).astype(np.float32)
    monkeypatch.setattr(speakers, "speak", lambda *_: 0.1 * vowel)
    monkeypatch.setattr(speakers, "check_voices", lambda: None)
    monkeypatch.setattr(sing, "TRACK_SECONDS", 6.0)
    track = speakers.make_track(3)
    assert track.shape == (2, 6 * SAMPLE_RATE) and 0.001 < np.sqrt((track**2).mean()) < 0.5
    np.testing.assert_array_equal(track, speakers.make_track(3))
