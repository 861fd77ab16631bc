# SPDX-License-Identifier: MIT
"""SCNet's weights as Stemlane models."""
