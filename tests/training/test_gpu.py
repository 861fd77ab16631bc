# SPDX-License-Identifier: MIT
"""The kit for a GPU, rehearsed on the CPU: packing, unpacking, the same sums, a training in the background."""

import json
import time

import numpy as np
import pytest
import torch

from models.training.data import batches as cpu_batches
from models.training.data.batches import BatchMaker
from models.training.data.pool import STEMS, Pool, PoolError, save, save_song
from models.training.data.recipe import Recipe
from models.training.gpu import batches as gpu_batches
from models.training.gpu import pack, run
from models.training.network.configs import CONFIGS
from models.training.network.spectral import SAMPLE_RATE, window_pair
from models.training.run.train import parser
from models.training.run.trainer import Trainer

STFT = CONFIGS["mix"].stft


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A pool of tones, noise and a song, and its pack."""
    root = tmp_path_factory.mktemp("gpu")
    rng, time_ = np.random.default_rng(1), np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    for number, stem in enumerate((*STEMS, "instrumentals")):
        tone = 0.2 * np.sin(2 * np.pi * 110.0 * 2**number * time_)
        save(root / "pool" / stem / "a.npy", np.stack([tone, 0.5 * tone]))
    save_song(
        root / "pool" / "songs" / "band_1",
        {
            "drums": 0.05 * rng.standard_normal((2, len(time_))),
            "bass": 0.1 * np.stack([np.sin(2 * np.pi * 55.0 * time_)] * 2),
        },
    )
    sizes = pack.pack(Pool(root / "pool"), root / "pack", megabytes=5.0)
    return root, sizes


def test_a_pack_says_its_size_and_comes_back_as_it_sounded(packed):
    root, sizes = packed
    assert sum(sizes.values()) == pytest.approx(
        sum(path.stat().st_size for path in (root / "pack").glob("*.ogg")) / 1e6
    )
    audio, recordings = pack.unpack(root / "pack")
    assert sorted((recording.kind, recording.song) for recording in recordings) == sorted(
        [(kind, "") for kind in (*STEMS, "instrumentals")] + [("bass", "band_1"), ("drums", "band_1")]
    )
    pool = Pool(root / "pool")
    [vocals] = [recording for recording in recordings if recording.kind == "vocals"]
    decoded = audio[vocals.start : vocals.start + vocals.length].T / 32767.0
    original = pool.read(pool.single["vocals"][0], 0, vocals.length)
    # A codec at 72 kb/s keeps a tone to about 1 %; libsndfile counts its delay away.
    assert np.sqrt(((decoded - original) ** 2).mean() / (original**2).mean()) < 0.05


def test_a_pack_too_large_to_send_is_refused(packed, tmp_path):
    with pytest.raises(PoolError, match="61 MB cannot be sent"):
        pack.pack(Pool(packed[0] / "pool"), tmp_path, megabytes=61.0)
    with pytest.raises(PoolError, match="minutes of vocals"):
        pack.pack(Pool(tmp_path / "empty"), tmp_path, megabytes=1.0)


def test_the_sums_are_those_of_the_batches_made_on_the_cpu(packed, monkeypatch):
    scored, rng = slice(4, 16, 2), np.random.default_rng(3)
    stems = 0.1 * rng.standard_normal((len(STEMS), 2, 19 * STFT.hop_samples + STFT.fft_samples)).astype(np.float32)
    curve = rng.uniform(0.5, 2.0, (len(STEMS), 2, STFT.num_bins)).astype(np.float32)
    maker = BatchMaker(Pool(packed[0] / "pool"), STFT, batch=1, frames=20, seed=1, scored=scored)
    monkeypatch.setattr(maker, "draw_kind", lambda rng, kind: (stems, np.ones(len(STEMS))))
    monkeypatch.setattr(cpu_batches, "random_curve", lambda *_: curve)
    expected = next(batch for batch in map(maker.make, range(20)) if not flipped(batch, stems, curve))
    actual = gpu_batches.sums(torch.from_numpy(stems)[None], torch.from_numpy(curve)[None], STFT, scored)
    for name, value in zip(("energy", "cross", "product", "stem_energy"), actual, strict=True):
        wanted = getattr(expected, name)
        np.testing.assert_allclose(
            value.numpy(), wanted, rtol=2e-4, atol=1e-4 * np.abs(wanted).max(), err_msg=name
        )  # float32


def flipped(batch, stems, curve):
    """Whether the maker exchanged left and right, which it does for half of its excerpts."""
    frame = stems[:, :, : STFT.fft_samples]
    straight = np.abs((np.fft.rfft(frame * window_pair(STFT)[0]) * curve).sum(0)) ** 2
    return not np.allclose(batch.energy[0, 0].sum(-1), straight.sum(-1), rtol=1e-3)


def test_excerpts_are_read_where_and_as_fast_as_asked(packed):
    audio, recordings = pack.unpack(packed[0] / "pack")
    maker = gpu_batches.DeviceBatches(
        audio, recordings, STFT, batch=1, frames=20, scored=slice(4, 16, 2), device=torch.device("cpu"), seed=1
    )
    [bass] = [recording for recording in recordings if recording.kind == "bass" and not recording.song]  # 440 Hz
    places, speeds = np.full((1, 4), float(bass.start)), np.array([[1.0, 1.25, 0.8, 1.0]])
    excerpt = maker.read(places, speeds, np.array([[True, True, True, False]]))[0, :, 0].numpy()
    spectra = np.abs(np.fft.rfft(excerpt * np.hanning(excerpt.shape[1]), SAMPLE_RATE))
    assert spectra[:3].argmax(1).tolist() == pytest.approx([440, 550, 352], abs=2) and not excerpt[3].any()


def test_device_batches_hold_every_kind_and_score_what_is_known(packed):
    audio, recordings = pack.unpack(packed[0] / "pack")
    maker = gpu_batches.DeviceBatches(
        audio,
        recordings,
        STFT,
        batch=10,
        frames=20,
        scored=slice(4, 16, 2),
        device=torch.device("cpu"),
        seed=2,
        recipe=Recipe(drop_probability=(0.0,) * 4),
    )
    for index in range(3):
        energy, _, product, stem_energy, known = maker.make(index)
        assert (known.sum(1) == 1).sum() == 3 and (known.sum(1) == 4).sum() == 7 and known[:, 0].eq(1).all()
        torch.testing.assert_close(product.sum(2), energy[4:16:2], rtol=1e-3, atol=1e-3 * float(energy.max()))
        silent = stem_energy.sum((2, 3)) == 0.0
        assert silent[:, 0].sum() >= 2  # without vocals: the instrumental view and the real instrumental, at least
        assert torch.equal(energy, maker.make(index)[0])


def test_a_training_outlives_its_command_resumes_and_its_state_comes_back_in_pieces(packed, tmp_path, monkeypatch):
    folder, out = tmp_path / "run", tmp_path / "out"
    monkeypatch.setattr(run, "PIECE_BYTES", 200_000)
    options = [
        "--config",
        "smoke",
        "--minutes",
        "60",
        "--batch",
        "2",
        "--frames",
        "24",
        "--threads",
        "1",
        "--no-bfloat16",
    ]
    for steps in (2, 4):
        run.main(
            ["start", str(packed[0] / "pack"), str(folder), "--bench-seconds", "0", *options, "--max-steps", str(steps)]
        )
        deadline = time.monotonic() + 1200.0  # only so that it does not hang
        while run.alive(folder):
            assert time.monotonic() < deadline, (folder / "output.txt").read_text()
            time.sleep(0.2)
        run.main(["wait", str(packed[0] / "pack"), str(folder), "--out", str(out), "--seconds", "0"])
    names = sorted(path.name for path in out.iterdir())
    assert "average.pt" in names and len([name for name in names if name.startswith("checkpoint.pt.")]) > 1
    run.main(["join", str(out), str(tmp_path / "joined.pt")])
    content = torch.load(tmp_path / "joined.pt", weights_only=True)
    assert content["step"] == 4 and content["audio_seconds"] == pytest.approx(4 * 2 * 24 * 1024 / SAMPLE_RATE)
    average = torch.load(out / "average.pt", weights_only=True)
    assert all(torch.equal(value.half(), average[name]) for name, value in content["average"].items())
    trainer = Trainer(CONFIGS["smoke"], folder, run.NoPool(), parser().parse_args(options))
    assert trainer.step == 4 and json.loads((out / "batch.txt").read_text()) == 2


def test_the_batch_that_hears_most_is_chosen(packed, tmp_path, capsys):
    audio, recordings = pack.unpack(packed[0] / "pack")
    options = parser().parse_args(["--config", "smoke", "--frames", "24", "--threads", "1", "--no-bfloat16"])
    chosen = run.fastest_batch(options, tmp_path, audio, recordings, (1, 2), 0.4)
    speeds = {int(line.split()[1][:-1]): float(line.split()[2]) for line in capsys.readouterr().out.splitlines()}
    assert chosen == max(speeds, key=speeds.get)
