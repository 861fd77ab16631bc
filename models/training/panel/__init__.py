# SPDX-License-Identifier: MIT
"""The frozen panel that chooses and reports models: recipe, audio and measures."""
