# SPDX-License-Identifier: MIT
"""Brings the graph of a model folder to the form that `export` writes now; the weights stay as they are.

Run as `python -m models.training.run.rework models/live`. Folders that link to the network get their manifests
by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import onnx

from .frames import FRAMES, compare, free_frames, run_in_steps
from .lighten import lighten

# Largest difference, relative to the largest spectrum value: masks differ in their last bit.
TOLERANCE = 1e-6


def rework(model: onnx.ModelProto, *, lookahead_frames: int) -> onnx.ModelProto:
    """The graph with lighter operators that takes any number of frames at once.

    Raises
    ------
    FramesError
        If the bits depend on how many frames come at once.
    """
    lighter = lighten(model)
    [size] = [tensor.type.tensor_type.shape.dim[3] for tensor in lighter.graph.input if tensor.name == "mixture"]
    if size.dim_param == FRAMES:
        return lighter
    freed = free_frames(lighter, lookahead_frames=lookahead_frames)
    compare(lighter.SerializeToString(), freed.SerializeToString())
    return freed


def rework_folder(folder: Path) -> float:
    """Rewrite the network of a folder and what its manifest says of it; returns the difference found."""
    network, manifest = folder / "network.onnx", folder / "manifest.toml"
    text, before = manifest.read_text(encoding="utf-8"), network.read_bytes()
    lookahead = int(re.search(r"(?m)^lookahead_frames = (\d+)$", text)[1])
    after = rework(onnx.load_from_string(before), lookahead_frames=lookahead).SerializeToString()
    mixture = np.random.default_rng(7).standard_normal((1, 2, 2, 64, 2049)).astype(np.float32)
    expected, found = run_in_steps(before, mixture, 1), run_in_steps(after, mixture, 1)
    difference = float(np.abs(found - expected).max() / np.abs(mixture).max())
    if not difference <= TOLERANCE:
        raise ValueError(f"{folder}: the graph's stems differ by {difference:.1e} of the input")
    text = re.sub(r"(?m)^sha256 = .*$", f'sha256 = "{hashlib.sha256(after).hexdigest()}"', text)
    if "free_frames" not in text:
        text = re.sub(r"(?m)^(lookahead_frames = .*)$", r"\1\nfree_frames = true", text)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        written = Path(temporary) / "network.onnx"
        written.write_bytes(after)
        os.replace(written, network)
    manifest.write_text(text, encoding="utf-8")
    return difference


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    for folder in parser.parse_args(arguments).folder:
        print(f"{folder}: differs by {rework_folder(folder):.1e} of the input")


if __name__ == "__main__":
    main()
