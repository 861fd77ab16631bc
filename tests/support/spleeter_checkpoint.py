# SPDX-License-Identifier: MIT
"""Puts a whole checkpoint together from an index TensorFlow wrote and weights that are drawn again from their seed."""

import shutil
from pathlib import Path

from stemlane.catalog.convert.readers.tf_checkpoint import read_index

from support import spleeter_case

REFERENCES = Path(__file__).resolve().parents[1] / "parity"


def write_checkpoint(case: str, folder: Path) -> Path:
    """Write `folder`/model.index and its data file; returns the prefix `folder`/model.

    The checksums in the index make sure that the weights are those the original ran with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    prefix = folder / "model"
    shutil.copy(REFERENCES / f"spleeter_{case}.index", f"{prefix}.index")
    data_path = Path(f"{prefix}.data-00000-of-00001")
    entries = read_index(f"{prefix}.index")
    with data_path.open("wb") as file:
        for name, entry in entries.items():
            file.seek(entry.offset)
            content = spleeter_case.weight(case, name, entry.shape).tobytes() if name != "global_step" else bytes(8)
            assert len(content) == entry.size_bytes
            file.write(content)
    return prefix
