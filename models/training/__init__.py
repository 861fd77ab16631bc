# SPDX-License-Identifier: MIT
"""Training of the streaming models `mix` and `live`: data, network, training, evaluation and export."""
