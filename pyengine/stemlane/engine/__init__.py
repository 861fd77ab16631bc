# SPDX-License-Identifier: MIT
"""The separation engine: any audio in, stems out. The only package that imports onnxruntime."""
