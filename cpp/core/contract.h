// SPDX-License-Identifier: MIT
// Written by tools/generate_contract.py from contract.toml, which says what these mean. Do not edit.
#pragma once

#include <array>
#include <limits>
#include <string_view>

namespace stemlane::contract {

inline constexpr int kNumStems = 6;
// clang-format off
inline constexpr std::array<const char*, kNumStems> kStemNames = {"vocals", "drums", "bass", "guitar", "piano", "other"};
// clang-format on
inline constexpr const char* kAccompaniment = "accompaniment";
inline constexpr int kOtherStem = 5;

inline constexpr float kSilenceDb = -60.0F;
inline constexpr float kHighestDb = 12.0F;
inline constexpr std::array<std::string_view, 4> kSilenceWords = {"mute", "off", "-inf", "-infinity"};

inline constexpr float kHighestFocus = 100.0F;
inline constexpr float kNeutralFocus = 50.0F;
inline constexpr int kFocusGridSamples = 64;

inline constexpr int kLowestRate = 8000;
inline constexpr int kHighestRate = 384000;

inline constexpr int kFadeReserveSamples = 64;
inline constexpr int kFeedSamples = 64;

/// `samples` of the lower rate for ratios of two rates between the bounds, both left out.
struct ResamplerLag {
  double above, below, samples;
};
inline constexpr std::array<ResamplerLag, 4> kResamplerLags = {{
    {4.0, 4.1, 1760},
    {2.5, std::numeric_limits<double>::infinity(), 1440},
    {1.45, 1.5, 1320},
    {0.0, std::numeric_limits<double>::infinity(), 960},
}};

/// A folder of the user's: in the variable if that is an absolute path, else in the home folder.
struct UserFolder {
  const char* variable;
  const char* in_home;
};
inline constexpr const char* kApplicationFolder = "stemlane";
inline constexpr const char* kModelsFolder = "models";
inline constexpr const char* kPresetsFolder = "presets";
#if defined(_WIN32)
inline constexpr UserFolder kUserData = {"LOCALAPPDATA", "AppData/Local"};
inline constexpr UserFolder kUserConfig = {"LOCALAPPDATA", "AppData/Local"};
inline constexpr UserFolder kUserLog = {"LOCALAPPDATA", "AppData/Local"};
inline constexpr UserFolder kUserCache = {"LOCALAPPDATA", "AppData/Local"};
inline constexpr const char* kBundledPython = "python/python.exe";
#elif defined(__APPLE__)
inline constexpr UserFolder kUserData = {"", "Library/Application Support"};
inline constexpr UserFolder kUserConfig = {"", "Library/Application Support"};
inline constexpr UserFolder kUserLog = {"", "Library/Logs"};
inline constexpr UserFolder kUserCache = {"", "Library/Caches"};
inline constexpr const char* kBundledPython = "python/bin/python3";
#else
inline constexpr UserFolder kUserData = {"XDG_DATA_HOME", ".local/share"};
inline constexpr UserFolder kUserConfig = {"XDG_CONFIG_HOME", ".config"};
inline constexpr UserFolder kUserLog = {"XDG_STATE_HOME", ".local/state"};
inline constexpr UserFolder kUserCache = {"XDG_CACHE_HOME", ".cache"};
inline constexpr const char* kBundledPython = "python/bin/python3";
#endif

inline constexpr const char* kEngineConfigurationFile = "engine.conf";
inline constexpr int kLongestConfigurationBytes = 65536;
inline constexpr int kLongestConfigurationValue = 4096;
inline constexpr const char* kPythonKey = "python=";
inline constexpr const char* kProviderKey = "provider=";
inline constexpr const char* kProviderVariable = "STEMLANE_PROVIDER";
// clang-format off
inline constexpr std::array<const char*, 9> kProviders = {"auto", "tensorrt", "cuda", "migraphx", "directml", "coreml", "openvino", "webgpu", "cpu"};
// clang-format on

inline constexpr double kFrameTolerance = 0.0013;
inline constexpr int kLongestModelName = 100;
inline constexpr const char* kModelIndexFile = "models.index";
/// Places of the fields in a line of the model index.
enum ModelIndexField {
  kFieldName,
  kFieldTitle,
  kFieldSampleRate,
  kFieldStrideSamples,
  kFieldDelaySamples,
  kFieldComputeAllowanceSamples,
  kFieldStems,
  kFieldResidual,
  kFieldFftSamples,
  kFieldHopSamples,
  kFieldTakesFocus,
  kNumFields,
};

inline constexpr const char* kIncompleteRender = "this render is incomplete";

inline constexpr const char* kStateTag = "STEMLANE";
inline constexpr int kStateVersion = 1;
inline constexpr const char* kStateModel = "model";

}  // namespace stemlane::contract
