# SPDX-License-Identifier: MIT
"""What an error of onnxruntime becomes: it raises several unrelated types, and none of its own for a lack of memory."""

from stemlane.errors import ModelError, one_line

_OUT_OF_MEMORY = ("ailed to allocate", "bad_alloc", "bad allocation")  # its own words, and those of C++ libraries


def failure(error: Exception, text: str) -> Exception:
    """A `MemoryError` if that is what it says, else a `ModelError` with this text."""
    if any(words in str(error) for words in _OUT_OF_MEMORY):
        return MemoryError(one_line(error))
    return ModelError(text)
