# SPDX-License-Identifier: MIT
"""Runs the original RoFormers on seeded random weights; writes what test_roformer_parity.py compares with.

In an environment with torch for the CPU, einops, beartype, rotary-embedding-torch and librosa, with the code of
github.com/ZFTurbo/Music-Source-Separation-Training (June 2026) in the folder that is given:
    python tests/parity/make_roformer_reference.py FOLDER
writes tests/parity/roformer.npz: what the networks hand to the inverse transform for one segment, and their stems for
each segment of a recording, both thinned out; and the shapes of all weights.
"""

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), sys.argv[1]]

from models.bs_roformer.bs_roformer import BSRoformer
from models.bs_roformer.mel_band_roformer import MelBandRoformer
from support import roformer_case as case


def main() -> None:
    results = {}
    original = torch.istft
    for title, sizes in case.CASES.items():
        network = (MelBandRoformer if title == "mel" else BSRoformer)(**sizes)
        shapes = {name: tuple(old.shape) for name, old in network.state_dict().items()}
        network.load_state_dict(
            {name: torch.from_numpy(case.weight(title, name, shape)).float() for name, shape in shapes.items()}
        )
        network.eval()
        seen: list[torch.Tensor] = []

        def inverse(values: torch.Tensor, seen=seen, **settings: object) -> torch.Tensor:
            seen.append(values)
            return original(values, **settings)

        with torch.no_grad(), mock.patch.object(torch, "istft", inverse):
            for number, (_, _, heard) in enumerate(case.segments()):
                stems = network(torch.from_numpy(np.ascontiguousarray(heard))[None])[0].numpy()
                stems = stems.reshape(sizes["num_stems"], 2, -1)
                results[f"{title}/stems{number}"] = stems[:, :, case.THINNED]
                print(title, number, "rms", np.sqrt(np.mean(stems**2, axis=(1, 2))))
        results[f"{title}/spectra"] = seen[0].numpy()[:, ::5, ::7]
        results[f"{title}/names"] = np.array([f"{name} {' '.join(map(str, shape))}" for name, shape in shapes.items()])
    np.savez_compressed(HERE / "roformer.npz", **results)


if __name__ == "__main__":
    main()
