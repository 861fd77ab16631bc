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
import sysconfig
import tempfile
import time
import venv
from pathlib import Path

import numpy as np
import soundfile
from stemlane.files.reading import AudioInput

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_RATE = 44100
SECONDS = 25
DOCUMENTED = {"editor.png": "editor.png", "files.png": "files.png"}
# Scripts in the engine's place, by the state they lead to. Memory is address space: Python starts, and what it loads
# has no room.
STAND_INS = {
    "no-memory": 'ulimit -v 140000\nexec "$0.real" "$@"',
    "stopped": "exit 3",
    "hangs": "exec sleep 600",
}
# A device that computes wrongly: onnxruntime seems to have one, where all weights have a gain. With one that is no
# number the processor is wrong, too.
MADE_UP_DEVICE = """
import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

GAIN = np.float32("{gain}")
CPU = ["CPUExecutionProvider"]
real = onnxruntime.InferenceSession


def session(path, options, *, providers):
    if providers == CPU and not np.isnan(GAIN):
        return real(path, options, providers=CPU)
    network = onnx.load(path)
    for tensor in network.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array(values * GAIN, tensor.name))
    return real(network.SerializeToString(), options, providers=CPU)


onnxruntime.InferenceSession = session
onnxruntime.get_available_providers = lambda: ["CUDAExecutionProvider", *CPU]
"""


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
    for state, script in STAND_INS.items():
        song = [excerpt] if state == "no-memory" else []
        arguments = [folder, options.model, "--failed", state, *song]
        run_with_stand_in(script, options.program, arguments, environment | home)
    one = [options.program, folder, options.model]
    run_on_broken_device("1.01", [*one, "--ready", "provider-refused"], environment | home)
    run_on_broken_device("nan", [*one, "--failed", "no-sound"], environment | home)
    crash([options.program, folder, options.model, "--failed", "crashed"], environment | home)
    for name, documented in DOCUMENTED.items():
        shutil.copyfile(folder / name, ROOT / "docs" / documented)


def run_with_stand_in(script: str, program: Path, arguments: list[str | Path], environment: dict[str, str]) -> None:
    """Run a copy of the program with a script in the engine's place, which lies beside it as `stemlane-engine.real`."""
    with tempfile.TemporaryDirectory() as name:
        for file in (program, program.with_name("models.index"), *program.parent.glob("*stemlane-engine*")):
            shutil.copy(file, name)
        engine = Path(name, "stemlane-engine")
        engine.rename(engine.with_suffix(".real"))
        engine.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        engine.chmod(0o755)
        subprocess.run([Path(name, program.name), *arguments], env=environment, check=True)


def run_on_broken_device(gain: str, command: list[str | Path], environment: dict[str, str]) -> None:
    """Run a command whose engines have a device that computes wrongly, which the user's settings ask for."""
    with tempfile.TemporaryDirectory() as name:
        venv.create(name, symlinks=True)
        [packages] = Path(name).glob("lib/python*/site-packages")
        (packages / "made_up_device.py").write_text(MADE_UP_DEVICE.format(gain=gain), encoding="utf-8")
        real = sysconfig.get_path("purelib")
        (packages / "made_up_device.pth").write_text(f"{real}\nimport made_up_device\n", encoding="utf-8")
        settings = Path(name, "stemlane", "engine.conf")
        settings.parent.mkdir()
        settings.write_text("provider=cuda\n", encoding="ascii")
        own = {"STEMLANE_PYTHON": str(Path(name, "bin", "python")), "XDG_CONFIG_HOME": name}
        subprocess.run(command, env=environment | own, check=True)


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
