# SPDX-License-Identifier: MIT
"""The demonstration: `python -m stemlane.demo [SONG] -o DIR` does the plugin's main job once, on real files."""
