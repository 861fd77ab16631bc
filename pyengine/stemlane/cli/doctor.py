# SPDX-License-Identifier: MIT
"""The command `stemlane doctor`."""

import argparse

from stemlane.cli.output import say
from stemlane.cli.parser import Group, add_command, given

_EXAMPLES = """
  stemlane doctor
  stemlane doctor --report stemlane.zip
"""


def add(commands: Group) -> None:
    """Add the command."""
    doctor = add_command(commands, "doctor", run, "Check that everything Stemlane needs is in place.", _EXAMPLES)
    doctor.add_argument(
        "--report", type=given, metavar="FILE",
        help="write what a bug report needs to FILE (.zip): versions, logs and states; no audio, no names of users",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Print every check; the exit status says whether all is well."""
    from stemlane import doctor, support_report

    if options.report:
        support_report.check_target(options.report)
    checks = doctor.run()
    lines = doctor.lines(checks)
    for line in lines:
        say(line)
    if options.report:
        support_report.write(options.report, lines)
        say(options.report)
    return 0 if all(check.ok for check in checks) else 1
