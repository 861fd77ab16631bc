# SPDX-License-Identifier: MIT
"""Draws the editor's pictures from the built plugin while it plays a song: `make pictures`.

Those of the documents go to docs/, all others, which are for looking at, to build/pictures.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from stemlane.files.reading import AudioInput

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_RATE = 44100
SECONDS = 25
DOCUMENTED = {"editor.png": "editor.png", "files.png": "files.png"}


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path, help="stemlane-editor-picture")
    parser.add_argument("song", type=Path, help="a recording at 44.1 kHz")
    parser.add_argument("--start", type=float, default=30.0, help="seconds into it (default: %(default)s)")
    parser.add_argument("--model", default="mix")
    options = parser.parse_args()
    with AudioInput(options.song) as source:
        if source.sample_rate != SAMPLE_RATE:
            parser.error(f"{options.song}: {source.sample_rate} Hz, should be {SAMPLE_RATE}")
        recording = np.concatenate(list(source.blocks()), axis=1)
    first = int(options.start * SAMPLE_RATE)
    part = np.broadcast_to(recording, (2, recording.shape[1]))[:, first : first + SECONDS * SAMPLE_RATE]
    folder = ROOT / "build" / "pictures"
    environment = os.environ | {"STEMLANE_PYTHON": sys.executable}
    frames = np.ascontiguousarray(part.T, dtype="<f4").tobytes()
    # The same part, as the file that is dropped.
    folder.mkdir(parents=True, exist_ok=True)
    excerpt = folder / f"{options.song.name.partition('.')[0].replace('_', ' ')}.wav"
    soundfile.write(excerpt, part.T, SAMPLE_RATE)
    command = [options.program, folder, options.model, excerpt]
    shutil.rmtree(Path(tempfile.gettempdir()) / "Music" / "Stemlane", ignore_errors=True)
    home = {"XDG_CACHE_HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home")}
    subprocess.run(command, input=frames, env=environment | home, check=True)
    # The same plugin, whose engine finds no Python.
    lost = environment | home | {"STEMLANE_PYTHON": "/opt/moved/bin/python3"}
    subprocess.run([options.program, folder, options.model, "--failed", "no-python"], env=lost, check=True)
    # And one without an engine beside it.
    with tempfile.TemporaryDirectory() as bare:
        alone = shutil.copy(options.program, bare)
        shutil.copy(options.program.with_name("models.index"), bare)
        subprocess.run([alone, folder, options.model, "--failed", "no-engine"], env=environment | home, check=True)
    crash([options.program, folder, options.model, "--failed", "crashed"], environment | home)
    for name, documented in DOCUMENTED.items():
        shutil.copyfile(folder / name, ROOT / "docs" / documented)


def crash(command: list[str | Path], environment: dict[str, str]) -> None:
    """Run a command, and let what it has started crash, which is the engine, as often as it comes back."""
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None:
            time.sleep(0.5)  # a picture is taken meanwhile
            for children in Path("/proc", str(process.pid), "task").glob("*/children"):
                with contextlib.suppress(OSError):
                    for child in map(int, children.read_text(encoding="ascii").split()):
                        os.kill(child, signal.SIGSEGV)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


if __name__ == "__main__":
    main()
