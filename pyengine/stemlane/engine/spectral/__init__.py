# SPDX-License-Identifier: MIT
"""Transforms, windows and filters on spectra."""
