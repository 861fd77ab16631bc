# SPDX-License-Identifier: MIT
"""Where this package lies, and what it finds beside itself or in the checkout and build folder that it is run from."""

from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[1]  # where the package is run from its sources
# The core's library, by sys.platform.
CORE_LIBRARY = {"linux": "libstemlane_core.so", "win32": "stemlane_core.dll", "darwin": "libstemlane_core.dylib"}


def built(name: str) -> Iterator[Path]:
    """Where a checkout's build folders would have a file or folder; it need not be there."""
    build = CHECKOUT / "build"
    yield build / name
    yield from build.glob(f"*/{name}")


def is_bundled() -> bool:
    """True if this package is part of a self-contained bundle, whose Python lies in Contents/Resources/python."""
    return any(folder.parts[-3:] == ("Contents", "Resources", "python") for folder in PACKAGE.parents)
