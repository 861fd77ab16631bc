# SPDX-License-Identifier: MIT
"""Training on a GPU: pack the pool, make batches on the device, train in the background."""
