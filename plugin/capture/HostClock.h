// SPDX-License-Identifier: GPL-3.0-or-later
// What the host tells: of its transport at the first sample of a block, and of the track.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <cmath>
#include <optional>

namespace stemlane {

/// Positions are in quarter notes. Tempo and bars are known if `quartersPerMinute` is above 0.
struct HostClock {
  bool isPlaying = false;
  double quartersPerMinute = 0.0;
  double position = 0.0;
  double barStart = 0.0;  ///< of the bar that `position` is in
  double quartersPerBar = 4.0;

  bool hasBars() const noexcept { return quartersPerMinute > 0.0; }
};

/// Audio thread, within a block. Numbers that no host should send count as unknown.
inline HostClock hostClock(juce::AudioPlayHead* head) noexcept {
  HostClock clock;
  const auto told = head != nullptr ? head->getPosition() : decltype(head->getPosition())();
  if (!told) return clock;
  clock.isPlaying = told->getIsPlaying();
  const auto position = told->getPpqPosition();
  const double tempo = told->getBpm().orFallback(0.0);
  constexpr double kHighestTempo = 10'000.0;
  if (!position || !std::isfinite(*position) || !(tempo >= 1.0 && tempo <= kHighestTempo)) return clock;
  clock.quartersPerMinute = tempo;
  clock.position = *position;
  if (const auto signature = told->getTimeSignature())
    if (signature->numerator > 0 && signature->denominator > 0)
      clock.quartersPerBar = 4.0 * signature->numerator / signature->denominator;
  const double barStart = told->getPpqPositionOfLastBarStart().orFallback(0.0);
  clock.barStart = std::isfinite(barStart) ? barStart : 0.0;
  return clock;
}

/// A track's name, empty if the host tells none: JUCE 7 and 8 have different types for it.
inline juce::String knownName(const juce::String& name) {
  return name;
}
inline juce::String knownName(const std::optional<juce::String>& name) {
  return name.value_or(juce::String());
}

}  // namespace stemlane
