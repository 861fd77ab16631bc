# SPDX-License-Identifier: MIT
"""How the embedded models come to be; the only folder that may import torch."""
