// SPDX-License-Identifier: MIT
// Where a gain lies on a fader. The parameter stays linear in dB, so automation and states do not
// know of it; only the hand does.
#pragma once

#include <cmath>

#include "processor/effective_gains.h"

namespace stemlane {

/// Position of 0 dB on a fader of length 1.
inline constexpr double kUnityPosition = 0.75;
/// Exponent below 0 dB: the one that makes the slope at 0 dB the same from both sides, 1/48 of the
/// fader a dB.
inline constexpr double kLawExponent = 5.0 / 3.0;

/// Position, 0 (silence) to 1 (+12 dB), of a gain in dB. Linear in dB above 0 dB, ever denser below:
/// −6 dB lies at 0.63, −24 dB at 0.32, −48 dB at 0.05.
inline double faderPosition(double gainDb) noexcept {
  if (gainDb >= 0.0)
    return gainDb >= kHighestDb ? 1.0 : kUnityPosition + (1.0 - kUnityPosition) * gainDb / kHighestDb;
  if (!(gainDb > kSilenceDb)) return 0.0;
  return kUnityPosition * std::pow(1.0 - gainDb / kSilenceDb, kLawExponent);
}

/// The gain in dB at a position: the inverse.
inline double faderGainAt(double position) noexcept {
  if (position >= kUnityPosition)
    return position >= 1.0 ? kHighestDb : kHighestDb * (position - kUnityPosition) / (1.0 - kUnityPosition);
  if (!(position > 0.0)) return kSilenceDb;
  return kSilenceDb * (1.0 - std::pow(position / kUnityPosition, 1.0 / kLawExponent));
}

}  // namespace stemlane
