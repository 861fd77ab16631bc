# SPDX-License-Identifier: MIT
"""The wheel for Python 3.13, built from the source archive in a Debian 13, with its JUCE 8.

So the source archive builds, and JUCE 8 is tried, each time a release is made.
"""

import shutil
from pathlib import Path

import roots
import wheels

SUITE = "trixie"
PACKAGES = (
    "build-essential", "cmake", "ninja-build", "ccache", "pkg-config", "python3-dev", "python3-venv",
    "juce-modules-source", "python3-pip",
)  # fmt: skip
# JUCE 8 is under the AGPL; the wheel says so instead of the GPL.
_BUILD = """
mkdir -p /build && tar -xf /source.tar.gz -C /build --strip-components=1 && cd /build
sed -i 's/^license = "MIT AND GPL-3.0-or-later"/license = "MIT AND AGPL-3.0-only"/' pyproject.toml
grep -q AGPL pyproject.toml
python3 -m venv /venv
/venv/bin/pip install -q scikit-build-core pybind11 ninja
CCACHE_DIR=/ccache /venv/bin/pip wheel -q --no-build-isolation --no-deps -w /wheels .
"""


def write(source: Path, target: Path) -> Path:
    """Build the wheel from the archive `source` into the folder `target`."""
    root = roots.copy(SUITE, roots.BASES / f"{SUITE}-build", packages=PACKAGES)
    try:
        shutil.copyfile(source, root / "source.tar.gz")
        roots.run(root, _BUILD)
        (built,) = (root / "wheels").glob("*.whl")
        return wheels.repair(built, target)
    finally:
        roots.remove(root)
