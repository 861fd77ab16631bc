# SPDX-License-Identifier: MIT
"""Writes what C++ and Python must agree on, from contract.toml, into a header and a module. Standard library only.

`python tools/generate_contract.py` writes both; the tests compare `header` and `module` with what is checked in.
"""

import math
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HEADER, MODULE = ROOT / "cpp" / "core" / "contract.h", ROOT / "pyengine" / "stemlane" / "contract.py"
NOTE = "Written by tools/generate_contract.py from contract.toml, which says what these mean. Do not edit."
FOLDER_KINDS = ("data", "config", "log", "cache")
SYSTEMS = {"windows": "_WIN32", "macos": "__APPLE__", "linux": ""}  # the last one is the rest
PYTHON_SYSTEMS = {"windows": "win32", "macos": "darwin", "linux": "linux"}  # sys.platform


def read() -> dict[str, Any]:
    """The contract as it stands in contract.toml."""
    return tomllib.loads((ROOT / "contract.toml").read_text(encoding="utf-8"))


def _of_the_system(contract: dict[str, Any]) -> list[str]:
    """Lines that choose the user's folders and the bundle's Python by the system."""
    folders, python = contract["folders"], contract["bundled_python"]
    lines = []
    for number, (system, macro) in enumerate(SYSTEMS.items()):
        lines.append(f"#{'el' if number else ''}if defined({macro})" if macro else "#else")
        for kind in FOLDER_KINDS:
            folder = folders[system][kind]
            values = f"{{{_quoted(folder['variable'])}, {_quoted(folder['in_home'])}}}"
            lines.append(f"inline constexpr UserFolder kUser{kind.title()} = {values};")
        lines.append(f"inline constexpr const char* kBundledPython = {_quoted(python[system])};")
    return [*lines, "#endif"]


def header(contract: dict[str, Any]) -> str:
    """The C++ header."""
    names, lags, folders = contract["stems"]["names"], contract["latency"]["resampler_lag"], contract["folders"]
    rates, words = contract["rates"], contract["gains"]["silence_words"]
    lines = [
        "// SPDX-License-Identifier: MIT",
        f"// {NOTE}",
        "#pragma once",
        "",
        "#include <array>",
        "#include <limits>",
        "#include <string_view>",
        "",
        "namespace stemlane::contract {",
        "",
        f"inline constexpr int kNumStems = {len(names)};",
        "// clang-format off",
        f"inline constexpr std::array<const char*, kNumStems> kStemNames = {{{', '.join(map(_quoted, names))}}};",
        "// clang-format on",
        f"inline constexpr const char* kAccompaniment = {_quoted(contract['stems']['accompaniment'])};",
        f"inline constexpr int kOtherStem = {names.index(contract['stems']['other'])};",
        "",
        f"inline constexpr float kSilenceDb = {contract['gains']['silence_db']}F;",
        f"inline constexpr float kHighestDb = {contract['gains']['highest_db']}F;",
        (
            f"inline constexpr std::array<std::string_view, {len(words)}> kSilenceWords = "
            f"{{{', '.join(map(_quoted, words))}}};"
        ),
        "",
        f"inline constexpr float kHighestFocus = {contract['focus']['highest']}F;",
        f"inline constexpr float kNeutralFocus = {contract['focus']['neutral']}F;",
        f"inline constexpr int kFocusGridSamples = {contract['focus']['grid_samples']};",
        "",
        f"inline constexpr int kLowestRate = {rates['lowest']};",
        f"inline constexpr int kHighestRate = {rates['highest']};",
        "",
        f"inline constexpr int kFadeReserveSamples = {contract['latency']['fade_reserve_samples']};",
        f"inline constexpr int kFeedSamples = {contract['latency']['feed_samples']};",
        "",
        "/// `samples` of the lower rate for ratios of two rates between the bounds, both left out.",
        "struct ResamplerLag {",
        "  double above, below, samples;",
        "};",
        f"inline constexpr std::array<ResamplerLag, {len(lags)}> kResamplerLags = {{{{",
        *(f"    {{{lag['above']}, {_cpp_number(lag['below'])}, {lag['samples']}}}," for lag in lags),
        "}};",
        "",
        "/// A folder of the user's: in the variable if that is an absolute path, else in the home folder.",
        "struct UserFolder {",
        "  const char* variable;",
        "  const char* in_home;",
        "};",
        f"inline constexpr const char* kApplicationFolder = {_quoted(folders['application'])};",
        f"inline constexpr const char* kModelsFolder = {_quoted(folders['models'])};",
        f"inline constexpr const char* kPresetsFolder = {_quoted(folders['presets'])};",
    ]
    return "\n".join([*lines, *_of_the_system(contract), *_files_and_state(contract)]) + "\n"


def _files_and_state(contract: dict[str, Any]) -> list[str]:
    """Lines on the engine's configuration, providers, frames, models, their index, and the plugin's state."""
    state, configuration, providers = contract["state"], contract["engine_configuration"], contract["providers"]
    names = ", ".join(map(_quoted, providers["names"]))
    return [
        "",
        f"inline constexpr const char* kEngineConfigurationFile = {_quoted(configuration['file'])};",
        f"inline constexpr int kLongestConfigurationBytes = {configuration['longest_bytes']};",
        f"inline constexpr int kLongestConfigurationValue = {configuration['longest_value']};",
        f"inline constexpr const char* kPythonKey = {_quoted(configuration['python_key'])};",
        f"inline constexpr const char* kProviderKey = {_quoted(configuration['provider_key'])};",
        f"inline constexpr const char* kProviderVariable = {_quoted(providers['variable'])};",
        "// clang-format off",
        f"inline constexpr std::array<const char*, {len(providers['names'])}> kProviders = {{{names}}};",
        "// clang-format on",
        "",
        f"inline constexpr double kFrameTolerance = {contract['frames']['tolerance']};",
        f"inline constexpr int kLongestModelName = {contract['models']['longest_name']};",
        f"inline constexpr const char* kModelIndexFile = {_quoted(contract['model_index']['file'])};",
        "/// Places of the fields in a line of the model index.",
        "enum ModelIndexField {",
        *(f"  kField{''.join(map(str.title, name.split('_')))}," for name in contract["model_index"]["fields"]),
        "  kNumFields,",
        "};",
        "",
        f"inline constexpr const char* kIncompleteRender = {_quoted(contract['status']['incomplete_render'])};",
        "",
        f"inline constexpr const char* kStateTag = {_quoted(state['tag'])};",
        f"inline constexpr int kStateVersion = {state['version']};",
        f"inline constexpr const char* kStateModel = {_quoted(state['model'])};",
        "",
        "}  // namespace stemlane::contract",
    ]


def _python_of_the_systems(contract: dict[str, Any]) -> list[str]:
    """Dictionaries, by the system, of the bundle's Python and the user's folders."""
    folders, python = contract["folders"], contract["bundled_python"]
    lines = [
        "# By sys.platform; of the folders: (variable, in the home folder).",
        "BUNDLED_PYTHON = {",
        *(f"    {_quoted(PYTHON_SYSTEMS[system])}: {_quoted(python[system])}," for system in SYSTEMS),
        "}",
    ]
    for kind in FOLDER_KINDS:
        places = {system: folders[system][kind] for system in SYSTEMS}
        lines += [
            f"USER_{kind.upper()} = {{",
            *(
                f"    {_quoted(PYTHON_SYSTEMS[system])}: ({_quoted(place['variable'])}, {_quoted(place['in_home'])}),"
                for system, place in places.items()
            ),
            "}",
        ]
    return lines


def module(contract: dict[str, Any]) -> str:
    """The Python module."""
    lags, folders, state = contract["latency"]["resampler_lag"], contract["folders"], contract["state"]
    configuration = contract["engine_configuration"]
    lines = [
        "# SPDX-License-Identifier: MIT",
        f'"""{NOTE}"""',
        "",
        "import math",
        "",
        f"STEM_ORDER = {_tuple(contract['stems']['names'])}",
        f"OTHER = {_quoted(contract['stems']['other'])}",
        f"ACCOMPANIMENT = {_quoted(contract['stems']['accompaniment'])}",
        "",
        f"SILENT_DB = {contract['gains']['silence_db']}",
        f"HIGHEST_DB = {contract['gains']['highest_db']}",
        f"SILENCE_WORDS = {_tuple(contract['gains']['silence_words'])}",
        "",
        f"HIGHEST_FOCUS = {contract['focus']['highest']}",
        f"NEUTRAL_FOCUS = {contract['focus']['neutral']}",
        "",
        f"LOWEST_RATE = {contract['rates']['lowest']}",
        f"HIGHEST_RATE = {contract['rates']['highest']}",
        "",
        f"FADE_RESERVE_SAMPLES = {contract['latency']['fade_reserve_samples']}",
        "",
        "# (above, below, samples), for ratios of two rates between the bounds, both left out.",
        "RESAMPLER_LAGS = (",
        *(f"    ({lag['above']}, {_python_number(lag['below'])}, {lag['samples']})," for lag in lags),
        ")",
        "",
        *_python_of_the_systems(contract),
        f"APPLICATION_FOLDER = {_quoted(folders['application'])}",
        f"MODELS_FOLDER = {_quoted(folders['models'])}",
        f"PRESETS_FOLDER = {_quoted(folders['presets'])}",
        "",
        f"ENGINE_CONFIGURATION_FILE = {_quoted(configuration['file'])}",
        f"LONGEST_CONFIGURATION_BYTES = {configuration['longest_bytes']}",
        f"LONGEST_CONFIGURATION_VALUE = {configuration['longest_value']}",
        f"PYTHON_KEY = {_quoted(configuration['python_key'])}",
        f"PROVIDER_KEY = {_quoted(configuration['provider_key'])}",
        f"PROVIDER_VARIABLE = {_quoted(contract['providers']['variable'])}",
        f"PROVIDERS = {_tuple(contract['providers']['names'])}",
        "",
        f"FRAME_TOLERANCE = {contract['frames']['tolerance']}",
        f"LONGEST_MODEL_NAME = {contract['models']['longest_name']}",
        f"MODEL_INDEX_FILE = {_quoted(contract['model_index']['file'])}",
        "MODEL_INDEX_FIELDS = (",
        *(f"    {_quoted(name)}," for name in contract["model_index"]["fields"]),
        ")",
        "",
        f"INCOMPLETE_RENDER = {_quoted(contract['status']['incomplete_render'])}",
        "",
        f"STATE_TAG = {_quoted(state['tag'])}",
        f"STATE_MODEL = {_quoted(state['model'])}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _tuple(texts: list[str]) -> str:
    return f"({', '.join(map(_quoted, texts))})"


def _cpp_number(value: float) -> str:
    return "std::numeric_limits<double>::infinity()" if math.isinf(value) else str(value)


def _python_number(value: float) -> str:
    return "math.inf" if math.isinf(value) else str(value)


if __name__ == "__main__":
    contract = read()
    HEADER.write_text(header(contract), encoding="utf-8")
    MODULE.write_text(module(contract), encoding="utf-8")
