# SPDX-License-Identifier: MIT
"""Runs programs for Windows under Wine, and completes what Wine 8 lacks for NumPy.

Wine's ucrtbase.dll has no code for the functions on complex numbers. The prefix gets one that has it and refers to
Wine's own for everything else.
"""

import os
import re
import subprocess
import time
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"
PREFIX = BUILD / "wine"
BUNDLE = BUILD / "windows-bundle" / "Stemlane.vst3"
ENGINE = BUNDLE / "Contents" / "x86_64-win" / "stemlane-engine.exe"
PLUGIN = ENGINE.with_name("Stemlane.vst3")  # JUCE's host looks into no bundle on Windows
COMMAND = BUNDLE / "Contents" / "Resources" / "stemlane.cmd"
VALIDATOR = BUILD / "windows/plugin/validator/stemlane-validator_artefacts/Release/stemlane-validator.exe"
# Wine's messages are about Wine, its debugger holds processes that end badly, and nothing is for .NET or a browser.
ENVIRONMENT = {
    "WINEPREFIX": str(PREFIX), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "ucrtbase=n;winedbg.exe,mscoree,mshtml=d",
}  # fmt: skip
_OWN = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/ucrtbase.dll")
_SIGNATURE = b"Wine builtin DLL"  # a file with this in it is not loaded from a prefix
_TOOLS = "x86_64-w64-mingw32-"


def set_up() -> None:
    """Make the prefix with its libraries, unless they are there."""
    system = PREFIX / "drive_c" / "windows" / "system32"
    source, made = Path(__file__).with_name("complex_functions.c"), system / "wine_ucrtbase.dll"
    if made.exists() and made.stat().st_mtime > source.stat().st_mtime:
        return
    without = ENVIRONMENT | {"WINEDLLOVERRIDES": "winedbg.exe,mscoree,mshtml=d"}
    subprocess.run(["wineboot", "--init"], check=True, env=os.environ | without, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)  # fmt: skip
    work = BUILD / "wine-complex"
    work.mkdir(exist_ok=True)
    subprocess.run([f"{_TOOLS}gcc", "-O1", "-c", source, "-o", work / "functions.o"], check=True)
    ours = set(re.findall(r" T ms_(\w+)", _output("nm", work / "functions.o")))
    table = _output("objdump", "-p", _OWN).partition("[Ordinal/Name Pointer] Table")[2]
    names = re.findall(r"(?m)^\s*\[\s*\d+\].*?(\S+)$", table)
    assert ours and ours <= set(names)
    lines = [f'  "{name}" = {f"ms_{name}" if name in ours else f"wine_ucrtbase.{name}"}' for name in names]
    (work / "ucrtbase.def").write_text("\n".join(["LIBRARY ucrtbase.dll", "EXPORTS", *lines, ""]), encoding="ascii")
    parts = [work / "functions.o", work / "ucrtbase.def"]
    subprocess.run([f"{_TOOLS}gcc", "-shared", "-static-libgcc", *parts, "-o", system / "ucrtbase.dll"], check=True)
    own = _OWN.read_bytes()
    assert own.count(_SIGNATURE) == 1
    made.write_bytes(own.replace(_SIGNATURE, bytes(len(_SIGNATURE))))


def _output(tool: str, *arguments: str | Path) -> str:
    return subprocess.run([_TOOLS + tool, *arguments], check=True, capture_output=True, text=True).stdout


def start(*command: str | Path | float) -> subprocess.Popen[bytes]:
    """A program that goes on, with pipes: a Python under Wine does not take files that Wine has not opened."""
    process = subprocess.Popen(
        ["wine", *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **ENVIRONMENT},
    )  # fmt: skip
    process.stdin.close()
    os.set_blocking(process.stdout.fileno(), False)
    return process


def run(*command: str | Path | float, timeout: float = 300) -> str:
    """What a program prints, which must end well.

    Not read to the end of the pipe: Wine's server, which the first program starts, may hold it for longer.
    """
    said = b""
    end = time.monotonic() + timeout
    with start(*command) as process:
        try:
            while process.poll() is None:
                assert time.monotonic() < end, f"not within {timeout} s: {command}; it has said {said!r}"
                said += process.stdout.read() or b""
                time.sleep(0.02)
        finally:
            process.kill()
        said += process.stdout.read() or b""
    text = said.decode("utf-8", "replace").replace("\r\n", "\n")
    assert process.returncode == 0, f"exit status {process.returncode} of {command}\n{text}"
    return text


def engines() -> list[int]:
    """Linux's process ids of the bundle's engines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\\", b"/")
        except OSError:
            continue
        if os.fsencode(ENGINE) in line and b"wine" not in line.split(b"/")[0]:
            found.append(int(process.name))
    return found


def stop() -> None:
    """End all that runs in the prefix."""
    subprocess.run(["wineserver", "-k"], env={**os.environ, **ENVIRONMENT}, check=False, timeout=60)
