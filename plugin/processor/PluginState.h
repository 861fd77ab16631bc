// SPDX-License-Identifier: GPL-3.0-or-later
// The saved state of the plugin:
//
//     <STEMLANE version="1" model="mix" vocals_gain="-inf" drums_mute="On" ... />
//
// in JUCE's binary wrapping. It holds what the user has chosen and nothing else. Every parameter is an
// attribute named by its id, its value the text a user sees. What is missing takes its default; what is
// unknown does nothing and is written again, so that a session of a later version survives being opened and
// saved in this one. Later versions may add attributes and elements, and never give one another meaning; the
// version says who wrote a state, this one reads all alike.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <memory>
#include <optional>

#include "link/engine_protocol.h"

namespace stemlane {

/// What a state holds beside the parameters.
struct SavedState {
  juce::String model;  ///< empty if the state names none
  /// What this version does not know; written again as it is. Null: nothing.
  std::unique_ptr<juce::XmlElement> unknown;
};

/// "starting", "ready", "late" or "failed".
const char* stateName(EngineState state) noexcept;

/// Writes a state. Control thread.
void writeState(juce::MemoryBlock& target, const SavedState& state,
                const juce::Array<juce::AudioProcessorParameter*>& parameters);

/// Reads a state: sets the parameters and returns the rest. Data that is no state of this
/// plugin, or one that could not be written again (larger than 256 KiB, more than 500 tags, no
/// UTF-8, a model's name of more than 100 bytes), changes nothing and gives nothing. Control thread.
std::optional<SavedState> readState(const void* data, int size,
                                    const juce::Array<juce::AudioProcessorParameter*>& parameters);

}  // namespace stemlane
