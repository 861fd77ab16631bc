# SPDX-License-Identifier: MIT
"""Runs the original Open-Unmix on seeded random weights; writes what test_open_unmix_parity.py compares with.

In an environment with torch: pip install openunmix==1.3.0 (its torchaudio is not needed here). Then
    python tests/parity/make_open_unmix_reference.py
writes tests/parity/open_unmix.npz (masks of the networks, parts of the stems of a recording without and with the
Wiener filter) and two small files as torch writes them, torch_zip.pth and torch_old.pth.
"""

import importlib
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import open_unmix_case as case


def original():
    """openunmix.model, without the package's own start, which wants torchaudio for files."""
    folder = importlib.util.find_spec("openunmix").submodule_search_locations[0]
    package = types.ModuleType("openunmix")
    package.__path__ = [folder]
    sys.modules["openunmix"] = package
    sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    return importlib.import_module("openunmix.model")


def main() -> None:
    model = original()
    networks = {}
    for stem in case.STEMS:
        network = model.OpenUnmix(case.NUM_BINS, 2, case.HIDDEN, max_bin=case.INPUT_BINS)
        state = network.state_dict()
        for name, values in state.items():
            if not name.endswith("num_batches_tracked"):
                values.copy_(torch.from_numpy(case.weight(stem, name, tuple(values.shape))))
        networks[stem] = network.eval()
    results = {}
    with torch.no_grad():
        magnitude = torch.from_numpy(case.spectrogram()).permute(0, 2, 1)[None]
        outputs = torch.stack([networks[stem](magnitude.clone())[0] for stem in case.STEMS])
        masks = (outputs / (1e-10 + outputs.sum(dim=0))).permute(0, 1, 3, 2).numpy()
        results["masks"] = masks[:, :, ::6, ::16].astype(np.float32)
        for name, iterations in case.FILTERS.items():
            separator = model.Separator(networks, niter=iterations, softmask=iterations == 0, wiener_win_len=300).eval()
            stems = separator(torch.from_numpy(case.recording())[None])[0].numpy()
            for stem, samples in zip(case.STEMS, stems, strict=True):
                results[f"{name}_{stem}"] = case.kept(samples)
                print(name, stem, "rms", np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    np.savez_compressed(HERE / "open_unmix.npz", **results)
    small = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(7)}
    module = torch.nn.Linear(3, 2)
    module.load_state_dict({"weight": small["a.weight"], "bias": torch.tensor([1.0, 2.0])})
    small |= module.state_dict()
    torch.save(small, HERE / "torch_zip.pth")
    torch.save(small, HERE / "torch_old.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
