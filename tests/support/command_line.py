# SPDX-License-Identifier: MIT
"""What the tests of the command line share: recordings, one-line problems, what a folder holds, a process."""

import subprocess
import sys

import numpy as np
import soundfile
from stemlane.cli.main import main

RATE = 44100


def noise(num_channels, num_samples):
    return np.random.default_rng(43).uniform(-0.9, 0.9, (num_channels, num_samples)).astype(np.float32)


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.T, rate, subtype="FLOAT")
    return str(path)


def fails(capsys, arguments, words):
    """The command fails with one line on standard error that holds `words`."""
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("stemlane: ") and captured.err.count("\n") == 1
    assert words in captured.err


def everything_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "stemlane", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip
