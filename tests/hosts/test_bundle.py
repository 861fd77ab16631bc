# SPDX-License-Identifier: MIT
"""The self-contained bundle: complete, small, movable, read-only; and engines in Pythons that are programs only."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stemlane.plugin import install, places, python_copy
from support.audio_files import RATE, encode, music, vbr_mp3
from support.tiny_mdx import network

# The limits: what a musician's disk and connection are asked for.
MOST_UNPACKED_BYTES = 160e6
# Libraries of any Linux system: the C and C++ libraries. The rest has to be in the bundle.
SYSTEM_LIBRARIES = ("ld-linux", "libc.", "libm.", "libdl.", "libpthread.", "librt.", "libgcc_s.", "libstdc++.")

BOUNCE = """
import os, sys
import numpy as np
import pedalboard
from pathlib import Path
from stemlane.plugin.status import plugin_status
from host_tools import engines, noise

plugin = pedalboard.load_plugin(sys.argv[1])
plugin.vocals_mute = True
mixture = noise(2, 20000, seed=81)
out = plugin.process(mixture, 44100.0)
status = plugin_status(plugin)
print(status.engine_state, bool(np.array_equal(out, mixture)), status.engine_text, sep="|")
for pid in engines():
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if ".so" in line or "bin/" in line:
            print(line.split(maxsplit=5)[5])
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A self-contained bundle in a folder with spaces and umlauts, in which nothing can be written."""
    made = install.make_bundle(tmp_path_factory.mktemp("Zwölf schöne Plugins"))
    folders = [made, *(path for path in made.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield made
    for folder in folders:
        folder.chmod(0o755)


@pytest.fixture
def empty_home(tmp_path):
    """Environment of a user who has nothing: no models, no configuration, no Python named."""
    return {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")} | {"STEMLANE_PYTHON": ""}


def command_of(bundle, *arguments, **environment):
    """Standard output of the command line that is in the bundle."""
    command = [bundle / "Contents" / "Resources" / "stemlane", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "/nowhere", **environment}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=120).stdout


def engine_command(bundle, *arguments, check=True, **environment):
    """What the editor runs: a command in the engine's Python."""
    command = [bundle / "Contents" / "x86_64-linux" / "stemlane-engine", "--command", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "/nowhere", **environment}
    return subprocess.run(command, check=check, capture_output=True, text=True, env=environment, timeout=240)


def test_its_engine_separates_with_nothing_but_the_c_library_from_outside(bundle, run_script, empty_home):
    state, *loaded = run_script(BOUNCE, bundle, **empty_home).splitlines()
    assert state.split("|")[:2] == ["ready", "False"], state
    outside = {path for path in loaded if not Path(path).is_relative_to(bundle)}
    assert len(loaded) > len(outside) and any("onnxruntime" in path for path in loaded)
    assert {path for path in outside if not Path(path).name.startswith(SYSTEM_LIBRARIES)} == set()


def test_a_bundle_of_a_python_that_is_no_library_is_as_self_contained(run_script, empty_home, tmp_path, monkeypatch):
    monkeypatch.setattr(python_copy, "shared_library", lambda: None)
    bundle = install.make_bundle(tmp_path / "Zwölf schöne Plugins")
    state, *loaded = run_script(BOUNCE, bundle, **empty_home).splitlines()
    assert state.split("|")[:2] == ["ready", "False"], state
    outside = {path for path in loaded if not Path(path).is_relative_to(bundle)}
    assert {path for path in outside if not Path(path).name.startswith(SYSTEM_LIBRARIES)} == set()
    assert command_of(bundle, "plugin", "path", **empty_home) == f"{bundle}\n"


def test_its_python_finds_modules_nowhere_else(bundle):
    python = places.bundled_python(bundle)
    script = "import sys; print(sys.executable, sys.prefix, *sys.path, sep='\\n')"
    done = subprocess.run([python, "-I", "-c", script], check=True, capture_output=True, text=True)
    paths = [Path(line).resolve() for line in done.stdout.splitlines()]
    assert len(paths) >= 4 and all(path.is_relative_to(places.python_folder(bundle)) for path in paths)


def test_its_size_is_within_the_limit(bundle):
    sizes = [path.stat().st_blocks * 512 for path in bundle.rglob("*") if not path.is_symlink()]
    assert sum(sizes) < MOST_UNPACKED_BYTES
    links = [path for path in bundle.rglob("*") if path.is_symlink()]
    assert all(path.resolve().is_relative_to(bundle) and not path.readlink().is_absolute() for path in links)


@pytest.mark.parametrize("ending", ["wav", "mp3"])
def test_its_engine_separates_files_as_the_editor_asks_it_to(bundle, tmp_path, empty_home, ending):
    song = tmp_path / f"Lied für Ö.{ending}"
    if ending == "mp3":
        vbr_mp3(song, music(RATE))
    else:
        soundfile.write(song, music(RATE).T, RATE, subtype="FLOAT")
    arguments = ["separate", song, "-o", tmp_path / "out", "--model", "live", "--format", "flac", "--json"]
    lines = engine_command(bundle, *arguments, **empty_home).stdout.splitlines()
    outputs = json.loads(lines[-1])["outputs"]
    assert set(outputs) == {"vocals", "drums", "bass", "other"}
    stems = [soundfile.read(path, dtype="float32")[0] for path in outputs.values()]
    mixture = soundfile.read(song, dtype="float32")[0]
    # Half a step of 24 bits for each of four stems, and their sum in float32.
    np.testing.assert_allclose(np.sum(stems, axis=0), mixture, rtol=0, atol=3 * 2.0**-23)
    assert max(np.abs(stem).max() for stem in stems) > 0.01


def test_what_needs_ffmpeg_is_named(bundle, tmp_path, empty_home):
    """FFmpeg is larger than what the limit leaves."""
    song = encode(tmp_path / "song.m4a", music(RATE), "aac")
    words = "needs FFmpeg, which the plugin's own Python does not have; the Python package's command has it"
    separate = ["separate", song, "-o", tmp_path / "out"]
    done = engine_command(bundle, *separate, check=False, **empty_home)
    assert (done.returncode, done.stderr) == (1, f"stemlane: {song}: M4A {words}\n")
    done = engine_command(bundle, *separate, "--format", "mp3", check=False, **empty_home)
    assert done.stderr == f"stemlane: format mp3 {words}. Formats that need none: wav, flac, ogg\n"


def test_its_engine_adds_models_of_local_files_and_can_download_others(bundle, tmp_path, empty_home):
    rows = [json.loads(line) for line in command_of(bundle, "models", "list", "--json", **empty_home).splitlines()]
    assert {row.get("problem", "") for row in rows} == {""} and {row["installed"] for row in rows} == {True, False}
    weights = tmp_path / "UVR-MDX Tiny_1.onnx"
    weights.write_bytes(network(70, 12))
    numbers = ["--n-fft", "4096", "--compensation", "1.5", "--stem", "vocals", "--name", "tiny"]
    engine_command(bundle, "models", "add", "mdx", "--from", weights, *numbers, **empty_home)
    assert command_of(bundle, "models", "verify", "tiny", **empty_home) == "tiny: ok, gives the known output\n"
    # TLS is the system's, with its certificates.
    script = "import ssl, sys; print(ssl.create_default_context().verify_mode.name, ssl.OPENSSL_VERSION_INFO[0])"
    python = [places.bundled_python(bundle), "-I", "-c", script]
    assert subprocess.run(python, check=True, capture_output=True, text=True).stdout == "CERT_REQUIRED 3\n"


def test_it_says_nothing_about_where_it_was_built(bundle):
    """No compiled module, record or configuration names a folder of the builder."""
    builder = [os.fsencode(path) for path in (sys.prefix, Path(__file__).parents[2], bundle.parent)]
    named = [path for path in bundle.rglob("*") if path.is_file() and any(one in path.read_bytes() for one in builder)]
    assert named == []


def test_its_command_line_knows_its_bundle_and_models(bundle, tmp_path, empty_home):
    assert command_of(bundle, "plugin", "path", **empty_home) == f"{bundle}\n"
    assert command_of(bundle, "models", "list", **empty_home).startswith("live ")
    link = tmp_path / "stemlane"
    link.symlink_to(bundle / "Contents" / "Resources" / "stemlane")
    done = subprocess.run([link, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("stemlane ")


def test_it_installs_itself_whole(bundle, run_script, empty_home):
    target = Path(command_of(bundle, "plugin", "install", **empty_home).strip())
    assert target == Path(empty_home["HOME"]) / ".vst3" / "Stemlane.vst3"
    assert run_script(BOUNCE, target, **empty_home).startswith("ready|False")
    command_of(bundle, "plugin", "install", **empty_home)  # over a read-only one
    command_of(target, "plugin", "uninstall", **empty_home)  # by the very Python that goes away
    assert list(target.parent.iterdir()) == []


def test_an_installation_that_breaks_off_leaves_nothing(bundle, tmp_path, monkeypatch):
    def full(source, target, **_):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr("shutil.copy2", full)
    with pytest.raises(install.PluginError, match="No space left on device"):
        install.make_bundle(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def program_only_python(tmp_path):
    """An environment whose Python is no library, as in many distributions, with this environment's packages."""
    folder = tmp_path / "Python ohne Bücherei"
    subprocess.run(
        [Path(sys.base_prefix) / "bin" / "python3", "-m", "venv", "--copies", "--without-pip", folder], check=True
    )
    packages = next(folder.glob("lib/python3*/site-packages"))
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin" / "python3"


def test_a_python_that_is_no_library_runs_the_engine_too(run_script, tmp_path, program_only_python):
    copy = tmp_path / "Stemlane.vst3"
    shutil.copytree(places.plugin_path(), copy)
    places.engine_configuration(copy).write_text(f"python={program_only_python}\n", encoding="utf-8")
    state, *loaded = run_script(BOUNCE, copy, STEMLANE_PYTHON="").splitlines()
    assert state.split("|")[:2] == ["ready", "False"], state
    assert any(Path(path) == program_only_python for path in loaded)
    assert not [path for path in loaded if "libpython" in path]


def test_a_python_of_another_version_is_refused_by_name(run_script, tmp_path):
    """It would misread our objects. A stand-in says another version and is Python for the rest."""
    copy = tmp_path / "Stemlane.vst3"
    shutil.copytree(places.plugin_path(), copy)
    library = python_copy.shared_library()
    assert library is not None, "these tests want a Python with a shared library, like Debian's"
    for name in ("bin", "lib"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "python3").touch()
    source = tmp_path / "version.c"
    source.write_text('const char *Py_GetVersion(void) { return "9.8.7 (made up)"; }\n', encoding="ascii")
    compiler = ["cc", "-shared", "-fPIC", "-Wl,--no-as-needed"]
    subprocess.run([*compiler, source, library, "-o", tmp_path / "lib" / library.name], check=True)
    state = run_script(BOUNCE, copy, STEMLANE_PYTHON=str(tmp_path / "bin" / "python3")).splitlines()[0]
    assert state.startswith("failed|True")
    assert "Python from STEMLANE_PYTHON is 9.8.7 (made up), but this engine is for 3." in state
    assert "run 'stemlane plugin install' again" in state
