// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin's parameters: ids, names, ranges and texts. The ids are a contract with
// saved projects and never change; what the values do to the sound is effectiveGains'.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <cmath>

#include "processor/effective_gains.h"

namespace stemlane {

/// Faders move in steps of 0.1 dB. A host that learns a parameter from its texts
/// (pedalboard samples 1001 of them over 72 dB) can then set every step exactly, and
/// 0 dB survives the way through a host's 0..1 scale as a gain of exactly one.
inline constexpr float kStepsPerDb = 10.0F;

inline juce::NormalisableRange<float> faderRange() {
  return {kSilenceDb, kHighestDb,
          [](float low, float high, float proportion) { return low + (high - low) * proportion; },
          [](float low, float high, float value) { return (value - low) / (high - low); },
          [](float low, float high, float value) {
            return juce::jlimit(low, high, std::round(value * kStepsPerDb) / kStepsPerDb);
          }};
}

/// "-3.0", "0.0" or "-inf"; the unit is the parameter's label.
inline juce::String faderText(float gainDb) {
  return gainDb <= kSilenceDb ? juce::String("-inf") : juce::String(gainDb, 1);
}

/// Reads what `faderText` writes and what people type: "-3", "+3 dB", "-inf", "off".
inline float faderValue(const juce::String& text) {
  const juce::String trimmed = text.trim().toLowerCase();
  if (trimmed.startsWith("-inf") || trimmed.startsWith("off")) return kSilenceDb;
  const float value = trimmed.trimCharactersAtStart("+").getFloatValue();
  return std::isfinite(value) ? juce::jlimit(kSilenceDb, kHighestDb, value) : 0.0F;
}

/// A stem's name for people: "Vocals".
inline juce::String stemTitle(int stem) {
  const juce::String name(kStemNames[static_cast<std::size_t>(stem)]);
  return name.substring(0, 1).toUpperCase() + name.substring(1);
}

/// The parameters, owned by the processor they have been added to. Values are atomics:
/// any thread may read them.
class StemParameters {
 public:
  struct Strip {
    juce::AudioParameterFloat* gain;
    juce::AudioParameterBool* mute;
    juce::AudioParameterBool* solo;
  };

  explicit StemParameters(juce::AudioProcessor& processor) {
    for (std::size_t stem = 0; stem < strips.size(); ++stem) {
      const juce::String id(kStemNames[stem]);
      const juce::String name = stemTitle(static_cast<int>(stem));
      strips[stem] = {addFader(processor, id + "_gain", name + " Gain"),
                      addSwitch(processor, id + "_mute", name + " Mute"),
                      addSwitch(processor, id + "_solo", name + " Solo")};
    }
    outputGain = addFader(processor, "output_gain", "Output Gain");
    bypass = addSwitch(processor, "bypass", "Bypass");
  }

  /// What the faders and switches ask for, for a model with the stems in `present`.
  StemGains gains(const StemSet& present) const noexcept {
    FaderPositions positions;
    for (std::size_t stem = 0; stem < strips.size(); ++stem)
      positions.strips[stem] = {strips[stem].gain->get(), strips[stem].mute->get(), strips[stem].solo->get()};
    positions.outputDb = outputGain->get();
    positions.bypass = bypass->get();
    return effectiveGains(positions, present);
  }

  std::array<Strip, kNumStems> strips{};
  juce::AudioParameterFloat* outputGain = nullptr;
  juce::AudioParameterBool* bypass = nullptr;

 private:
  static juce::AudioParameterFloat* addFader(juce::AudioProcessor& processor, const juce::String& id,
                                             const juce::String& name) {
    auto parameter = std::make_unique<juce::AudioParameterFloat>(
        juce::ParameterID{id, 1}, name, faderRange(), 0.0F,
        juce::AudioParameterFloatAttributes()
            .withLabel("dB")
            .withStringFromValueFunction([](float value, int) { return faderText(value); })
            .withValueFromStringFunction(faderValue));
    auto* raw = parameter.get();
    processor.addParameter(parameter.release());
    return raw;
  }

  static juce::AudioParameterBool* addSwitch(juce::AudioProcessor& processor, const juce::String& id,
                                             const juce::String& name) {
    auto parameter = std::make_unique<juce::AudioParameterBool>(juce::ParameterID{id, 1}, name, false);
    auto* raw = parameter.get();
    processor.addParameter(parameter.release());
    return raw;
  }
};

}  // namespace stemlane
