# SPDX-License-Identifier: MIT
"""MDX-Net's files as Stemlane models."""
