# SPDX-License-Identifier: MIT
"""What is measured of a model's windows: numbers whose size is known, stored and shown."""

import numpy as np
import pytest
from stemlane.catalog import measured
from stemlane.cli.main import main
from stemlane.engine.session import SegmentSession, StatefulSession
from stemlane.engine.streaming import StreamingSeparator
from stemlane.manifests import registry
from stemlane.manifests.model import load_manifest
from support.tiny_htdemucs import build as build_htdemucs
from support.tiny_mdx import build_mdx
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter

pytestmark = pytest.mark.usefixtures("no_models", "trials_here")


def test_windows_that_do_not_show(tmp_path):
    """Masks that look two frames around: a short window with context is the long one, seams or none."""
    whole = load_manifest(build_spleeter(tmp_path, name="whole", segment_frames=256, stride_frames=200))
    short = load_manifest(build_spleeter(tmp_path, name="short", stride_frames=32, crossfade_frames=8))
    first, second = measured.measure([whole, short])
    assert set(first) == {"processor_seconds", "seam_db", "seam_largest"}
    assert second["window_sdr_db"] > 100 and first["seam_db"] < -100
    assert second["seam_largest"] < 1e-5 and second["processor_seconds"] > 0


def test_windows_that_show(tmp_path):
    """Without context, masks at a segment's edge lack their neighbours."""
    whole = load_manifest(build_spleeter(tmp_path, name="whole", segment_frames=256, stride_frames=200))
    hard = load_manifest(build_spleeter(tmp_path, name="hard", steepness=1.0))
    _, numbers = measured.measure([whole, hard])
    assert 5 < numbers["window_sdr_db"] < 60 and -60 < numbers["seam_db"] < -5
    assert 1e-4 < numbers["seam_largest"] < 0.5


@pytest.mark.parametrize("build", [
    lambda folder: build_spleeter(folder, stride_frames=32, crossfade_frames=8),
    lambda folder: build_spleeter(folder, segment_frames=64, stride_frames=64),
    build_mdx,
    lambda folder: build_htdemucs(folder)[0],
], ids=["context", "side by side", "mdx", "htdemucs"])  # fmt: skip
def test_the_cost_counts_the_segments_that_are_computed(tmp_path, monkeypatch, build):
    """Processor time is divided by how far they move on, so that it does not depend on the recording's length."""
    manifest = load_manifest(build(tmp_path))
    runs = 0
    for session in (StatefulSession, SegmentSession):

        def counted(self, run=session.run):
            nonlocal runs
            runs += 1
            return run(self)

        monkeypatch.setattr(session, "run", counted)
    separator = StreamingSeparator(manifest, manifest.sample_rate, 2)
    for num_samples in (70_000, 132_300):
        runs = 0
        noise = np.random.default_rng(4).uniform(-0.5, 0.5, (2, num_samples)).astype(np.float32)
        measured._separate(separator, noise)
        stride = measured._segment_stride(manifest)
        assert runs == measured._computed_samples(manifest, num_samples) / stride


def test_they_are_stored_and_shown(tmp_path, capsys):
    build_spleeter(tmp_path, name="segments")
    build_model(tmp_path, name="streams")
    for name in ("segments", "streams"):
        assert main(["models", "add", str(tmp_path / name)]) == 0
        assert main(["models", "verify", name]) == 0
        capsys.readouterr()
        assert main(["models", "show", name]) == 0
        said = capsys.readouterr().out
        assert ("cuts           other places for them, half a stride later, change" in said) == (name == "segments")
        assert ("s of one core for a second of music" in said) == (name == "segments")
    found = registry.find_model("segments").measured
    assert set(found) == {"processor_seconds", "seam_db", "seam_largest"}
    assert registry.find_model("streams").measured == {}


def test_the_song_itself(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(
        "stemlane.catalog.song.make_song", lambda: {"vocals": np.ones((2, 44100)), "other": np.ones((2, 44100))}
    )
    song = measured.recording(22050, 2.5)
    assert song.shape == (2, 55125) and song.dtype == np.float32
    np.testing.assert_allclose(song[:, 1000:20000], 2, atol=0.01)
