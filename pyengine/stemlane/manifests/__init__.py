# SPDX-License-Identifier: MIT
"""What a model states about itself and where models lie. Standard library only."""
