// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin's parameters: ids, names, ranges and texts. The ids are a contract with
// saved projects and never change; what the values do to the sound is effectiveGains'.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <cmath>
#include <functional>
#include <memory>

#include "processor/FocusParameter.h"
#include "processor/StatusParameter.h"
#include "processor/effective_gains.h"
#include "processor/gain_text.h"

namespace stemlane {

/// Faders move in steps of 0.1 dB. A host that learns a parameter from its texts
/// (pedalboard samples 1001 of them over 72 dB) can then set every step exactly, and
/// 0 dB survives the way through a host's 0..1 scale as a gain of exactly one.
inline constexpr float kStepsPerDb = 10.0F;

/// What lies between the lowest position and `kSilentBelowDb`: a step of its own, "-60.0".
inline constexpr float kNearSilenceDb = -59.95F;

inline juce::NormalisableRange<float> faderRange() {
  return {kSilenceDb, kHighestDb,
          [](float low, float high, float proportion) { return low + (high - low) * proportion; },
          [](float low, float high, float value) { return (value - low) / (high - low); },
          [](float low, float high, float value) {
            if (value <= low) return low;
            if (value < kSilentBelowDb) return kNearSilenceDb;
            return juce::jlimit(low, high, std::round(value * kStepsPerDb) / kStepsPerDb);
          }};
}

/// "-3.0", "0.0", "-inf", or "-60.0" just above it; the unit is the parameter's label.
inline juce::String faderText(float gainDb) {
  if (gainDb > kSilenceDb && gainDb < kSilentBelowDb) return "-60.0";
  return gainDb <= kSilenceDb ? juce::String("-inf") : juce::String(gainDb, 1);
}

/// Position of a fader for what `faderText` writes and people type, see `gainFromText`;
/// `otherwise` for what is no gain.
inline float faderValue(const juce::String& text, float otherwise) {
  if (text == faderText(kNearSilenceDb)) return kNearSilenceDb;
  return gainFromText(text.toStdString()).value_or(otherwise);
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
    FocusParameter* focus;
  };

  /// `status` tells how the engine is; called on any thread but the audio thread.
  StemParameters(juce::AudioProcessor& processor, std::function<juce::String()> status) {
    for (std::size_t stem = 0; stem < strips.size(); ++stem) {
      const juce::String id(kStemNames[stem]);
      const juce::String name = stemTitle(static_cast<int>(stem));
      strips[stem] = {addFader(processor, id + "_gain", name + " Gain"),
                      addSwitch(processor, id + "_mute", name + " Mute"),
                      addSwitch(processor, id + "_solo", name + " Solo"), nullptr};
    }
    outputGain = addFader(processor, "output_gain", "Output Gain");
    bypass = addSwitch(processor, "bypass", "Bypass");
    // The newest settings last: some hosts know parameters by their place.
    for (std::size_t stem = 0; stem < strips.size(); ++stem) {
      strips[stem].focus = new FocusParameter(juce::String(kStemNames[stem]) + "_focus",
                                              stemTitle(static_cast<int>(stem)) + " Focus");
      processor.addParameter(strips[stem].focus);
    }
    processor.addParameter(new StatusParameter(std::move(status)));
  }

  /// What the faders and switches ask for, for a model with the stems in `present`.
  StemGains gains(const StemSet& present) const noexcept { return effectiveGains(positions(), present); }

  /// Faders and switches as they stand.
  FaderPositions positions() const noexcept {
    FaderPositions positions;
    for (std::size_t stem = 0; stem < strips.size(); ++stem)
      positions.strips[stem] = {strips[stem].gain->get(), strips[stem].mute->get(), strips[stem].solo->get()};
    positions.outputDb = outputGain->get();
    positions.bypass = bypass->get();
    return positions;
  }

  /// How sharply stems are to be told apart. Audio thread.
  StemFocus focus() const noexcept {
    StemFocus all{};
    for (std::size_t stem = 0; stem < strips.size(); ++stem) all[stem] = strips[stem].focus->get();
    return all;
  }

  /// All that a user sets.
  juce::Array<juce::AudioProcessorParameter*> settings() const {
    juce::Array<juce::AudioProcessorParameter*> all;
    for (const Strip& strip : strips) {
      all.add(strip.gain);
      all.add(strip.mute);
      all.add(strip.solo);
      all.add(strip.focus);
    }
    all.add(outputGain);
    all.add(bypass);
    return all;
  }

  std::array<Strip, kNumStems> strips{};
  juce::AudioParameterFloat* outputGain = nullptr;
  juce::AudioParameterBool* bypass = nullptr;

 private:
  static juce::AudioParameterFloat* addFader(juce::AudioProcessor& processor, const juce::String& id,
                                             const juce::String& name) {
    // What is no gain leaves the fader where it is.
    auto self = std::make_shared<const juce::AudioParameterFloat*>(nullptr);
    auto parameter = std::make_unique<juce::AudioParameterFloat>(
        juce::ParameterID{id, 1}, name, faderRange(), 0.0F,
        juce::AudioParameterFloatAttributes()
            .withLabel("dB")
            .withStringFromValueFunction([](float value, int) { return faderText(value); })
            .withValueFromStringFunction([self](const juce::String& text) {
              return faderValue(text, *self != nullptr ? (*self)->get() : 0.0F);
            }));
    auto* raw = parameter.get();
    *self = raw;
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
