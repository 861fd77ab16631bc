# SPDX-License-Identifier: MIT
"""Chains: models that hear what others leave, against the same models run by hand, in files and live."""

import re

import numpy as np
import pytest
from stemlane.catalog.ensembles import combine
from stemlane.catalog.install import verify
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ManifestError, ModelError
from stemlane.manifests.ensemble import Blend
from stemlane.manifests.model import load_manifest
from stemlane.manifests.registry import find_model, user_folder
from stemlane.mix.rendering import render
from support.htdemucs_case import recording
from support.members import build_members, one
from support.tiny_models import change_manifest

TOLERANCE = 2e-6  # float32 sums of a music of peak 0.4
LOWEST = Blend("min", (("half", 1.0), ("bins", 1.0)))
# What is taken out first, and what of the rest: strides of 1000, 576 and 512 samples.
CHAINS = {
    "segments, then frames": {"vocals": one("bins"), "drums": one("half")},
    "frames, then segments": {"drums": one("half"), "vocals": one("bins")},
    "segments of two lengths": {"vocals": one("planes"), "drums": one("bins")},
    "spectra first": {"vocals": LOWEST, "drums": one("half")},
    "spectra last": {"drums": one("bins"), "vocals": LOWEST},
}


@pytest.fixture(autouse=True)
def _members(tmp_path, monkeypatch, trials_here):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    build_members(user_folder())


def chained(blends):
    """One stem a stage."""
    return combine("mine", blends, stages=[[stem] for stem in blends])


def by_hand(mixture, blends):
    """Each model or ensemble alone on what is left, the whole recording at once."""
    left, stems = mixture, {}
    for number, (stem, blend) in enumerate(blends.items()):
        made = combine(f"alone{number}", {stem: blend}, force=True)
        stems[stem] = Separator(made.name).separate(left, 44100)[stem]
        left = left - stems[stem]
    return stems | {"other": left}


def test_stems_of_numbers_are_products():
    """With masks that are one number each, the second model's share is of what the first one leaves."""
    made = combine(
        "mine", {"vocals": one("half"), "drums": one("half"), "bass": one("fifth")},
        stages=[["vocals"], ["drums", "bass"]])  # fmt: skip
    assert made.stems == ("vocals", "drums", "bass", "other") and verify("mine").self_test
    mixture = recording(30_000)
    stems = Separator("mine").separate(mixture, 44100)
    for stem, share in {"vocals": 0.5, "drums": 0.5 * 0.25, "bass": 0.5 * 0.4}.items():
        np.testing.assert_allclose(stems[stem], share * mixture, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-7)


def test_three_stages():
    combine(
        "mine", {"vocals": one("half"), "drums": one("half"), "bass": one("fifth")},
        stages=[["bass"], ["vocals"], ["drums"]])  # fmt: skip
    mixture = recording(20_000)
    stems = Separator("mine").separate(mixture, 44100)
    for stem, share in {"bass": 0.4, "vocals": 0.6 * 0.5, "drums": 0.6 * 0.5 * 0.25}.items():
        np.testing.assert_allclose(stems[stem], share * mixture, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("num_samples", [30_000, 700])
@pytest.mark.parametrize("blends", CHAINS.values(), ids=CHAINS)
def test_a_file_gets_what_the_models_give_one_after_the_other(blends, num_samples):
    """To the sample, from the first to the last; the order counts."""
    chained(blends)
    mixture = recording(30_000)[:, :num_samples]
    stems, expected = Separator("mine").separate(mixture, 44100), by_hand(mixture, blends)
    for stem, samples in expected.items():
        np.testing.assert_allclose(stems[stem], samples, rtol=0, atol=TOLERANCE, err_msg=stem)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-7)
    if num_samples > 10_000:
        side_by_side = Separator(combine("beside", blends).name).separate(mixture, 44100)
        second = list(blends)[1]
        assert np.abs(side_by_side[second] - stems[second]).max() > 0.01


@pytest.mark.parametrize("blends", CHAINS.values(), ids=CHAINS)
def test_live_it_is_as_late_as_the_models_one_after_the_other(blends):
    """The stated delay is the most that stems are late after a stride, not a sample more, and blocks do not count."""
    made = chained(blends)
    mixture = recording(120_000)
    separator = StreamingSeparator("mine", 44100, 2)
    live = separator.process(mixture)
    assert live.shape[2] == 120_000 // made.stride_samples * made.stride_samples - made.delay_samples
    separator.reset()
    pieces = [separator.process(block) for block in np.split(mixture, [1, 777, 5000, 21_000], axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=2), live)
    whole = Separator("mine").separate(mixture, 44100)
    inner = slice(0, 100_000)  # at the end `bins` moves its last segment in files
    if "planes" not in made.settings.members:  # whose segments begin elsewhere in a live stream
        for stem, samples in zip(separator.stems, live, strict=True):
            np.testing.assert_allclose(samples[:, inner], whole[stem][:, inner], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("first, second", [("bins", "half"), ("half", "bins"), ("planes", "bins"), ("bins", "planes")])
def test_the_delay_is_that_of_two_streams_in_a_row(first, second):
    stems = {name: "drums" if name == "half" else "vocals" for name in (first, second)}
    if len(set(stems.values())) == 1:
        stems[first] = "other" if first == "planes" else "drums"
    residual = next(stem for stem in ("other", "bass") if stem not in stems.values())
    made = combine(
        "mine", {stems[name]: one(name) for name in (first, second)}, stages=[[stems[first]], [stems[second]]],
        residual=residual)  # fmt: skip
    longest = max(find_model(first), find_model(second), key=lambda model: model.latency_samples)
    assert made.stride_samples == longest.stride_samples
    separators = [StreamingSeparator(name, 44100, 2) for name in (first, second)]
    num_in, num_between, num_out, latest = 0, 0, 0, 0
    for _ in range(1200):  # strides of 1000 samples and of 576 or 512 meet again after at most 125
        num_in += made.stride_samples
        known = separators[0].process(np.zeros((2, made.stride_samples), np.float32)).shape[2]
        num_between += known
        num_out += separators[1].process(np.zeros((2, known), np.float32)).shape[2]
        if num_out:
            latest = max(latest, num_in - num_out)
    assert made.delay_samples == latest


def test_the_core_mixes_it_at_its_latency():
    combine("mine", {"vocals": one("half"), "bass": one("fifth")}, stages=[["vocals"], ["bass"]])
    mixture = recording(60_000)
    mix = render(mixture, 44100, {"bass": "-inf"}, model="mine")
    inner = slice(20_000, 60_000)  # stems fade in where a stream begins
    np.testing.assert_allclose(mix[:, inner], (1 - 0.5 * 0.4) * mixture[:, inner], rtol=0, atol=TOLERANCE)


def test_another_order_is_another_version():
    blends = {"vocals": one("half"), "bass": one("fifth")}
    versions = {
        combine("mine", blends, stages=stages, force=True).version
        for stages in ([], [["vocals", "bass"]], [["vocals"], ["bass"]], [["bass"], ["vocals"]])
    }
    assert len(versions) == 3  # one stage of all is no chain
    change_manifest(user_folder() / "mine", "stages", '[["vocals"], ["bass"]]')
    with pytest.raises(ModelError, match="combine them again"):
        StreamingSeparator("mine", 44100, 2)


@pytest.mark.parametrize("stages", [
    '[["vocals"]]', '[["vocals"], ["bass"], ["bass"]]', '[["vocals", "bass"], []]', '["vocals", "bass"]', "[]",
    '[["vocals"], ["bass"], ["other"]]', '[["vocals"], [3]]',
])  # fmt: skip
def test_stages_that_are_refused(stages):
    folder = combine("mine", {"vocals": one("half"), "bass": one("fifth")}, stages=[["vocals"], ["bass"]]).folder
    change_manifest(folder, "stages", stages)
    with pytest.raises(ManifestError, match="stages is .*, should "):
        load_manifest(folder)


def test_the_command_chains_in_the_order_of_its_options(capsys):
    arguments = ["models", "combine", "mine", "--mean", "bass=fifth", "--then", "--min", "vocals=half,bins"]
    assert main(arguments) == 0
    assert find_model("mine").settings.stages == (("bass",), ("vocals",))
    capsys.readouterr()
    assert main(["models", "show", "mine"]) == 0
    said = re.sub(" +", " ", capsys.readouterr().out)
    assert " bass that of fifth\n" in said
    assert " vocals lowest magnitudes of half, bins, from the mixture without bass\n" in said
    for wrong in (["--then", "--mean", "vocals=half"], ["--mean", "vocals=half", "--then"]):
        with pytest.raises(SystemExit):
            main(["models", "combine", "b", *wrong])
        assert "on both sides of --then" in capsys.readouterr().err
