# SPDX-License-Identifier: MIT
"""The application of a self-contained bundle on a screen that nobody sees and a sound card that is none."""

import contextlib
import os
import re
import subprocess
from pathlib import Path

import pytest
from host_tools import wait_for
from stemlane.plugin import install

NO_SOUND_CARD = "pcm.!default { type null }\nctl.!default { type null }\n"


@pytest.fixture
def screen():
    """DISPLAY of a screen of its own (Debian: apt-get install xvfb)."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as said:
            number = said.readline().strip()
        assert number, "Xvfb does not start"
        yield f":{number}"
        server.terminate()


def engines_of(application: int, executable: Path) -> list[int]:
    """Process ids of what an application has started and what runs `executable` by now."""
    found = []
    for children in Path(f"/proc/{application}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread or process that has ended
            pids = children.read_text(encoding="ascii").split()
            found += [int(pid) for pid in pids if os.readlink(f"/proc/{pid}/exe") == str(executable)]
    return found


def libraries_of(process: int) -> set[Path]:
    """Files that a process has mapped."""
    lines = Path(f"/proc/{process}/maps").read_text(encoding="utf-8").splitlines()
    return {Path(line.split(maxsplit=5)[5]) for line in lines if "/" in line}


def test_it_starts_with_the_engine_python_and_models_of_its_bundle(screen, tmp_path):
    bundle = install.make_bundle(tmp_path / "Schöne Plugins")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".asoundrc").write_text(NO_SOUND_CARD, encoding="ascii")
    (application,) = bundle.glob("Contents/*/Stemlane")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "DISPLAY": screen}
    with subprocess.Popen([application], env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            executable = application.with_name("stemlane-engine")
            wait_for(lambda: engines_of(running.pid, executable), seconds=60.0)
            (engine,) = engines_of(running.pid, executable)
            # onnxruntime comes last: Python, packages and the model's manifest have been found by then.
            wait_for(lambda: any("onnxruntime" in path.name for path in libraries_of(engine)), seconds=60.0)
            python = {path for path in libraries_of(engine) if "python" in str(path)}
            assert python and all(path.is_relative_to(bundle) for path in python)
            assert running.poll() is None
        finally:
            running.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(timeout=20)
            running.kill()
    wait_for(lambda: not Path(f"/proc/{engine}").exists())


def test_it_needs_no_sound_card_and_remembers_its_window(screen, tmp_path):
    bundle = install.make_bundle(tmp_path / "plugins")
    settings = tmp_path / "home" / ".config" / "stemlane" / "application.xml"
    (application,) = bundle.glob("Contents/*/Stemlane")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "DISPLAY": screen}
    settings.parent.mkdir(parents=True)
    for window in ("", "60 40 720 560"):
        # As a run before this one would have left it; the version tells that this one has written it.
        settings.write_text(f'<PROPERTIES><VALUE name="window" val="{window}"/></PROPERTIES>', encoding="utf-8")
        with subprocess.Popen([application], env=environment, stderr=subprocess.DEVNULL) as running:
            try:
                wait_for(lambda: 'name="version"' in settings.read_text(encoding="utf-8"), seconds=60.0)
                assert running.poll() is None
            finally:
                running.kill()
        written = settings.read_text(encoding="utf-8")
        (kept,) = re.findall('name="window" val="([^"]+)"', written)
        assert kept == window or not window
