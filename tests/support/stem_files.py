# SPDX-License-Identifier: MIT
"""Writes stem files of known samples and reads their streams as FFmpeg does."""

import json
import shutil
from pathlib import Path

import av
import numpy as np
import soundfile
from stemlane.files.encoding import Encoding
from stemlane.files.mp4_boxes import find_box
from stemlane.files.stem_file_writing import StemFileWriter

from support.audio_files import RATE, music


def streams(path: Path, kind: str) -> list[np.ndarray]:
    """Every stream as FFmpeg decodes it, (channels, samples) of its own type, without any of Stemlane's code."""
    found = []
    with av.open(str(path)) as container:
        count = len(container.streams.audio)
    for index in range(count):
        with av.open(str(path)) as container:
            frames = list(container.decode(container.streams.audio[index]))
            assert {frame.format.name for frame in frames} == {kind}
            found.append(np.concatenate([frame.to_ndarray() for frame in frames], axis=1))
    return found


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0].T


def stem_file(path: Path, samples: np.ndarray, *, bits="24") -> Path:
    """Write (5, 2, samples)."""
    path.touch()
    writer = StemFileWriter(path, Encoding("stem.mp4", bits), RATE, {})
    writer.write(samples)
    writer.close()
    return path


def five(num_samples: int) -> np.ndarray:
    """A mixture and the four stems it is the sum of, of 24 bits."""
    stems = [np.rint(0.3 * music(num_samples, seed=seed) * 2**23) / 2**23 for seed in range(4)]
    return np.stack([sum(stems), *stems]).astype(np.float32)


def renamed(path: Path, names: list[str]) -> Path:
    """A copy whose stems have names of the same total length, so that no size changes."""
    copy = path.with_name("renamed.stem.mp4")
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        box = find_box(file, [b"moov", b"udta", b"stem"])
        about = json.dumps({"version": 1, "stems": [{"name": name} for name in names]}).encode()
        file.seek(box.content)
        file.write(about.ljust(box.end - box.content, b"\0"))  # some writers end it with zeros
    return copy
