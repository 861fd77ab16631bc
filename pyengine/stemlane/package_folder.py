# SPDX-License-Identifier: MIT
"""Where this package lies, and what it finds beside itself or in the checkout and build folder that it is run from."""

from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[1]  # where the package is run from its sources


def built(name: str) -> Iterator[Path]:
    """Where a checkout's build folders would have a file or folder; it need not be there."""
    build = CHECKOUT / "build"
    yield build / name
    yield from build.glob(f"*/{name}")
