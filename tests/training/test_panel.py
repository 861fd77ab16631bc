# SPDX-License-Identifier: MIT
"""The panel: nothing of it is trained on, its halves share nothing, and its figures are those of the formulas."""

import json

import numpy as np
import pytest
import soundfile
import torch
from stemlane.evaluation import scores as scores_of_package

from models.training.data import bands, choirs, instrumentals, kits, render, scores, sing
from models.training.data.material import phrase_files
from models.training.data.pool import code_hash
from models.training.data.withdrawn import (
    DRUM_KITS,
    GUITAR_SONGS,
    INSTRUMENTS,
    OUTSIDE,
    SONGS,
    VOICES,
    is_withdrawn_song,
    is_withdrawn_voice,
)
from models.training.network.configs import CONFIGS
from models.training.network.network import NUM_STEMS
from models.training.panel import build, measure, release
from models.training.panel.evaluate import median_sdr_db, shares
from models.training.panel.recipe import PANEL, Excerpt


def test_there_are_sixty_excerpts_and_the_hash_of_each_is_committed():
    assert len(PANEL) == 60 and len({excerpt.name for excerpt in PANEL}) == 60 == len(
        {excerpt.seed for excerpt in PANEL}
    )
    assert set(json.loads(build.HASHES.read_text())) == {excerpt.name for excerpt in PANEL}
    for half in "AB":
        treatments = [excerpt.treatment for excerpt in PANEL if excerpt.half == half]
        assert all(treatments.count(kind) >= 3 for kind in ("mono", "narrow", "loud", "quiet"))


def test_the_halves_share_no_song_no_singer_and_no_sound():
    a, b = ([excerpt for excerpt in PANEL if excerpt.half == half] for half in "AB")
    for field in ("voice", "song", "guitar_song"):
        assert not ({getattr(e, field) for e in a} & {getattr(e, field) for e in b}) - {"", ()}
    for one, other in (
        (VOICES["A"], VOICES["B"]),
        (DRUM_KITS["A"], DRUM_KITS["B"]),
        (GUITAR_SONGS["A"], GUITAR_SONGS["B"]),
    ):
        assert not set(one) & set(other)
    for field in ("kits", "drummers", "guitars", "acoustics", "basses", "keys", "winds", "strings"):
        assert not set(getattr(bands.PANEL["A"], field)) & set(getattr(bands.PANEL["B"], field)), field
    for excerpt in PANEL:
        assert not excerpt.voice or any(excerpt.voice.startswith(name) for name in VOICES[excerpt.half])
        assert not excerpt.song or excerpt.song[1] in SONGS[excerpt.half][excerpt.song[0]]


def test_no_sound_of_the_panels_bands_is_in_training():
    def programs(sounds):
        named = {
            int(source[3:])
            for source in (*sounds.guitars, *sounds.acoustics, *sounds.basses)
            if source.startswith("gm:")
        }
        return named | {*sounds.keys, *sounds.winds, *sounds.strings}

    palette = render.TRAINING
    trained = programs(bands.TRAINING) | {
        *palette.gm_bass,
        *palette.gm_chords,
        *palette.gm_melody,
        *render.GM_STRUCK,
        *choirs.GM_VOICES,
    }
    for half, sounds in bands.PANEL.items():
        assert not programs(sounds) & trained, half
        assert not set(sounds.kits) & {*kits.ACOUSTIC, *kits.ELECTRONIC}
        assert not {f"sampled:{name}" for name in INSTRUMENTS[half]} & {
            *bands.TRAINING.guitars,
            *bands.TRAINING.acoustics,
            *bands.TRAINING.basses,
        }
        assert not set(INSTRUMENTS[half]) & {*palette.basses, *palette.sampled}


def test_training_hears_no_voice_and_no_drummer_of_the_panel(shared_audio):
    sung, rest = phrase_files()
    speech, singing = sing.voice_files()
    heard = [*sung, *rest, *(path for path, _ in speech + singing)]
    assert len(heard) > 800 and not any(is_withdrawn_voice(path) for path in heard)
    vocals = shared_audio / "vocals"
    for names in VOICES.values():
        for name in names:  # every withdrawn name is there to be withdrawn
            assert any(
                is_withdrawn_voice(path)
                for path in vocals.rglob("*.ogg")
                if path.as_posix().startswith(f"{vocals}/{name}")
            ), name
    assert not {path.parts[-3] for path in scores.grooves()} & {"drummer3", "drummer9", "drummer10"}
    assert {path.parts[-3] for path in scores.grooves("rock", ("drummer3",))} == {"drummer3"}


def test_training_hears_no_song_of_the_panel_or_outside(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path))
    for package, names in {"naev-data": ("combat2", "combat1"), "hyperrogue-music": ("hr3-hell", "hr3-caves")}.items():
        for name in names:
            path = tmp_path / "unpacked" / package / f"{name}.ogg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    assert [path.stem for path in instrumentals.recordings("naev-data")] == ["combat1"]
    assert [path.stem for path in instrumentals.recordings("hyperrogue-music")] == ["hr3-caves"]
    for song in ("Metal madness", "Feelings"):
        path = tmp_path / "unpacked" / instrumentals.GUITAR_PACKAGE / song / "guitar.ogg"
        path.parent.mkdir(parents=True)
        path.touch()
    assert [folder.name for folder in instrumentals.guitar_songs()] == ["Feelings"]
    assert all(is_withdrawn_song(package, "anything") and package not in instrumentals.PACKAGES for package in OUTSIDE)


class Quarter(torch.nn.Module):
    """Masks of a quarter everywhere."""

    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def forward(self, energy, cross, states=None):
        return torch.full((*energy.shape[:2], NUM_STEMS, 2, energy.shape[-1]), 0.25), states


def item(stems, *, guitar=None, known=(True,) * 4, voice="someone"):
    return build.Item(Excerpt("X", "A", 1, voice=voice), stems, guitar, known, [0.0] * 4, [10.0] * 4)


def test_figures_of_quarter_masks_are_those_of_the_formulas():
    noise = 0.1 * np.random.default_rng(1).standard_normal((4, 2, 6 * 44100)).astype(np.float32)
    noise[3] *= 0.01  # 40 dB below the rest: not audible
    result = measure.measure_item(Quarter(), CONFIGS["mix"], item(noise, guitar=noise[1]))
    # Stem s of three equally loud ones, estimate (s + a + b) / 4: error (9 + 1 + 1) / 16.
    assert result.sdr_db[:3] == pytest.approx(10 * np.log10(16 / 11), abs=0.05) and np.isnan(result.sdr_db[3])
    assert result.score[:3] == pytest.approx(0.1 * result.sdr_db[:3]) and result.museval_db[:3] == pytest.approx(
        result.sdr_db[:3], abs=0.05
    )
    assert result.guitar == pytest.approx(0.25, abs=1e-3) and np.isnan(result.invented_db)


def test_vocals_are_invented_where_there_are_none_and_the_worst_window_is_found():
    noise = 0.1 * np.random.default_rng(2).standard_normal((4, 2, 15 * 44100)).astype(np.float32)
    noise[0] = 0.0

    class LateVocals(Quarter):
        def forward(self, energy, cross, states=None):
            masks, states = super().forward(energy, cross, states)
            masks[:, :, 0] = 0.0
            masks[5 * 43 + 2 : 10 * 43 + 2, :, 0] = 0.5  # seconds 5 to 10
            return masks, states

    result = measure.measure_item(LateVocals(), CONFIGS["mix"], item(noise, voice=""))
    assert result.invented_db == pytest.approx(10 * np.log10(0.25 / 3), abs=0.2)
    assert result.worst_db == pytest.approx(20 * np.log10(0.5), abs=0.2)
    unknown = measure.measure_item(Quarter(), CONFIGS["mix"], item(noise, known=(True, False, False, False)))
    assert np.isnan(unknown.sdr_db).all()  # nothing audible is known


def test_the_summary_takes_medians_and_the_interval_draws_excerpts():
    def result(score, invented):
        return measure.Result(
            np.full(4, score),
            np.full(4, score),
            np.full(4, score),
            invented,
            invented + 3.0,
            np.array([0.1, 0.1, 0.2, 0.6]),
        )

    results = [result(score, -20.0 - 10 * score) for score in (0.1, 0.2, 0.9)]
    summary = measure.summary(results)
    assert summary["mean_score"] == pytest.approx(0.2) and summary["invented_db"] == pytest.approx(-22.0)
    assert summary["invented_worst_db"] == pytest.approx(-21.0) and summary["worst_window_db"] == pytest.approx(-18.0)
    assert summary["merit"] == pytest.approx(0.2 + 0.25 * 0.6 + 0.22)
    low, high = measure.interval(results)
    assert (low, high) == pytest.approx((0.1, 0.9))
    better = [result(score + 0.05, -20.0) for score in (0.1, 0.2, 0.9)]
    assert measure.interval(better, results) == pytest.approx((0.05, 0.05))  # paired: the same draws


def test_shares_of_a_part_sum_to_one_and_the_median_is_over_seconds():
    part = np.random.default_rng(3).standard_normal((2, 44100)).astype(np.float32)
    assert shares(part, np.stack([0.7 * part, 0.2 * part, 0.1 * part, 0.0 * part])) == pytest.approx(
        [0.7, 0.2, 0.1, 0.0]
    )
    stem = np.ones((2, 3 * 44100), np.float32)
    estimate = stem.copy()
    estimate[:, :44100] += 1.0  # 0 dB
    estimate[:, 44100:] += 0.1  # 20 dB
    assert median_sdr_db(stem, estimate) == pytest.approx(20.0, abs=0.01)


def test_a_panel_that_is_missing_or_another_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_TRAINING_CACHE", str(tmp_path))
    with pytest.raises(build.PanelError, match="run python -m models.training.panel.build"):
        build.load("A")
    build.folder().mkdir(parents=True)
    for excerpt in PANEL:
        np.savez(build.folder() / f"{excerpt.name}.npz", digest="something else")
    with pytest.raises(build.PanelError, match="A00_rock_sung is not the committed one"):
        build.load("A")


def test_outside_music_is_measured_in_its_middle(tmp_path):
    seconds = np.repeat(np.arange(90), 8000) / 100.0  # the level tells the second
    soundfile.write(tmp_path / "long.wav", np.stack([seconds, -seconds], 1), 8000, subtype="FLOAT")
    part = release.middle(tmp_path / "long.wav")
    assert part.shape == (2, 40 * 44100) and part[:, 22050] == pytest.approx([0.25, -0.25], abs=1e-3)
    soundfile.write(tmp_path / "short.wav", np.zeros((8000, 2)), 8000)
    assert release.middle(tmp_path / "short.wav").shape == (2, 44100)


def test_a_cache_changes_its_name_with_the_code(tmp_path):
    source = tmp_path / "maker.py"
    source.write_text("a")
    first = code_hash([source])
    source.write_text("b")
    assert code_hash([source]) != first and len(first) == 12


def test_voices_and_treatments_are_as_the_recipe_says(shared_audio):
    excerpt = next(excerpt for excerpt in PANEL if excerpt.half == "B" and excerpt.voice)
    voice = build.voice_track(excerpt)
    assert voice.shape == (2, build.NUM_SAMPLES) and (voice**2).mean() > 1e-4
    assert np.array_equal(voice, build.voice_track(excerpt))
    tracks = 0.1 * np.random.default_rng(4).standard_normal((4, 2, 44100)).astype(np.float32)
    for treatment, level in (("quiet", -45.0), ("loud", None), ("mono", None)):
        treated = build._treated(Excerpt("X", "A", 1, treatment=treatment), np.random.default_rng(5), tracks)
        mixture = treated.sum(0)
        assert np.abs(mixture).max() <= 1.0
        if level:
            assert 10 * np.log10((mixture**2).mean()) == pytest.approx(level, abs=0.1)
        if treatment == "mono":
            assert np.array_equal(treated[:, 0], treated[:, 1])


def test_evaluate_and_the_panel_leave_out_the_same_stems():
    """The panel runs without the package: it has a number of its own."""
    assert measure.LEAST_SPAN_DB == scores_of_package.LEAST_SPAN_DB
