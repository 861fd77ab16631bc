# SPDX-License-Identifier: MIT
"""Helpers of the tests: tiny models, slow references, synthetic songs."""
