# SPDX-License-Identifier: MIT
"""Where the plugin is, its state, and loading it into pedalboard."""
