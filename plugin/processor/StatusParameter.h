// SPDX-License-Identifier: GPL-3.0-or-later
// How the engine is, for scripts: a parameter that can only be read. It is no setting, so it is
// in no state and in no automation.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <functional>
#include <utility>

namespace stemlane {

/// The status is longer than the 128 characters that VST3 has for a parameter's text, so the
/// position asked for chooses a piece of it: 0 the first one, 1 / (kNumPieces - 1) the next.
class StatusParameter final : public juce::AudioProcessorParameterWithID {
 public:
  static constexpr int kNumPieces = 32;
  static constexpr int kPieceCharacters = 60;  ///< at most two UTF-16 units each

  explicit StatusParameter(std::function<juce::String()> status)
      : AudioProcessorParameterWithID(
            {"engine_status", 1}, "Engine Status",
            juce::AudioProcessorParameterWithIDAttributes().withAutomatable(false).withCategory(outputMeter)),
        status_(std::move(status)) {}

  float getValue() const override { return 0.0F; }
  void setValue(float) override {}
  float getDefaultValue() const override { return 0.0F; }
  int getNumSteps() const override { return kNumPieces; }
  bool isDiscrete() const override { return true; }
  float getValueForText(const juce::String&) const override { return 0.0F; }
  juce::String getText(float value, int) const override {
    const int piece = juce::roundToInt(value * (kNumPieces - 1));
    return status_().substring(piece * kPieceCharacters, (piece + 1) * kPieceCharacters);
  }

 private:
  const std::function<juce::String()> status_;
};

}  // namespace stemlane
