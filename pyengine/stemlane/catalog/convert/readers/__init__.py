# SPDX-License-Identifier: MIT
"""Readers of weight files from strangers: no code in them runs."""
