# SPDX-License-Identifier: MIT
"""What a bug report needs, in one archive: versions, checks, logs and states. No audio, and nobody's name."""

import getpass
import importlib.metadata
import os
import platform
import re
import socket
import sys
import zipfile
from pathlib import Path

from stemlane import __version__
from stemlane.contract import ENGINE_CONFIGURATION_FILE, MODEL_INDEX_FILE
from stemlane.errors import InputError, StemlaneError
from stemlane.json_text import json_text
from stemlane.manifests.registry import list_models, user_folder
from stemlane.plugin import places
from stemlane.user_folders import log_folder

# The end of a log says why something failed.
_LOG_BYTES = 200_000
# Hosts keep what they found in a scan; Ardour, for one, why it dropped a plugin.
_HOST_CACHES = (".cache/ardour*/vst/*temlane*", ".cache/ardour*/vst/*.log")


def check_target(path: str | Path) -> None:
    """Raise `InputError` unless the name says what the file will be, before any work is done for it."""
    target = Path(path)
    if target.suffix.lower() != ".zip":
        name = target / "report.zip" if target.is_dir() else target.with_suffix(".zip")
        raise InputError(f"{path}: the report is a zip file; name it like {name}")


def write(path: str | Path, checks: list[str]) -> None:
    """Write the archive.

    Parameters
    ----------
    path
        The zip file to write. It is there whole or not at all.
    checks
        The doctor's report.

    Raises
    ------
    StemlaneError
        If it cannot be written.
    """
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    texts = {
        "doctor.txt": "\n".join(checks) + "\n",
        "versions.json": json_text(_versions(), indent=2),
        "models.json": json_text(_models(), indent=2),
        "plugins.txt": _plugins(),
        **_states(),
        **_logs(),
    }
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, without_names(text))
        partial.replace(target)
    except OSError as error:
        raise StemlaneError(f"{target}: cannot be written ({error.strerror})") from None
    finally:
        partial.unlink(missing_ok=True)


def without_names(text: str) -> str:
    """The text with the home folder, the user's names and the computer's name taken out."""
    text = text.replace(str(Path.home()), "~")
    for name in sorted(_names(), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<name>", text, flags=re.IGNORECASE)
    return re.sub(r"(/home/|/Users/)[^/\s]+", r"\1<name>", text)


def _names() -> set[str]:
    names = {socket.gethostname(), socket.gethostname().partition(".")[0], Path.home().name}
    try:
        names.add(getpass.getuser())
        import pwd

        names.update(pwd.getpwuid(os.getuid()).pw_gecos.split(","))
    except (ImportError, KeyError, OSError):  # a user without an entry, as in containers
        pass
    # Names of programs and folders would go with these.
    return {name.strip() for name in names if len(name.strip()) > 1} - {"root", "localhost"}


def _versions() -> dict[str, object]:
    packages = sorted(f"{found.name} {found.version}" for found in importlib.metadata.distributions())
    return {
        "stemlane": __version__,
        "python": sys.version,
        "executable": sys.executable,
        "system": platform.platform(),
        "distribution": _distribution(),
        "libc": " ".join(platform.libc_ver()),
        "processor": _processor(),
        "memory": _first_lines(Path("/proc/meminfo"), 3),
        "environment": {name: value for name, value in os.environ.items() if name.startswith(("STEMLANE_", "ORT_"))},
        "packages": packages,
    }


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _processor() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [platform.processor()]
    return [line for line in dict.fromkeys(lines) if line.startswith(("model name", "flags"))][:2]


def _first_lines(path: Path, count: int) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[:count]
    except OSError:
        return []


def _models() -> list[dict[str, object]]:
    return [
        {
            "name": listing.name,
            "folder": str(listing.folder),
            "problem": listing.problem,
            "version": listing.manifest and listing.manifest.version,
            "files": listing.manifest and {entry.path: entry.sha256 for entry in listing.manifest.files},
        }
        for listing in list_models()
    ]


def _bundles() -> list[Path]:
    system = [Path(folder) / "vst3" / places.BUNDLE_NAME for folder in ("/usr/lib", "/usr/local/lib")]
    try:
        own = [Path(places.plugin_path())]
    except StemlaneError:
        own = []
    return [path for path in dict.fromkeys([*own, places.installed_path(), *system]) if path.exists()]


def _plugins() -> str:
    """Every bundle that a host could load, with what lies in it, but not each file of its Python."""
    lines = []
    for bundle in _bundles():
        lines.append(str(bundle))
        for path in sorted(bundle.glob("Contents/*/*")):
            state = path.lstat()
            lines.append(f"  {state.st_mode:o} {state.st_size:>9} {int(state.st_mtime)} {path.relative_to(bundle)}")
    return "\n".join(lines) + "\n"


def _states() -> dict[str, str]:
    """What the plugin reads when it starts: configurations and tables of models."""
    files = {f"user/{MODEL_INDEX_FILE}": user_folder() / MODEL_INDEX_FILE}
    for number, bundle in enumerate(_bundles()):
        files[f"plugin {number}/{MODEL_INDEX_FILE}"] = bundle / "Contents" / "Resources" / MODEL_INDEX_FILE
        files[f"plugin {number}/{ENGINE_CONFIGURATION_FILE}"] = places.engine_configuration(bundle)
    return {name: _tail(path) for name, path in files.items() if path.is_file()}


def _logs() -> dict[str, str]:
    found = sorted(log_folder().glob("*.log"))
    if os.environ.get("STEMLANE_ENGINE_LOG"):
        found.append(Path(os.environ["STEMLANE_ENGINE_LOG"]))
    for pattern in _HOST_CACHES:
        found += sorted(Path.home().glob(pattern))
    return {f"logs/{number} {path.name}": _tail(path) for number, path in enumerate(found) if path.is_file()}


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_BYTES))
            return file.read().decode("utf-8", errors="replace")
    except OSError as error:
        return f"cannot be read: {error.strerror}\n"
