# SPDX-License-Identifier: MIT
"""The same seeded weights through the original RoFormers (outputs stored) and through Stemlane."""

import numpy as np
import onnx
import pytest
from stemlane.catalog.convert.roformer import network
from stemlane.catalog.convert.roformer.bands import mel
from stemlane.catalog.convert.roformer.source import transform
from stemlane.catalog.convert.spectral_models import save_network
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from stemlane.engine.session import SegmentSession
from stemlane.engine.spectral.segment_spectra import SegmentSpectra
from support import roformer_case as case
from support.spleeter_checkpoint import REFERENCES
from support.tiny_roformer import architecture, checkpoint, seeded

# float32 in another order, of spectra that reach 4 and stems that reach 0.3. The project promises 1e-4.
SPECTRA_TOLERANCE, TOLERANCE = 2e-5, 2e-6


@pytest.fixture(scope="module")
def reference():
    return np.load(REFERENCES / "roformer.npz")


@pytest.mark.parametrize("title, most_values", [*((title, None) for title in case.CASES), ("mel", 70_000)])
def test_the_network_alone(title, most_values, tmp_path, reference, monkeypatch):
    """As a whole, and with layers in parts that are not of one size, as large networks have them."""
    if most_values:
        monkeypatch.setattr(network, "_MOST_INNER_VALUES", most_values)
    found = architecture(title)
    _, _, heard = case.segments()[0]
    graph = network.build_graph(found, seeded(title), range(found.num_stems), case.SEGMENT)
    path, _ = save_network(graph, tmp_path, case.SEGMENT, found.num_stems, transform(found))
    attentions = [node for node in onnx.load(path, load_external_data=False).graph.node
                  if node.op_type == "MultiHeadAttention"]  # fmt: skip
    assert (len(attentions) > 2 * sum(found.depths)) == (most_values is not None)
    spectra = SegmentSpectra(512, case.HOP, case.SEGMENT, bins=257, normalised=False, frames="centred").analyse(heard)
    sizes = (spectra.shape[1], 257)
    session = SegmentSession(
        path, inputs={"spectrogram": (*sizes, 4)}, outputs={"stem_spectrograms": (*sizes, 4 * found.num_stems)},
        threads=1)  # fmt: skip
    session.inputs["spectrogram"].view(np.complex64)[...] = spectra.transpose(1, 2, 0)
    session.run()
    given = session.outputs["stem_spectrograms"].view(np.complex64).transpose(2, 1, 0)
    assert np.abs(given).max() > 1
    assert np.abs(given[:, ::5, ::7] - reference[f"{title}/spectra"]).max() < SPECTRA_TOLERANCE


@pytest.mark.parametrize("title", case.CASES)
def test_files_from_the_checkpoint_on(title, tmp_path, reference, monkeypatch):
    """Segments as the original separates them, joined with triangular weights."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    path = checkpoint(tmp_path, title)
    config = ["--config", str(path.with_suffix(".yaml"))]
    assert main(["models", "add", "roformer", "--from", str(path), *config]) == 0
    mixture = case.recording()
    stems = Separator(title).separate(mixture, case.SAMPLE_RATE)
    triangle = 1 - np.abs(np.arange(case.SEGMENT) + 0.5 - case.SEGMENT / 2) / (case.SEGMENT / 2)
    total, weight_sum = np.zeros(mixture.shape), np.zeros(case.NUM_SAMPLES)
    known = np.zeros(case.NUM_SAMPLES, dtype=int)
    for number, (start, before, _) in enumerate(case.segments()):
        places = np.arange(case.SEGMENT)[case.THINNED]
        length = min(case.SEGMENT, case.NUM_SAMPLES - start)
        kept = (places >= before) & (places < before + length)
        offsets = places[kept] - before
        total[:, start + offsets] += reference[f"{title}/stems{number}"][0][:, kept] * triangle[offsets]
        weight_sum[start + offsets] += triangle[offsets]
        known[start + offsets] += 1
    # Where every segment that reaches a sample has kept it.
    covering = np.zeros(case.NUM_SAMPLES, dtype=int)
    for start, _, _ in case.segments():
        covering[start : start + case.SEGMENT] += 1
    whole = known == covering
    assert whole.sum() > case.NUM_SAMPLES // 60
    expected = total[:, whole] / weight_sum[whole]
    assert np.abs(expected).max() > 0.05
    assert np.abs(stems["vocals"][:, whole] - expected).max() < TOLERANCE
    assert np.abs(stems["other"] + stems["vocals"] - mixture).max() < 1e-6


def test_mel_bands_are_those_of_the_published_networks():
    """60 bands of 1025 bins, in lengths as the mel filters of librosa 0.11 give them."""
    bands = mel(60, 2048, 44100)
    assert [(band.start, band.end) for band in bands[:3]] == [(0, 7), (4, 10), (7, 13)]
    assert bands[-1].end == 1025
    held = np.zeros(1025, int)
    for band in bands:
        held[band.start : band.end] += 1
    assert held.min() == 1 and held.max() == 2
