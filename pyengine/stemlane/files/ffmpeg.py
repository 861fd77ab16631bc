# SPDX-License-Identifier: MIT
"""Says whether FFmpeg's libraries are there: 107 MB, which a plugin's own Python does without."""

import importlib.util
import sys

from stemlane.package_folder import is_bundled

IS_THERE = importlib.util.find_spec("av") is not None


def errors() -> tuple[type[Exception], ...]:
    """What its functions raise beyond Python's own errors; nothing before they are loaded, which takes 50 ms.

    Another thread may be loading them: until that is done, the module is there without its errors.
    """
    found = getattr(sys.modules.get("av"), "FFmpegError", None)
    return (found,) if found is not None else ()


def missing_text() -> str:
    """Words to follow the name of a format that cannot be had, with the remedy."""
    if is_bundled():
        return "needs FFmpeg, which the plugin's own Python does not have; the Python package's command has it"
    return "needs FFmpeg: run 'pip install av'"
