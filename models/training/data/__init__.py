# SPDX-License-Identifier: MIT
"""The pool of training audio and how every kind of material gets into it."""
