# SPDX-License-Identifier: MIT
"""MDX23C's weights as Stemlane models."""
