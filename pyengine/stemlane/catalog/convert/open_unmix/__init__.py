# SPDX-License-Identifier: MIT
"""Open-Unmix's weights as Stemlane models."""
