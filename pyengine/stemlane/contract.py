# SPDX-License-Identifier: MIT
"""Written by tools/generate_contract.py from contract.toml, which says what these mean. Do not edit."""

import math

STEM_ORDER = ("vocals", "drums", "bass", "guitar", "piano", "other")
OTHER = "other"
ACCOMPANIMENT = "accompaniment"

SILENT_DB = -60.0
HIGHEST_DB = 12.0
SILENCE_WORDS = ("mute", "off", "-inf", "-infinity")

HIGHEST_FOCUS = 100.0
NEUTRAL_FOCUS = 50.0

LOWEST_RATE = 8000
HIGHEST_RATE = 384000

FADE_RESERVE_SAMPLES = 64

# (above, below, samples), for ratios of two rates between the bounds, both left out.
RESAMPLER_LAGS = (
    (4.0, 4.1, 1760),
    (2.5, math.inf, 1440),
    (1.45, 1.5, 1320),
    (0.0, math.inf, 960),
)

# By sys.platform; of the folders: (variable, in the home folder).
BUNDLED_PYTHON = {
    "win32": "python/python.exe",
    "darwin": "python/bin/python3",
    "linux": "python/bin/python3",
}
USER_DATA = {
    "win32": ("LOCALAPPDATA", "AppData/Local"),
    "darwin": ("", "Library/Application Support"),
    "linux": ("XDG_DATA_HOME", ".local/share"),
}
USER_CONFIG = {
    "win32": ("LOCALAPPDATA", "AppData/Local"),
    "darwin": ("", "Library/Application Support"),
    "linux": ("XDG_CONFIG_HOME", ".config"),
}
USER_LOG = {
    "win32": ("LOCALAPPDATA", "AppData/Local"),
    "darwin": ("", "Library/Logs"),
    "linux": ("XDG_STATE_HOME", ".local/state"),
}
USER_CACHE = {
    "win32": ("LOCALAPPDATA", "AppData/Local"),
    "darwin": ("", "Library/Caches"),
    "linux": ("XDG_CACHE_HOME", ".cache"),
}
APPLICATION_FOLDER = "stemlane"
MODELS_FOLDER = "models"
PRESETS_FOLDER = "presets"

ENGINE_CONFIGURATION_FILE = "engine.conf"
LONGEST_CONFIGURATION_BYTES = 65536
LONGEST_CONFIGURATION_VALUE = 4096
PYTHON_KEY = "python="
PROVIDER_KEY = "provider="
PROVIDER_VARIABLE = "STEMLANE_PROVIDER"
PROVIDERS = ("auto", "tensorrt", "cuda", "migraphx", "directml", "coreml", "openvino", "webgpu", "cpu")

FRAME_TOLERANCE = 0.0013
LONGEST_MODEL_NAME = 100
MODEL_INDEX_FILE = "models.index"
MODEL_INDEX_FIELDS = (
    "name",
    "title",
    "sample_rate",
    "stride_samples",
    "delay_samples",
    "compute_allowance_samples",
    "stems",
    "residual",
    "fft_samples",
    "hop_samples",
    "takes_focus",
)

INCOMPLETE_RENDER = "this render is incomplete"

STATE_TAG = "STEMLANE"
STATE_MODEL = "model"
