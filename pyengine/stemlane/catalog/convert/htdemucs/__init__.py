# SPDX-License-Identifier: MIT
"""HTDemucs's packages as Stemlane models."""
