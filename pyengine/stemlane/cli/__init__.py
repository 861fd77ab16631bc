# SPDX-License-Identifier: MIT
"""The command line: arguments, progress and messages."""
