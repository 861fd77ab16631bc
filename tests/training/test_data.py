# SPDX-License-Identifier: MIT
"""Batches, scores and the renderer: the same by seed, energies that are those of the audio."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.training.data import batches, render, scores
from models.training.data.batches import BatchMaker, draw_by_kind, master_gain
from models.training.data.drums import sampled_drums
from models.training.data.material import split_low, training_songs
from models.training.data.pool import STEMS, Pool, PoolError, audio_folder, save, save_song
from models.training.data.recipe import Recipe
from models.training.network.spectral import SAMPLE_RATE, StftConfig, group_sum, stft

STFT = StftConfig(4096, 4096, 1024)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """A pool of tones and noise."""
    folder = tmp_path_factory.mktemp("pool")
    rng = np.random.default_rng(1)
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.2 * np.stack([np.sin(2 * np.pi * 110 * time), np.sin(2 * np.pi * 110.5 * time)])
    save(folder / "vocals" / "a.npy", 0.1 * rng.standard_normal((2, 3 * SAMPLE_RATE)))
    save_song(
        folder / "songs" / "b", {"drums": 0.05 * rng.standard_normal(tone.shape), "bass": tone, "other": 0.3 * tone}
    )
    return Pool(folder)


def test_a_kind_is_drawn_by_its_weight_however_many_there_are_of_it():
    rng, names = np.random.default_rng(5), ["Album_0", *(f"rendered_{i}" for i in range(90)), "demo_a", "demo_b"]
    weights = {"": 0.25, "demo": 0.25, "sung": 9.0, "rendered": 0.5}  # nothing sung here: that weight falls away
    drawn = np.bincount([draw_by_kind(rng, names, weights) for _ in range(20_000)], minlength=len(names)) / 20_000
    assert drawn[0] == pytest.approx(0.25, abs=0.02)
    assert drawn[-2:] == pytest.approx([0.125, 0.125], abs=0.02)
    assert drawn[1:91] == pytest.approx(np.full(90, 0.5 / 90), abs=0.004)


def test_tracks_without_weights_are_drawn_evenly():
    rng = np.random.default_rng(6)
    drawn = np.bincount([draw_by_kind(rng, list("abcd"), {"sung": 0.5}) for _ in range(20_000)]) / 20_000
    assert drawn == pytest.approx(np.full(4, 0.25), abs=0.02)


def test_excerpts_follow_the_weights_of_songs_and_of_voices(tmp_path):
    loud = np.full((2, SAMPLE_RATE), 0.1)
    save_song(tmp_path / "songs" / "Album_0", {"bass": loud})
    for number in range(9):
        save_song(tmp_path / "songs" / f"rendered_{number}", {"drums": loud})
        save(tmp_path / "vocals" / f"choir_{number}.npy", loud * [[1], [0]])
    save(tmp_path / "vocals" / "sung_0.npy", loud * [[0], [1]])
    recipe = Recipe(
        song_probability=1.0,
        drop_probability=(0.0,) * 4,
        speed_probability=0.0,
        layer_probability=(0.0,) * 4,
        song_weights={"": 0.6, "rendered": 0.4},
        single_weights={"choir": 0.25, "sung": 0.75},
    )
    maker = BatchMaker(Pool(tmp_path), STFT, batch=1, frames=2, seed=1, recipe=recipe)
    rng = np.random.default_rng(7)
    heard = np.array([np.abs(maker.draw(rng)).max(2) > 0 for _ in range(1000)])  # (draws, stems, channels)
    vocals, drums, bass, _ = heard.mean(0)
    assert [bass[0], drums[0]] == pytest.approx([0.6, 0.4], abs=0.05)
    assert vocals == pytest.approx([0.25, 0.75], abs=0.05)  # choirs are on the left, singing on the right


def test_remixes_take_each_stem_from_songs_or_from_single_recordings_as_its_probability_says(tmp_path):
    loud = np.full((2, SAMPLE_RATE), 0.1)
    save_song(tmp_path / "songs" / "Album_0", {stem: loud * [[1], [0]] for stem in STEMS})
    for stem in STEMS:
        save(tmp_path / stem / "single.npy", loud * [[0], [1]])
    probability = (0.9, 0.2, 0.4, 0.7)
    recipe = Recipe(
        song_probability=0.0,
        drop_probability=(0.0,) * 4,
        speed_probability=0.0,
        layer_probability=(0.0,) * 4,
        song_stem_probability=probability,
    )
    maker = BatchMaker(Pool(tmp_path), STFT, batch=1, frames=2, seed=1, recipe=recipe)
    rng = np.random.default_rng(8)
    heard = np.array([np.abs(maker.draw(rng)).max(2) > 0 for _ in range(1000)]).mean(0)  # (stems, channels)
    assert heard[:, 0] == pytest.approx(probability, abs=0.05) and heard.sum(1) == pytest.approx(np.ones(4))


def test_layers_lie_over_an_excerpt_at_their_level(tmp_path):
    for stem in STEMS:
        save(tmp_path / stem / "part_left.npy", np.full((2, SAMPLE_RATE), 0.1) * [[1], [0]])
        save(tmp_path / stem / "part_right.npy", np.full((2, SAMPLE_RATE), 0.2) * [[0], [1]])
    recipe = Recipe(
        song_probability=0.0,
        drop_probability=(0.0,) * 4,
        speed_probability=0.0,
        master_probability=0.0,
        layer_probability=(0.5, 0.0, 0.25, 0.0),
        layer_db=(-9.0, -3.0),
    )
    maker = BatchMaker(Pool(tmp_path), STFT, batch=1, frames=2, seed=1, recipe=recipe)
    rng = np.random.default_rng(9)
    power = np.array([(maker.draw(rng) ** 2).mean(2) for _ in range(800)])  # (draws, stems, channels)
    ratio_db = 10.0 * np.log10(power.min(2) / power.max(2) + 1e-12)
    # Half of the layers are the same recording again.
    assert (ratio_db > -100.0).mean(0) == pytest.approx([0.25, 0.0, 0.125, 0.0], abs=0.05)
    heard = ratio_db[ratio_db > -100.0]
    assert -9.2 < heard.min() < -8.0 and -4.0 < heard.max() < -2.8


def test_the_pool_gives_back_what_was_saved(pool):
    assert pool.length(pool.single["vocals"][0]) == 3 * SAMPLE_RATE
    end = pool.read(pool.songs[0]["bass"], 3 * SAMPLE_RATE - 10, 20)
    assert end.shape == (2, 20) and (end[:, 10:] == 0).all() and np.abs(end[:, :10]).max() > 0


def test_a_batch_depends_on_seed_and_index_only(pool):
    def make(seed, index):
        return BatchMaker(pool, STFT, batch=2, frames=20, seed=seed).make(index)

    first, again, other = make(1, 5), make(1, 5), make(1, 6)
    for name in ("energy", "cross", "product", "stem_energy"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.energy, other.energy)


@pytest.fixture
def with_instrumentals(pool, tmp_path):
    """The same pool, and a real instrumental: a tone of 330 Hz."""
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    save(tmp_path / "instrumentals" / "c.npy", np.stack([0.2 * np.sin(2 * np.pi * 330 * time)] * 2))
    for path in pool.folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    return Pool(tmp_path)


def test_every_batch_holds_every_kind(with_instrumentals, pool):
    maker = BatchMaker(with_instrumentals, STFT, batch=10, frames=2, seed=1)
    for seed in range(20):
        counts = Counter(maker.kinds(np.random.default_rng(seed)))
        assert counts == {"labelled": 5, "instrumental": 1, "alone": 1, "real": 1, "sung": 2}
    few = BatchMaker(with_instrumentals, STFT, batch=3, frames=2, seed=1)
    counts = Counter(kind for seed in range(2000) for kind in few.kinds(np.random.default_rng(seed)))
    assert sum(counts.values()) == 6000 and counts["sung"] == pytest.approx(1200, abs=100)
    without = BatchMaker(pool, STFT, batch=7, frames=2, seed=1)
    assert Counter(without.kinds(np.random.default_rng(1))) == {"labelled": 5, "instrumental": 1, "alone": 1}


def test_of_real_instrumentals_only_the_vocals_are_known(with_instrumentals):
    recipe, rng = Recipe(sung_db=(-6.0, -6.0)), np.random.default_rng(2)
    maker = BatchMaker(with_instrumentals, STFT, batch=1, frames=20, seed=1, recipe=recipe)
    stems, known = maker.draw_kind(rng, "real")
    assert known.tolist() == [1, 0, 0, 0] and not stems[:3].any() and (stems[3] ** 2).mean() > 1e-5
    stems, known = maker.draw_kind(rng, "sung")
    power = (stems**2).mean((1, 2))
    assert known.tolist() == [1, 0, 0, 0] and 10 * np.log10(power[0] / power[3]) == pytest.approx(-6.0, abs=0.1)


def test_labels_of_sure_songs_count_more(pool):
    for sure, expected in (((), [1.0] * 4), (("b",), [1.0, 1.5, 1.5, 1.0])):
        recipe = Recipe(song_probability=1.0, sure_songs=sure, sure_weight=1.5)
        maker = BatchMaker(pool, STFT, batch=1, frames=20, seed=1, recipe=recipe)
        assert maker.draw_kind(np.random.default_rng(1), "labelled")[1].tolist() == expected
    elsewhere = BatchMaker(pool, STFT, batch=1, frames=20, seed=1, recipe=replace(recipe, song_probability=0.0))
    assert elsewhere.draw_kind(np.random.default_rng(1), "labelled")[1].tolist() == [1.0] * 4


def test_views_silence_what_they_say(with_instrumentals):
    maker = BatchMaker(with_instrumentals, STFT, batch=1, frames=20, seed=1, recipe=Recipe(drop_probability=(0.0,) * 4))
    for seed in range(10):
        stems, known = maker.draw_kind(np.random.default_rng(seed), "instrumental")
        assert known.all() and not stems[0].any() and stems[1:].any()
        stems, known = maker.draw_kind(np.random.default_rng(seed), "alone")
        assert known.all() and stems.any((1, 2)).sum() == 1


def test_a_pool_that_is_empty_or_small_is_refused(pool, tmp_path):
    with pytest.raises(PoolError, match="0.0 minutes of vocals"):
        Pool(tmp_path).require(0.0)
    pool.require(0.0)
    with pytest.raises(PoolError, match="minutes of vocals, and a training needs 5"):
        pool.require(5.0)


def test_absent_shared_audio_is_an_error_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_AUDIO", str(tmp_path / "none"))
    with pytest.raises(PoolError, match="name its folder in STEMLANE_AUDIO"):
        audio_folder()


def test_the_energies_of_a_batch_fit_together(pool):
    scored = slice(4, 16, 2)
    batch = BatchMaker(pool, STFT, batch=3, frames=20, seed=2, scored=scored).make(0)
    # The mixture is the sum of the stems, so sum_s Re(S X*) = |X|^2; single-precision sums.
    np.testing.assert_allclose(batch.product.sum(2), batch.energy[scored], rtol=1e-3, atol=1e-3 * batch.energy.max())
    assert (batch.stem_energy >= 0).all()
    # |Re(S X*)| <= |S| |X| over the scored frames (Cauchy-Schwarz).
    bound = np.sqrt(batch.stem_energy.sum((2, 3)) * batch.energy[scored].sum((0, 2, 3))[:, None])
    assert (np.abs(batch.product.sum((0, 3, 4))) <= 1.001 * bound).all()


def test_the_energies_are_those_of_the_transform(pool, monkeypatch):
    maker = BatchMaker(pool, STFT, batch=1, frames=20, seed=3)
    stems = maker.draw(np.random.default_rng(8))
    monkeypatch.setattr(maker, "draw_kind", lambda rng, kind: (stems, np.ones(4)))
    monkeypatch.setattr(batches, "random_curve", lambda *_: np.ones((4, 2, STFT.num_bins), np.float32))
    batch = maker.make(0)
    spectra = stft(stems.sum(0), STFT, left_context=False)
    energy = group_sum(np.abs(spectra) ** 2).sum((1, 2))
    actual = np.sort(batch.energy[:, 0].sum((0, 2)))
    np.testing.assert_allclose(actual, np.sort(energy), rtol=1e-4)  # channels may be swapped


def test_the_low_band_and_the_rest_make_the_whole():
    audio = np.random.default_rng(4).standard_normal((2, 5000)).astype(np.float32)
    low, high = split_low(audio, 150.0)
    np.testing.assert_allclose(low + high, audio, atol=1e-6)
    assert (low**2).sum() < 0.02 * (audio**2).sum()


def test_made_up_scores_stay_inside_the_song():
    rng = np.random.default_rng(6)
    chords = scores.loop_chords(rng, 32.0)
    assert chords[0].start == 0.0 and sum(chord.length for chord in chords) >= 32.0
    line = scores.bass_line(rng, chords)
    assert line and all(28 <= note.pitch < 64 for note in line)
    for _ in range(10):
        subs = scores.sub_hits(rng, chords)
        assert all(note.length >= 0.5 and 0.0 <= note.start < chords[-1].start + chords[-1].length for note in subs)
        assert all(later.start - note.start >= 1.0 for note, later in pairwise(subs))
        figure = scores.ostinato(rng, 32.0)
        assert all(50 <= note.pitch < 77 and 0.0 <= note.start < 32.0 for note in figure)
        assert [(note.start + 16.0, note.pitch, note.velocity) for note in figure if note.start < 16.0] == [
            (note.start, note.pitch, note.velocity) for note in figure if note.start >= 16.0
        ]  # every period divides 16
    hits = scores.electronic_drums(rng, 32.0)
    assert {hit.drum for hit in hits} <= set(scores.MIDI_OF_DRUM)
    assert len(scores.repeat_to([scores.Hit(0.0, "kick", 1.0)], 16.0)) == 4


def test_a_song_is_the_same_by_seed(shared_audio):
    first, again = (render.render_song(4, seconds=3.0) for _ in range(2))
    assert set(first) == {"drums", "bass", "other"}
    for name in first:
        assert first[name].shape == (2, 3 * SAMPLE_RATE) and np.isfinite(first[name]).all()
        assert np.array_equal(first[name], again[name])


def test_scores_and_kits_are_read(shared_audio):
    notes, chords = scores.read_lead_sheet(scores.lead_sheets()[0])
    assert len(notes) > 20 and len(chords) > 5
    hits = scores.read_groove(scores.grooves()[0])
    assert {"kick", "snare"} <= {hit.drum for hit in hits}
    audio = sampled_drums(np.random.default_rng(9), hits[:20], 0.5, 2 * SAMPLE_RATE)
    assert np.abs(audio).max() > 0.05


def test_the_validation_song_is_never_trained_on(shared_audio):
    assert training_songs() and not any("Sodium" in str(folder) for folder in training_songs().values())


def test_mastering_keeps_the_stems_adding_up_and_turns_down_what_is_loud():
    rng = np.random.default_rng(11)
    quiet = 0.01 * rng.standard_normal((2, SAMPLE_RATE)).astype(np.float32)
    loud = 0.3 * rng.standard_normal((2, SAMPLE_RATE)).astype(np.float32)
    mixture = np.concatenate([quiet, loud], axis=1)
    gain = master_gain(rng, mixture)
    assert gain.shape == (2 * SAMPLE_RATE,) and (gain > 0).all() and gain.max() <= 1.0
    assert np.median(gain[SAMPLE_RATE // 2 : SAMPLE_RATE]) > 1.2 * np.median(gain[-SAMPLE_RATE // 2 :])


def test_mastering_is_the_same_where_last_bits_differ(monkeypatch):
    """As logarithms do between processors: the panel's excerpts have hashes."""
    mixture = 0.3 * np.random.default_rng(11).standard_normal((2, SAMPLE_RATE)).astype(np.float32)
    expected = master_gain(np.random.default_rng(12), mixture)
    for name in ("log10", "tanh"):
        exact = getattr(np, name)
        monkeypatch.setattr(np, name, lambda value, exact=exact: np.nextafter(exact(value), np.inf))
    np.testing.assert_array_equal(master_gain(np.random.default_rng(12), mixture), expected)


def test_an_excerpt_at_another_speed_has_the_pitch_of_that_speed(pool):
    maker = BatchMaker(pool, STFT, batch=1, frames=60, seed=1)
    audio = maker._read(pool.songs[0]["bass"], 0, 1.25)
    assert audio.shape == (2, maker.num_samples)
    peak = np.abs(np.fft.rfft(audio[0])).argmax() * SAMPLE_RATE / maker.num_samples
    assert abs(peak - 110 * 1.25) < SAMPLE_RATE / maker.num_samples


def test_in_remixes_voices_are_played_over_a_wider_range_of_speeds_than_the_rest(tmp_path):
    tone = 0.2 * np.sin(2 * np.pi * 880.0 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    for stem in STEMS:
        save(tmp_path / stem / "tone.npy", np.stack([tone, tone]))
    recipe = Recipe(
        song_probability=0.0,
        drop_probability=(0.0,) * 4,
        speed_probability=1.0,
        master_probability=0.0,
        layer_probability=(0.0,) * 4,
        speed_octaves=0.2,
        voice_octaves=0.5,
    )
    maker, rng = BatchMaker(Pool(tmp_path), STFT, batch=1, frames=2, seed=1, recipe=recipe), np.random.default_rng(10)
    window = np.hanning(maker.num_samples)
    spectra = np.array([np.abs(np.fft.rfft(maker.draw(rng)[:, 0] * window, SAMPLE_RATE)) for _ in range(100)])
    # Per stem, the furthest from as recorded; bins are 1 Hz.
    octaves = np.abs(np.log2(spectra.argmax(2) / 880.0)).max(0)
    assert 0.4 < octaves[0] < 0.51 and np.all((octaves[1:] > 0.15) & (octaves[1:] < 0.21))


def mean_boost_db(**probabilities):
    """What a probability of 1 adds to the mean curve: (stems, bins)."""

    def mean_db(recipe):
        curves = [batches.random_curve(np.random.default_rng(seed), recipe, STFT) for seed in range(200)]
        return 20.0 * np.log10(np.abs(curves)).mean((0, 2))

    plain = Recipe(boom_probability=0.0, body_probability=0.0, eq_db=0.0, tilt_db=0.0)
    return mean_db(replace(plain, **probabilities)) - mean_db(plain)


@pytest.mark.parametrize(
    "name, stem, low, high", [("boom_probability", 1, 35.0, 180.0), ("body_probability", 3, 120.0, 400.0)]
)
def test_some_drums_boom_and_some_of_other_has_the_body_of_a_dark_amplifier(name, stem, low, high):
    """On that stem alone, and next to nothing two octaves above."""
    boost, hertz = mean_boost_db(**{name: 1.0}), np.arange(STFT.num_bins) * SAMPLE_RATE / STFT.fft_samples
    assert 4.0 < boost[stem, (hertz > low) & (hertz < high)].mean() < 9.0
    assert np.abs(boost[stem, hertz > 6.0 * high]).max() < 0.7
    assert np.abs(np.delete(boost, stem, axis=0)).max() < 0.7


def test_figures_of_other_are_the_same_by_seed_and_leave_silences(shared_audio):
    quiet = []
    for seed in range(6):
        first, again = (render.render_part(seed, "other", 8.0) for _ in range(2))
        assert np.array_equal(first, again) and first.shape == (2, 8 * SAMPLE_RATE)
        assert 10.0 * np.log10((first**2).mean()) == pytest.approx(-27.0, abs=0.1)
        blocks = (first**2).mean(0).reshape(80, -1).mean(1)
        quiet.append((blocks < 0.01 * blocks.max()).mean())
    assert np.median(quiet) > 0.3
