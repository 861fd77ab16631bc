# SPDX-License-Identifier: MIT
"""The worker: what the engine executable relies on."""

import subprocess
import sys

import numpy as np
import pytest
from stemlane.engine.worker import Worker
from stemlane.errors import StemlaneError
from support.tiny_models import build_model


def test_numbers_and_names(tiny_models):
    worker = Worker("mix", 44100.0, 2)
    assert worker.model_rate == 44100
    assert (worker.stride_samples, worker.delay_samples, worker.compute_allowance_samples) == (2048, 3584, 4096)
    worker = Worker("mix", 88200.0, 2)  # its frames follow the rate
    assert worker.model_rate == 88200
    assert (worker.stride_samples, worker.delay_samples, worker.compute_allowance_samples) == (4096, 7168, 8192)
    assert worker.stems == ("vocals", "drums", "bass") and worker.residual == "other"


def test_process_and_reset(tiny_models):
    worker = Worker("live", 44100, 2)
    ring = np.random.default_rng(19).uniform(-1, 1, (2, 9000)).astype(np.float32)
    view = ring[:, 500:4500]  # rows apart, as in the shared memory
    first = worker.process(view)
    assert first.dtype == np.float32 and first.flags.c_contiguous
    assert first.shape == (3, 2, 3584 - 512)  # 7 whole strides less the delay
    np.testing.assert_allclose(first[0], 0.5 * view[:, : first.shape[2]], atol=1e-6)  # float32 transforms
    worker.reset()
    np.testing.assert_array_equal(worker.process(view), first)
    worker.reset()
    focused = worker.process(view, np.float32([100, 50, 50, 50]))  # shares 1/2, 1/4, 1/8, 1/8: the first becomes 1/9
    np.testing.assert_allclose(focused[0], view[:, : first.shape[2]] / 9, atol=1e-6)


@pytest.mark.parametrize("arguments", [("nope", 44100, 2), ("mix", 1, 2), ("mix", 44100, 8), ("mix", "fast", 2)])
def test_errors_are_stemlane_errors_of_one_line(tiny_models, arguments):
    with pytest.raises(StemlaneError) as caught:
        Worker(*arguments)
    assert str(caught.value) and "\n" not in str(caught.value)


def test_networks_that_do_not_load_say_so_on_one_line(tmp_path):
    folder = build_model(tmp_path)
    (folder / "network.onnx").write_bytes(b"not a network")
    manifest = folder / "manifest.toml"
    import hashlib

    text = manifest.read_text(encoding="utf-8")
    old = next(line for line in text.splitlines() if line.startswith("sha256"))
    manifest.write_text(
        text.replace(old, f'sha256 = "{hashlib.sha256(b"not a network").hexdigest()}"'), encoding="utf-8"
    )
    with pytest.raises(StemlaneError, match="not a network onnxruntime can load") as caught:
        Worker(str(folder), 44100, 2)
    assert "\n" not in str(caught.value)


def test_import_is_light():
    heavy = "('soundfile', 'cffi', 'soxr')"
    script = f"import sys, stemlane.engine.worker; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
