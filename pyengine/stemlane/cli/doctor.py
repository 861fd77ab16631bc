# SPDX-License-Identifier: MIT
"""The command `stemlane doctor`."""

from stemlane.cli.output import say
from stemlane.cli.parser import add_command

_EXAMPLES = """
  stemlane doctor
"""


def add(commands) -> None:
    """Add the command."""
    add_command(commands, "doctor", run, "Check that everything Stemlane needs is in place.", _EXAMPLES)


def run(options) -> int:
    """Print every check; the exit status says whether all is well."""
    from stemlane import doctor

    checks = doctor.run()
    width = max(len(check.name) for check in checks)
    for check in checks:
        say(f"{check.name:<{width}} {'ok' if check.ok else 'problem'}: {check.text}")
    return 0 if all(check.ok for check in checks) else 1
