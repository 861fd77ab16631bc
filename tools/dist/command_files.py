# SPDX-License-Identifier: MIT
"""The command's manual page and its completions for shells, below `share` of the bundle's Resources.

They lie there as they do below /usr/share, so that the package copies them and install.sh links to them.
"""

import subprocess
from pathlib import Path

SHARE = Path("Contents", "Resources", "share")
MANUAL = Path("man", "man1", "stemlane.1")
# Where each shell looks for what others than itself and its user bring.
COMPLETIONS = {
    "bash": Path("bash-completion", "completions", "stemlane"),
    "zsh": Path("zsh", "vendor-completions", "_stemlane"),
    "fish": Path("fish", "vendor_completions.d", "stemlane.fish"),
}


def add(bundle: Path) -> None:
    """Write them, as the bundle's own Python says they are."""
    python = bundle / "Contents" / "Resources" / "python" / "bin" / "python3"
    for path, arguments in {
        MANUAL: ("stemlane.cli.man_page",),
        **{path: ("stemlane", "completion", shell) for shell, path in COMPLETIONS.items()},
    }.items():
        target = bundle / SHARE / path
        target.parent.mkdir(parents=True)
        done = subprocess.run([python, "-I", "-m", *arguments], check=True, capture_output=True)
        target.write_bytes(done.stdout)
