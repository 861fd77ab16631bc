# SPDX-License-Identifier: MIT
"""Gains, automation and the mixing equation of the C++ core."""
