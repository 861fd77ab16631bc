# SPDX-License-Identifier: MIT
"""The same seeded weights and recordings through the original Spleeter 2.4.2 (stored) and through Stemlane."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.readers.tf_checkpoint import Checkpoint
from stemlane.catalog.convert.spleeter.models import convert
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from support import spleeter_case
from support.spleeter_checkpoint import REFERENCES, write_checkpoint

# Both compute in float32, in another order; found: 4e-6 of full scale. The project promises 1e-4.
TOLERANCE = 2e-5


def convert_case(name: str, scratch: Path, wiener_iterations: int = 0) -> list[Path]:
    """The model folders of a case."""
    case = spleeter_case.CASES[name]
    checkpoint = Checkpoint(write_checkpoint(name, scratch / "checkpoint"))
    folder = scratch / "models"
    folder.mkdir()
    return convert(
        checkpoint, name, Description("original", "Seeded", "1", "MIT", "drawn", "none"), folder,
        network_bins=case.network_bins, mask_extension=case.mask_extension, wiener_iterations=wiener_iterations,
    )  # fmt: skip


@pytest.fixture(scope="module", params=spleeter_case.CASES)
def converted(request):
    """Name of the case, its model folders; the weights are large, so they go at once."""
    with tempfile.TemporaryDirectory() as scratch:
        yield request.param, convert_case(request.param, Path(scratch))


def test_files_in_to_files_out(converted, tmp_path):
    name, (model, *_) = converted
    soundfile.write(tmp_path / "song.wav", spleeter_case.recording(name).T, spleeter_case.SAMPLE_RATE, subtype="FLOAT")
    assert main(["separate", str(tmp_path / "song.wav"), "-o", str(tmp_path), "--model", str(model)]) == 0
    reference = np.load(REFERENCES / f"spleeter_{name}.npz")
    for instrument in spleeter_case.CASES[name].instruments:
        samples, rate = soundfile.read(tmp_path / "song" / f"{instrument}.wav", dtype="float32")
        assert samples.shape == (spleeter_case.NUM_SAMPLES, 2) and rate == spleeter_case.SAMPLE_RATE
        np.testing.assert_allclose(spleeter_case.kept(samples.T), reference[instrument], rtol=0, atol=TOLERANCE)
        # Random errors of one size in all 600 001 samples would show as half that size here.
        found = spleeter_case.projections(samples.T)
        np.testing.assert_allclose(found, reference[f"{instrument}_projections"], rtol=0, atol=TOLERANCE)


def test_with_the_wiener_filter(tmp_path):
    """The original takes covariances from the whole recording, more than one segment, so it is heard beforehand.

    Its stems do not add up to the mixture, what its filter takes for noise is missing: here it stays in the residual.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model = convert_case(spleeter_case.FILTERED, Path(scratch), wiener_iterations=1)[0]
        mixture = spleeter_case.recording(spleeter_case.FILTERED)
        stems = Separator(model).separate(mixture, spleeter_case.SAMPLE_RATE)
    reference = np.load(REFERENCES / "spleeter_filtered.npz")
    for stem in list(stems)[:-1]:
        np.testing.assert_allclose(spleeter_case.kept(stems[stem]), reference[stem], rtol=0, atol=TOLERANCE)
        found = spleeter_case.projections(stems[stem])
        np.testing.assert_allclose(found, reference[f"{stem}_projections"], rtol=0, atol=TOLERANCE)


def test_short_windows_run_the_same_network(converted):
    name, (whole, *short) = converted
    mixture = spleeter_case.recording(name)[:, :100_000]
    stems = Separator(whole).separate(mixture, spleeter_case.SAMPLE_RATE)
    for folder in short:
        found = Separator(folder).separate(mixture, spleeter_case.SAMPLE_RATE)
        for stem, samples in stems.items():
            # Random weights look further than any trained ones; still nothing but the edges of the context differs.
            difference = np.sqrt(np.mean((found[stem] - samples) ** 2))
            assert difference < 0.2 * np.sqrt(np.mean(samples**2)), (folder.name, stem)
