# SPDX-License-Identifier: MIT
"""Trains the embedded models; see README.md."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reports what it runs unless told not to beforehand
