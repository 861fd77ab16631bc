# SPDX-License-Identifier: MIT
"""What is trained: the transform, the network, its sizes, the loss and the optimiser."""
