# SPDX-License-Identifier: MIT
"""Runs the original MDX23C on seeded random weights; writes what test_mdx23c_parity.py compares with.

In an environment with torch for the CPU, with mdx23c_tfc_tdf_v3.py of
github.com/ZFTurbo/Music-Source-Separation-Training (June 2026) in the folder that is given:
    python tests/parity/make_mdx23c_reference.py FOLDER
writes tests/parity/mdx23c.npz: the stems of one segment, thinned out, and the shapes of all weights.
"""

import sys
import types
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), sys.argv[1]]
# The one thing it takes from the trainer: the names of the stems.
trainer = types.ModuleType("utils.model_utils")
trainer.prefer_target_instrument = lambda config: config.training.instruments
sys.modules |= {"utils": types.ModuleType("utils"), "utils.model_utils": trainer}

from mdx23c_tfc_tdf_v3 import TFC_TDF_net
from support import mdx23c_case as case


def main() -> None:
    settings = types.SimpleNamespace(
        audio=types.SimpleNamespace(**case.AUDIO), model=types.SimpleNamespace(**case.MODEL),
        training=types.SimpleNamespace(instruments=case.INSTRUMENTS))  # fmt: skip
    network = TFC_TDF_net(settings)
    shapes = {name: tuple(old.shape) for name, old in network.state_dict().items()}
    network.load_state_dict(
        {name: torch.from_numpy(case.weight(name, shape)).float() for name, shape in shapes.items()}
    )
    network.eval()
    with torch.no_grad():
        stems = network(torch.from_numpy(case.recording())[None])[0].numpy()
    print("rms", np.sqrt(np.mean(stems**2, axis=(1, 2))), "peak", np.abs(stems).max())
    names = np.array([f"{name} {' '.join(map(str, shape))}" for name, shape in shapes.items()])
    np.savez_compressed(HERE / "mdx23c.npz", stems=stems[:, :, ::3], names=names)


if __name__ == "__main__":
    main()
