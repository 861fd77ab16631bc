# SPDX-License-Identifier: MIT
"""Runs the original HTDemucs on seeded random weights; writes what test_htdemucs_parity.py compares with.

In an environment with torch for the CPU: pip install demucs==4.1.0. Then
    python tests/parity/make_htdemucs_reference.py
writes tests/parity/htdemucs.npz (outputs of the networks for one segment, parts of the stems of recordings) and
htdemucs_package.th, a very small package as Demucs and torch write it.
"""

import random
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from demucs.api import Separator
from demucs.htdemucs import HTDemucs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import htdemucs_case as case


def build(name: str, sizes: dict) -> HTDemucs:
    network = HTDemucs(**sizes)
    state = {
        key: torch.from_numpy(case.weight(name, key, tuple(old.shape))) for key, old in network.state_dict().items()
    }
    network.load_state_dict(state)
    return network.eval()


def package(network: HTDemucs, sizes: dict) -> dict:
    state = {name: values.half() for name, values in network.state_dict().items()}
    training = {"lr": np.float64(3e-4), "epochs": 360, "dset": {"segment": Fraction(11)}}
    return {"klass": HTDemucs, "args": (), "kwargs": sizes, "state": state, "training_args": training}


def network_outputs(network: HTDemucs) -> dict[str, np.ndarray]:
    """Both branches for the first segment of the recording, before they are added, thinned out."""
    seen = {}
    mask, inverse = network._mask, network._ispec
    network._mask = lambda mixture, spectrum: seen.setdefault("spectrum", spectrum) is None or mask(mixture, spectrum)
    network._ispec = lambda spectrum, length: seen.setdefault("added", inverse(spectrum, length))
    segment = torch.from_numpy(case.recording()[:, : case.SEGMENT])[None]
    whole = network(segment)
    network._mask, network._ispec = mask, inverse
    waveform = (whole - seen["added"])[0].flatten(0, 1)
    return {
        "spectrogram": seen["spectrum"][0].flatten(0, 1).numpy()[:, ::29, ::7],
        "waveform": waveform.numpy()[:, 3::97],
    }


def separate(folder: Path, name: str, mixture: np.ndarray, leads: tuple[int, ...] = ()) -> dict[str, np.ndarray]:
    """Stems by name; `leads` are the silences before the recording in as many shifted passes."""
    separator = Separator(model=name, repo=folder, device="cpu", shifts=len(leads))
    offsets = iter([case.SAMPLE_RATE // 2 - lead for lead in leads])
    with mock.patch.object(random, "randint", side_effect=offsets):
        _, stems = separator.separate_tensor(torch.from_numpy(mixture), case.SAMPLE_RATE)
    return {stem: samples.numpy() for stem, samples in stems.items()}


def main() -> None:
    results = {}
    with torch.no_grad(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, sizes in case.CASES.items():
            network = build(title, sizes)
            torch.save(package(network, sizes), folder / f"case{title}.th")
            (folder / f"{title}.yaml").write_text(f"models: ['case{title}']\n")
            results |= {f"{title}/{part}": values for part, values in network_outputs(network).items()}
        for stem in case.FOUR:
            torch.save(package(build(stem, case.CASES["4"]), case.CASES["4"]), folder / f"{stem}.th")
        rows = [[float(row == column) for column in range(4)] for row in range(4)]
        (folder / "ft.yaml").write_text(f"models: {case.FOUR}\nweights: {rows}\n")
        mixture, short = case.recording(), case.recording(case.SHORT_SAMPLES)
        for title in ("4", "6", "ft"):
            for stem, samples in separate(folder, title, mixture).items():
                results[f"{title}/{stem}"] = case.kept(samples)
                print(title, stem, "rms", np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
        for stem, samples in separate(folder, "4", short).items():
            results[f"short/{stem}"] = samples[:, ::29]
        for stem, samples in separate(folder, "4", mixture, case.SHIFT_LEADS).items():
            results[f"shifts/{stem}"] = case.kept(samples)[:, ::2]
    np.savez_compressed(HERE / "htdemucs.npz", **results)
    small = {**case.SIZES, "sources": case.FOUR, "channels": 4, "depth": 1, "nfft": 256, "t_layers": 1, "t_heads": 1}
    torch.save(package(build("small", small), small), HERE / "htdemucs_package.th")


if __name__ == "__main__":
    main()
