// SPDX-License-Identifier: GPL-3.0-or-later
// Presets: plain sets of parameters. Some come with the plugin, the user's own are files:
//
//     <STEMLANE version="1" vocals_mute="On" drums_gain="-3.0" ... />
//
// the element of a state (PluginState.h) without a model, as text, so that a script can load one too:
// stemlane.load_plugin(preset="…/Karaoke.xml"). Gains that a preset does not name stay, and so does
// bypass; switches that it does not name go off.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <optional>
#include <utility>
#include <vector>

#include "processor/Edits.h"
#include "processor/effective_gains.h"

namespace stemlane {

struct Preset {
  juce::String name;
  /// Parameter's id and value, as a state writes them.
  std::vector<std::pair<juce::String, juce::String>> settings;
  juce::String tip = {};
};

/// What a preset sets, as positions of the parameters.
std::vector<Edits::Setting> settingsOf(const Preset& preset, const Edits::Parameters& parameters);

/// True if the parameters stand as the preset sets them.
bool isInForce(const Preset& preset, const Edits::Parameters& parameters);

/// True if the model has all stems that a preset names: without them it would do less than it says.
bool fitsModel(const Preset& preset, const StemSet& present);

/// Those of the model's stems that are heard while a preset is in force, as far as it says.
StemSet heardIn(const Preset& preset, const StemSet& present);

/// Those that come with the plugin; the first few are for one touch.
const std::vector<Preset>& builtInPresets();
inline constexpr std::size_t kNumOneTouchPresets = 6;

/// Everything at its default but bypass.
std::vector<Edits::Setting> neutralSettings(const Edits::Parameters& parameters);

/// Where the user's presets lie; it need not exist.
juce::File presetsFolder();
/// The user's presets, by name. What is none, or damaged, is left out. Message thread: reads files.
std::vector<Preset> usersPresets();
/// Writes how the parameters stand into a file of the user's; empty, or why it cannot be.
juce::String savePreset(const juce::String& name, const Edits::Parameters& parameters);
/// The preset in a file; nothing if it is none.
std::optional<Preset> readPreset(const juce::File& file);

}  // namespace stemlane
