# SPDX-License-Identifier: MIT
"""The training loop, and the ways between checkpoints and model folders."""
