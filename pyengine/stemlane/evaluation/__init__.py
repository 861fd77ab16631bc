# SPDX-License-Identifier: MIT
"""Separation measured against true stems."""
