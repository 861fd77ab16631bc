# SPDX-License-Identifier: MIT
"""The same seeded weights through the original Open-Unmix 1.3.0 (stored) and through Stemlane."""

import numpy as np
import onnxruntime
import pytest
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.open_unmix import models as open_unmix
from stemlane.catalog.convert.open_unmix.network import expected_shapes
from stemlane.engine.separator import Separator
from support import open_unmix_case as case
from support.spleeter_checkpoint import REFERENCES
from support.torch_files import write_torch


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights for every stem."""
    folder = tmp_path_factory.mktemp("weights")
    shapes = expected_shapes(case.HIDDEN, case.INPUT_BINS)
    paths = {}
    for number, stem in enumerate(case.STEMS):
        values = {name: case.weight(stem, name, shape) for name, shape in shapes.items()}
        paths[stem] = write_torch(folder / f"{stem}.pth", values, legacy=bool(number % 2))
    return paths


def convert(weights, folder, iterations):
    """Folders of the converted models, the longest window first."""
    description = Description("original", "Seeded", "1", "MIT", "drawn", "none")
    return open_unmix.convert(weights, description, folder, wiener_iterations=iterations)


@pytest.fixture(scope="module")
def reference():
    return np.load(REFERENCES / "open_unmix.npz")


def differences(model, reference, name):
    """Largest difference of every stem but the residual inside and at the ends, and of the residual."""
    stems = Separator(model).separate(case.recording(), case.SAMPLE_RATE)
    assert all(samples.shape == (2, case.NUM_SAMPLES) for samples in stems.values())
    found = {stem: np.abs(case.kept(stems[stem]) - reference[f"{name}_{stem}"]) for stem in case.STEMS}
    separated = np.stack([found[stem] for stem in case.STEMS[:-1]])
    inner = separated[:, :, : case.NUM_INNER_PARTS].max()
    return inner, separated[:, :, case.NUM_INNER_PARTS :].max(), found[case.STEMS[-1]].max()


def test_the_networks_alone(weights, reference, tmp_path):
    model = convert(weights, tmp_path, 0)[0]
    session = onnxruntime.InferenceSession(model / "network.onnx", providers=["CPUExecutionProvider"])
    (masks,) = session.run(["masks"], {"magnitude": case.spectrogram()[np.newaxis]})
    # float32 in another order; found: 1e-6. The project promises 1e-4.
    np.testing.assert_allclose(masks[0][:, :, ::6, ::16], reference["masks"][:3], rtol=0, atol=1e-5)


def test_nothing_is_computed_that_is_not_asked_for(weights, tmp_path):
    """Masks and magnitudes take 60 to 80 MB each for a window, used or not."""
    for iterations, name, num_stems in ((0, "masks", 3), (1, "magnitudes", 4)):
        (tmp_path / name).mkdir()
        model = convert(weights, tmp_path / name, iterations)[0]
        session = onnxruntime.InferenceSession(model / "network.onnx", providers=["CPUExecutionProvider"])
        assert [(tensor.name, tensor.shape[1]) for tensor in session.get_outputs()] == [(name, num_stems)]


def test_the_whole_separation(weights, reference, tmp_path):
    """The original hears the whole recording, a window some seconds: equal where the LSTM has forgotten the rest.

    These weights forget within a second, trained ones take longer. Ends are the original's: mirrored, and the LSTM
    begins and ends there.
    """
    tolerances = {"original": 1e-6, "original-3s": 1e-6, "original-1.5s": 1e-4}  # found: 6e-8, 1e-7, 4e-5
    for model in convert(weights, tmp_path, 0):
        for difference in differences(model, reference, "shares"):
            assert difference < tolerances[model.name], model.name


@pytest.mark.parametrize("name, iterations, of_residual", [("filtered", 1, 1e-3), ("filtered_twice", 2, 1e-2)])
def test_with_the_wiener_filter(weights, reference, tmp_path, name, iterations, of_residual):
    """The original's default, one iteration, and one more. Found: 8e-8; the project promises 1e-4.

    The original's stems do not add up to the mixture: what its filter takes for noise is missing. Here it stays in the
    residual.
    """
    model = convert(weights, tmp_path, iterations)[0]
    inner, ends, residual = differences(model, reference, name)
    assert inner < 1e-5 and ends < 1e-5
    assert residual < of_residual
