// SPDX-License-Identifier: MIT
// The global stem list: one order, one name and one number per stem for every
// part of the system. Which of them a model has is the model's business.
#pragma once

#include <array>
#include <string_view>

#include "core/contract.h"

namespace stemlane {

using contract::kFocusGridSamples;
using contract::kNumStems;
using contract::kOtherStem;
using contract::kStemNames;

/// Stems a model can separate beside the residual one.
inline constexpr int kMaxSeparatedStems = kNumStems - 1;
inline constexpr int kMaxChannels = 2;

/// Linear gain of each stem, in the order of `kStemNames`.
using StemGains = std::array<float, kNumStems>;

inline constexpr StemGains kUnityGains = {1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};

/// How sharply each stem is told from the others, in percent, in the order of `kStemNames`.
using StemFocus = std::array<float, kNumStems>;

inline constexpr StemFocus kNeutralFocus = [] {
  StemFocus focus{};
  focus.fill(contract::kNeutralFocus);
  return focus;
}();

/// Number of the stem called `name`, or -1. The accompaniment of a 2-stem model
/// is steered by the fader "other".
constexpr int stem_number(std::string_view name) noexcept {
  if (name == contract::kAccompaniment) return kOtherStem;
  for (int stem = 0; stem < kNumStems; ++stem)
    if (name == kStemNames[static_cast<std::size_t>(stem)]) return stem;
  return -1;
}

}  // namespace stemlane
