# SPDX-License-Identifier: MIT
"""Models that a user adds: fetching, converting, checking, measuring, explaining."""
