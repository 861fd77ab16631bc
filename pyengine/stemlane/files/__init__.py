# SPDX-License-Identifier: MIT
"""Audio files in and out, and whole files through the engine."""
