# SPDX-License-Identifier: MIT
"""Speed and memory, measured on this machine."""
