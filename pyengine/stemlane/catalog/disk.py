# SPDX-License-Identifier: MIT
"""What is said when models cannot be written: where a full disk is full and what to do, else what the system says.

Python names the file that was read where a copy finds no room, which is no help.
"""

import errno
import os
import shutil
from pathlib import Path

from stemlane.errors import ModelError
from stemlane.user_folders import data_variable

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def write_error(error: OSError, folder: Path, outcome: str) -> ModelError:
    """The error to raise for one met while something was written below `folder`; `outcome` says how things are now."""
    reason = error.strerror or str(error)
    if error.errno not in _FULL:
        return ModelError(f"{os.fsdecode(error.filename) if error.filename else folder}: {reason}; {outcome}")
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    elsewhere = f"; {variable} names another place for all models" if (variable := data_variable()) else ""
    return ModelError(
        f"{folder}: {reason}, {free / 1e6:.0f} MB are free there; {outcome}. Free some space on that disk "
        f"and run the command again{elsewhere}"
    )
