// SPDX-License-Identifier: GPL-3.0-or-later
// Gains and levels as the editor writes them: with real minus and infinity signs, which the
// parameters' texts do without for scripts' sake.
#pragma once

#include <juce_core/juce_core.h>

#include "processor/StemParameters.h"

namespace stemlane {

/// "+3.0 dB", "0.0 dB", "\u22123.0 dB", "\u2212\u221e dB".
inline juce::String shownGain(float gainDb) {
  const juce::String text = faderText(gainDb);
  const juce::String sign = gainDb > 0.0F ? "+" : "";
  return sign +
         text.replace("-", juce::String::fromUTF8("\u2212"))
             .replace("inf", juce::String::fromUTF8("\u221e")) +
         " dB";
}

/// A level in dB of full scale, "\u22126.2"; "\u2212\u221e" below `kSilenceDb`.
inline juce::String shownLevel(float levelDb) {
  if (!(levelDb > kSilenceDb)) return juce::String::fromUTF8("\u2212\u221e");
  const juce::String text(std::abs(levelDb), 1);
  if (text == "0.0") return text;
  return (levelDb > 0.0F ? juce::String("+") : juce::String::fromUTF8("\u2212")) + text;
}

}  // namespace stemlane
