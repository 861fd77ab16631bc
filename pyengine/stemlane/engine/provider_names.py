# SPDX-License-Identifier: MIT
"""What users call onnxruntime's execution providers. Standard library only: the command line's help needs it."""

VARIABLE = "STEMLANE_PROVIDER"
CPU = "cpu"
AUTO = "auto"
# `auto` takes the first that is there and right, in this order.
NAMES = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
    CPU: "CPUExecutionProvider",
}
PROVIDERS = (AUTO, *NAMES)
