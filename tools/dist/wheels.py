# SPDX-License-Identifier: MIT
"""What auditwheel does to a wheel, and what it is to leave to the system."""

import os
import subprocess
import sys
from pathlib import Path

# Beside the plugin in the wheel, or, as ALSA's, part of the system's sound set-up.
NOT_GRAFTED = (
    "libasound.so.2", "libbrotlicommon.so.1", "libbrotlidec.so.1", "libexpat.so.1", "libfontconfig.so.1",
    "libfreetype.so.6", "libjpeg.so.62", "libpng16.so.16", "libbz2.so.1.0",
)  # fmt: skip


def repair(built: Path, target: Path) -> Path:
    """Let auditwheel check and tag a wheel; the result is in the folder `target`.

    It has the tag of the oldest system that the wheel runs on.
    """
    before = set(target.glob("*.whl"))
    tools = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    exclude = [argument for name in NOT_GRAFTED for argument in ("--exclude", name)]
    subprocess.run(
        [sys.executable, "-m", "auditwheel", "repair", "--plat", "auto", *exclude, "-w", target, built],
        check=True, env=tools,
    )  # fmt: skip
    (wheel,) = set(target.glob("*.whl")) - before
    if "manylinux" not in wheel.name:
        raise SystemExit(f"{wheel.name}: auditwheel gives it no manylinux tag")
    return wheel
