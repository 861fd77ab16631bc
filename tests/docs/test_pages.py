# SPDX-License-Identifier: MIT
"""Every command and script in the README and on the pages runs as it stands, in a folder with a short song.

Blocks marked `sh` and `python` run in order, each page's in a folder of its own; `text` marks those that
need a DAW, root or the network.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from support.audio_files import RATE, music

ROOT = Path(__file__).resolve().parents[2]
PAGES = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
         for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]}  # fmt: skip
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RUN_ELSEWHERE = {"docs/MODELS.md"}  # by test_models_page.py, which checks what comes out
SECONDS = 6
MUSIC = {"a": SECONDS, "deep/b": 1}
STEMS = ("vocals", "drums", "bass", "other")
# What must be there when a page has run, and how many seconds it holds.
RESULTS = {
    "README.md": {"stems/song/instrumental.wav": 6, "karaoke.wav": 6, "bounce.wav": 6},
    "docs/karaoke.md": {
        "stems/song/vocals.wav": 6, "stems/song/instrumental.wav": 6, "stems/song/other.wav": 6, "karaoke.flac": 6,
        "try/song/bass.wav": 3,
    },
    "docs/daw.md": {f"stems/song/{stem}.flac": 6 for stem in STEMS},
    "docs/pedalboard.md": {"karaoke.wav": 6, "bounce.wav": 6, "mix.wav": 6},
    "docs/batch.md": {
        "stems/deep/b/drums.wav": 1, "out/a/instrumental.mp3": 6, "flat/deep/b (bass).flac": 1, "vocals.wav": 6,
        "listed/a/vocals.wav": 6, "out/a/bass.wav": 6, "out/a/instrumental.flac": 6,
    },
    "docs/add-models.md": {f"compare/song-{stem}-{model}.wav": 3 for stem in STEMS for model in ("live", "mix")},
    "docs/cluster.md": {"out/a/vocals.wav": 6, "out/deep/b/vocals.wav": 1},
}  # fmt: skip


def blocks(name: str) -> list[tuple[str, str]]:
    return [(language, text) for language, text in BLOCK.findall(PAGES[name]) if language in ("sh", "python")]


def runnable() -> list[str]:
    return [name for name in PAGES if blocks(name) and name not in RUN_ELSEWHERE]


@pytest.fixture
def folder(tmp_path):
    """A home with songs: one, a folder of two, and one whose stems are known."""
    write(tmp_path / "song.flac", SECONDS)
    for name, seconds in MUSIC.items():
        write(tmp_path / "Music" / f"{name}.flac", seconds)
    for seed, stem in enumerate(STEMS):
        write(tmp_path / "songs" / "mine" / f"{stem}.wav", 3, seed)
    return tmp_path


def write(path: Path, seconds: float, seed: int = 61) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, music(seconds * RATE, seed=seed).T, RATE)


def surroundings(folder: Path) -> dict[str, str]:
    """A user's: nothing of this one's settings, and the commands of this Python."""
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("XDG_", "STEMLANE_", "DASK_", "PYTHON"))
    }
    return kept | {"HOME": str(folder), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


@pytest.mark.parametrize("name", runnable())
def test_what_a_page_says_works(name, folder):
    port = free_port()
    for language, text in blocks(name):
        text = text.replace("8786", port)  # Dask's own may be taken
        command = ["bash", "-euo", "pipefail", "-c", text] if language == "sh" else [sys.executable, "-c", text]
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, env=surroundings(folder), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
            try:
                status = process.wait(timeout=600)
            finally:  # what a block has left in the background, too
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        assert status == 0, f"{name}:\n{text}\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}"
    for path, seconds in RESULTS.get(name, {}).items():
        with soundfile.SoundFile(folder / path) as file:
            # MP3 adds its encoder's delay at the end.
            assert abs(file.frames - seconds * RATE) <= (2000 if path.endswith("mp3") else 0), path


@pytest.mark.parametrize("name", PAGES)
def test_blocks_say_what_they_are(name):
    """A block without a language would be run by nobody."""
    fences = re.findall(r"^```(.*)$", PAGES[name], re.MULTILINE)
    assert set(fences[::2]) <= {"sh", "python", "text"} and set(fences[1::2]) <= {""}
    assert len(BLOCK.findall(PAGES[name])) * 2 == len(fences)


def test_results_are_those_of_pages_that_run():
    assert set(RESULTS) <= set(runnable())


def test_the_api_page_has_every_public_name():
    import stemlane

    for name, home in stemlane._HOMES.items():
        wanted = f"::: stemlane.{home}" + (f".{name}" if home != "errors" else "")
        assert f"{wanted}\n" in PAGES["docs/api.md"], name
