# SPDX-License-Identifier: MIT
"""Half an hour of a large GPU: pack the pool, make batches on the device, train in short commands."""
