# SPDX-License-Identifier: MIT
"""Runs the original SCNet on seeded random weights; writes what test_scnet_parity.py compares with.

In an environment with torch for the CPU, accelerate and tqdm, with the authors' code (github.com/starrytong/SCNet,
commit of 2024-07) in the folder that is given:
    python tests/parity/make_scnet_reference.py FOLDER
writes tests/parity/scnet.npz: outputs of the network for one segment, the stems of a recording, both thinned out.
"""

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), sys.argv[1]]

from scnet.apply import apply_model
from scnet.SCNet import SCNet
from support import scnet_case as case


def spectra(network: SCNet, segment: torch.Tensor) -> np.ndarray:
    """What the network hands to its inverse transform, (stems x 2, bins, frames) complex."""
    seen = []

    def inverse(values: torch.Tensor, **settings: object) -> torch.Tensor:
        seen.append(values)
        return original(values, **settings)

    original = torch.istft
    with mock.patch.object(torch, "istft", inverse):
        network(segment)
    return seen[0].numpy()


def main() -> None:
    network = SCNet(**case.SIZES)
    state = {name: torch.from_numpy(case.weight(name, tuple(old.shape))) for name, old in network.state_dict().items()}
    assert {name: tuple(values.shape) for name, values in state.items()} == case.shapes()
    network.load_state_dict(state)
    network.eval()
    mixture = torch.from_numpy(case.recording())
    with torch.no_grad():
        found = spectra(network, mixture[None, :, : case.SEGMENT])
        mono = mixture.mean(0)  # as scnet/inference.py does
        mean, deviation = mono.mean(), mono.std()
        stems = apply_model(
            network, (mixture - mean)[None] / deviation, shifts=0, overlap=0.5, segment=case.SEGMENT / case.SAMPLE_RATE
        )
        stems = (stems * deviation + mean)[0].numpy()
    for stem, samples in zip(case.SOURCES, stems, strict=True):
        print(stem, "rms", np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    np.savez_compressed(
        HERE / "scnet.npz", spectra=found[:, ::13, ::7], stems=stems[:, :, : case.COMPARED_SAMPLES : 11]
    )


if __name__ == "__main__":
    main()
