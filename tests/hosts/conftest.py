# SPDX-License-Identifier: MIT
"""What the tests in real hosts share: tiny models installed for a made-up user, and helpers around pedalboard.

The plugin under test is `stemlane.plugin_path()`; it is loaded as any user would.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stemlane.manifests.model import index_text
from stemlane.plugin.places import this_python
from support.tiny_models import build_model

# Gains of the stems that the tiny models separate: a stem is this part of the mixture.
TINY_STEMS = {"vocals": 0.5, "drums": 0.25, "bass": 0.125}


@pytest.fixture(scope="session")
def user_folder(tmp_path_factory):
    """Data of a user with the models `tiny-mix` and `tiny-live`, of the embedded models' sizes, and `tiny-fade`.

    `tiny-fade` starts silent and comes up within some steps: it remembers the past, so that a state that survives
    where it should not is heard.
    """
    home = tmp_path_factory.mktemp("user data")
    models = home / "stemlane" / "models"
    common = {"fft_samples": 2048, "hop_samples": 512}
    live = {"synthesis_samples": 1024, "frames_per_step": 1, "lookahead_frames": 0, "compute_allowance_samples": 1536}
    mix = {"synthesis_samples": 2048, "frames_per_step": 4, "lookahead_frames": 4, "compute_allowance_samples": 4096}
    build_model(models, name="tiny-live", **common, **live)
    build_model(models, name="tiny-mix", **common, **mix)
    build_model(models, name="tiny-fade", fade_in=True, **common, **mix)
    (models / "models.index").write_text(index_text(models), encoding="utf-8")
    return home


@pytest.fixture(scope="module", autouse=True)
def as_user(user_folder):
    """The tests of a module run as that user; those of other folders don't."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(user_folder))
        # Where the engine of a bundle outside of any environment finds its Python.
        patch.setenv("STEMLANE_PYTHON", os.environ.get("STEMLANE_PYTHON", str(this_python())))
        yield


@pytest.fixture
def script_command(user_folder):
    """Command line and environment that run Python code in a fresh process without a screen."""

    def command(code: str, *arguments, **environment) -> tuple[list[str], dict[str, str]]:
        variables = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
        # Scripts find the helpers of this folder; the engine must not care about PYTHONPATH.
        search = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables |= {"PYTHONPATH": os.pathsep.join(search), **environment}
        return [sys.executable, "-W", "error", "-c", code, *map(str, arguments)], variables

    return command


@pytest.fixture
def run_script(script_command):
    """Run Python code in a fresh process without a screen; returns its output, fails if it fails."""

    def run(code: str, *arguments, timeout: float = 120, **environment) -> str:
        command, variables = script_command(code, *arguments, **environment)
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout, env=variables)
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
