# SPDX-License-Identifier: MIT
"""Spleeter's checkpoints as Stemlane models."""
