# SPDX-License-Identifier: MIT
"""Turns the original weights of published models into networks that onnxruntime runs. Needs the extra `convert`."""
