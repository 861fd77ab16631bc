# SPDX-License-Identifier: MIT
"""Training of the streaming models `mix` and `live`: data, network, training, evaluation and export."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reports what it runs unless told not to beforehand
