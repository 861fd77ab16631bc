# SPDX-License-Identifier: MIT
"""Band-split RoFormers' weights as Stemlane models."""
