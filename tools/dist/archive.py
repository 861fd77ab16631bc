# SPDX-License-Identifier: MIT
"""The archive for any Linux distribution: the bundle and the scripts that install it without root."""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("install.sh", "uninstall.sh", "stemlane.desktop")


def write(bundle: Path, target: Path, *, work: Path) -> Path:
    """Write the archive `target`, with one folder of its own name in it."""
    name = target.name.removesuffix(".tar.xz")
    # Who deletes the archive can still uninstall.
    shutil.copy2(HERE / "uninstall.sh", bundle / "Contents" / "Resources")
    folder = work / name
    folder.mkdir()
    for file in FILES:
        shutil.copy2(HERE / file, folder)
    shutil.copy2(HERE.parents[1] / "docs" / "install.md", folder / "README.md")
    shutil.copytree(bundle, folder / bundle.name, symlinks=True)
    # The same bytes whoever packs it and when.
    subprocess.run(
        ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=go-w,a+rX",
         f"--mtime=@{os.environ['SOURCE_DATE_EPOCH']}", "-I", "xz -6 -T2", "-cf", target, "-C", work, name],
        check=True,
    )  # fmt: skip
    shutil.rmtree(folder)
    return target
