// SPDX-License-Identifier: GPL-3.0-or-later
// A stem's focus as a parameter: how sharply the engine tells it from the others.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <cmath>

#include "core/contract.h"

namespace stemlane {

/// Per cent in whole steps; 50 changes nothing.
class FocusParameter final : public juce::AudioParameterFloat {
 public:
  FocusParameter(const juce::String& id, const juce::String& title)
      : AudioParameterFloat(juce::ParameterID{id, 1}, title, {0.0F, contract::kHighestFocus, 1.0F},
                            contract::kNeutralFocus,
                            juce::AudioParameterFloatAttributes()
                                .withLabel("%")
                                .withStringFromValueFunction([](float percent, int) {
                                  return juce::String(juce::roundToInt(percent));
                                })
                                .withValueFromStringFunction(
                                    [this](const juce::String& text) { return valueOf(text, get()); })) {}

  /// What people type: "70", "70 %", "70,5"; `otherwise` for what is no number.
  static float valueOf(const juce::String& text, float otherwise) {
    const juce::String number = text.trim().trimCharactersAtEnd("% ").replaceCharacter(',', '.');
    if (number.isEmpty() || !number.containsOnly("+-.0123456789") || !number.containsAnyOf("0123456789"))
      return otherwise;
    return juce::jlimit(0.0F, contract::kHighestFocus, std::round(number.getFloatValue()));
  }
};

}  // namespace stemlane
