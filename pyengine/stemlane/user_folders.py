# SPDX-License-Identifier: MIT
"""Where a user's files lie: one rule, the same as the plugin's and the engine's (contract.toml)."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from stemlane import contract


def data_folder() -> Path:
    """Stemlane's folder for what the user has added; it need not exist."""
    return _folder(contract.USER_DATA)


def data_variable() -> str:
    """The environment variable that names another place for the user's data; empty where a system has none."""
    return contract.USER_DATA.get(sys.platform, contract.USER_DATA["linux"])[0]


def config_folder() -> Path:
    """Stemlane's folder for what the user has set; it need not exist."""
    return _folder(contract.USER_CONFIG)


def log_folder() -> Path:
    """Stemlane's folder for logs; it need not exist."""
    return _folder(contract.USER_LOG)


def _folder(by_system: Mapping[str, tuple[str, str]]) -> Path:
    variable, in_home = by_system.get(sys.platform, by_system["linux"])
    named = Path(os.environ.get(variable, "")) if variable else Path()
    # A relative path counts as unset, as the XDG specification says.
    base = named if named.is_absolute() else Path.home() / in_home
    return base / contract.APPLICATION_FOLDER
