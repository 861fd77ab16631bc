# SPDX-License-Identifier: MIT
"""Stemlane under the names of other separators, for scripts written for those."""
