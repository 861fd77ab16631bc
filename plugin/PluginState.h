// SPDX-License-Identifier: GPL-3.0-or-later
// The saved state of the plugin:
//
//     <STEMLANE version="1" model="mix" vocals_gain="-inf" drums_mute="On" ...
//               engine_state="ready" engine_text="..." latency_samples="9792"/>
//
// in JUCE's binary wrapping. Every parameter is an attribute named by its id, its value
// the text a user sees. What is missing takes its default; what is unknown is ignored, and
// not kept. Later versions may add attributes, and never give one another meaning; the
// version tells readers of a state, this one reads all alike.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <optional>

#include "engine_protocol.h"

namespace stemlane {

/// Facts that travel along for whoever reads a state; never read back.
struct StateNotes {
  EngineState engineState = EngineState::starting;
  juce::String engineText;
  int latencySamples = 0;
};

/// "starting", "ready", "late" or "failed".
const char* stateName(EngineState state) noexcept;

/// Writes a state. Control thread.
void writeState(juce::MemoryBlock& target, const juce::String& model,
                const juce::Array<juce::AudioProcessorParameter*>& parameters,
                const StateNotes& notes);

/// Reads a state: sets the parameters and returns the model's name, empty if the state
/// names none. Data that is no state of this plugin changes nothing and gives nothing.
/// Control thread.
std::optional<juce::String> readState(const void* data, int size,
                                      const juce::Array<juce::AudioProcessorParameter*>& parameters);

}  // namespace stemlane
