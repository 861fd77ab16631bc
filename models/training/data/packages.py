# SPDX-License-Identifier: MIT
"""Debian packages unpacked into the cache folder, not installed: games' music, tracker modules, drum kits."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .pool import cache_folder


def unpacked(package: str) -> Path:
    """The folder with a package's files; downloaded by apt-get, unless its .deb lies in the cache, and unpacked.

    Raises
    ------
    RuntimeError
        If the package can neither be found nor downloaded.
    """
    target = cache_folder() / "unpacked" / package
    if target.exists():
        return target
    archives = cache_folder() / "packages"
    archives.mkdir(parents=True, exist_ok=True)
    if not list(archives.glob(f"{package}_*.deb")):
        subprocess.run(["apt-get", "download", "-qq", package], cwd=archives, check=False)
    found = sorted(archives.glob(f"{package}_*.deb"))
    if not found:
        raise RuntimeError(
            f"no {package}_*.deb in {archives} and apt-get cannot download it; run apt-get update or put it there"
        )
    part = target.with_name(f".{package}")
    part.mkdir(parents=True, exist_ok=True)
    subprocess.run(["dpkg-deb", "-x", str(found[-1]), str(part)], check=True)
    part.rename(target)
    return target
