// SPDX-License-Identifier: MIT
// From faders and switches to one linear gain per stem: mute, solo, output gain and
// bypass are nothing but gains, so that the mixer needs no second path.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "core/stems.h"

namespace stemlane {

/// The lowest fader position means silence.
using contract::kHighestDb;
using contract::kSilenceDb;
/// A fader below this is silent, too. pedalboard takes the step above the lowest one for -60 dB,
/// on a scale of a thousand: -59.928.
inline constexpr float kSilentBelowDb = -59.92F;

/// True for the stems that a model has, the residual one included.
using StemSet = std::array<bool, kNumStems>;

/// What the user has set, in the order of `kStemNames`.
struct FaderPositions {
  struct Strip {
    float gainDb = 0.0F;
    bool mute = false;
    bool solo = false;
  };
  std::array<Strip, kNumStems> strips{};
  float outputDb = 0.0F;
  bool bypass = false;
};

/// Linear gain of a fader; exactly 1 at 0 dB and exactly 0 near the bottom.
inline float faderGain(float gainDb) noexcept {
  return gainDb < kSilentBelowDb ? 0.0F : std::pow(10.0F, gainDb / 20.0F);
}

/// Gain of each stem. A muted stem is silent even while it is soloed; stems that the
/// model lacks do nothing, so their solo does not silence the others. Any thread.
inline StemGains effectiveGains(const FaderPositions& positions, const StemSet& present) noexcept {
  if (positions.bypass) return kUnityGains;
  bool anySolo = false;
  for (std::size_t stem = 0; stem < kNumStems; ++stem)
    anySolo = anySolo || (present[stem] && positions.strips[stem].solo);

  const float output = faderGain(positions.outputDb);
  StemGains gains{};
  for (std::size_t stem = 0; stem < kNumStems; ++stem) {
    const FaderPositions::Strip& strip = positions.strips[stem];
    const bool heard = !strip.mute && (strip.solo || !anySolo);
    gains[stem] = !present[stem] ? output : heard ? output * faderGain(strip.gainDb) : 0.0F;
  }
  return gains;
}

}  // namespace stemlane
