// SPDX-License-Identifier: GPL-3.0-or-later
// The saved state of the plugin:
//
//     <STEMLANE version="1" model="mix" vocals_gain="-inf" drums_mute="On" ... />
//
// in JUCE's binary wrapping. It holds what the user has chosen and nothing else. Every parameter is an
// attribute named by its id, its value the text a user sees. What is missing takes its default; what is
// unknown does nothing and is written again, so that a session of a later version survives being opened and
// saved in this one. `editor_width` and `editor_height` are there once the window has been resized. Later
// versions may add attributes and elements, and never give one another meaning; the version says who wrote a
// state, this one reads all alike.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <memory>
#include <optional>
#include <string>

#include "link/engine_protocol.h"

namespace stemlane {

/// Larger states are refused.
inline constexpr std::size_t kMostStateBytes = std::size_t{1} << 18;

/// The editor's size in pixels of a plain screen, and what it may be: smaller, and texts do not fit;
/// larger than any screen, and it is damage.
struct EditorSize {
  int width = 0;
  int height = 0;
  bool operator==(const EditorSize&) const = default;
};
inline constexpr EditorSize kSmallestEditor{640, 480};
inline constexpr EditorSize kLargestEditor{4096, 2400};

/// What a state holds beside the parameters.
struct SavedState {
  juce::String model;  ///< empty if the state names none
  /// As the user has left it; nothing if it has never been changed.
  std::optional<EditorSize> editorSize;
  /// What this version does not know; written again as it is. Null: nothing.
  std::unique_ptr<juce::XmlElement> unknown;
};

/// "starting", "ready", "late" or "failed".
const char* stateName(EngineState state) noexcept;

/// The element of a state in a text; null for what `readState` refuses. Any thread but the audio thread.
std::unique_ptr<juce::XmlElement> parseState(const std::string& text);

/// Position of a parameter for a text of a state or a preset; its default for what is no value.
float valueOfText(const juce::AudioProcessorParameterWithID& parameter, const juce::String& text);

/// Writes a state. Control thread.
void writeState(juce::MemoryBlock& target, const SavedState& state,
                const juce::Array<juce::AudioProcessorParameter*>& parameters);

/// Reads a state: sets the parameters and returns the rest. Data that is no state of this
/// plugin, or one that could not be written again (larger than 256 KiB, more than 500 tags, no
/// UTF-8, a model's name of more than 100 bytes), changes nothing and gives nothing. Control thread.
std::optional<SavedState> readState(const void* data, int size,
                                    const juce::Array<juce::AudioProcessorParameter*>& parameters);

}  // namespace stemlane
