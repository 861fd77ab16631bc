// SPDX-License-Identifier: GPL-3.0-or-later
// See Presets.h.
#include "processor/Presets.h"

#include <algorithm>

#include "core/contract.h"
#include "host/small_file.h"
#include "host/user_folders.h"
#include "processor/PluginState.h"
#include "processor/StemParameters.h"

namespace stemlane {
namespace {

constexpr const char* kEnding = ".xml";
constexpr int kMostPresets = 1000;
constexpr int kLongestName = 80;

const juce::String kOn = "On";

const juce::AudioProcessorParameterWithID* withId(const juce::AudioProcessorParameter* parameter) {
  return dynamic_cast<const juce::AudioProcessorParameterWithID*>(parameter);
}

bool isSwitch(const juce::AudioProcessorParameter* parameter) {
  return dynamic_cast<const juce::AudioParameterBool*>(parameter) != nullptr;
}

bool isBypass(const juce::AudioProcessorParameter* parameter) {
  return withId(parameter)->getParameterID() == "bypass";
}

}  // namespace

const std::vector<Preset>& builtInPresets() {
  static const std::vector<Preset> all = {
      {"Karaoke", {{"vocals_mute", kOn}}, "Everything but the vocals"},
      {"A cappella", {{"vocals_solo", kOn}}, "The vocals alone"},
      {"Drumless", {{"drums_mute", kOn}}, "Everything but the drums, to play along"},
      {"Bass practice", {{"bass_mute", kOn}}, "Everything but the bass, to play along"},
      {"Drums + bass", {{"drums_solo", kOn}, {"bass_solo", kOn}}, "The rhythm section alone"},
      {"Vocals +3 dB", {{"vocals_gain", "3.0"}}, "The vocals a little louder"},
      {"Vocals -3 dB", {{"vocals_gain", "-3.0"}}, "The vocals a little softer"},
      {"Drums +3 dB", {{"drums_gain", "3.0"}}, "The drums a little louder"},
      {"Learn the bass",
       {{"bass_gain", "6.0"}, {"drums_gain", "-6.0"}, {"vocals_gain", "-6.0"}},
       "The bass in front"},
      {"Drums alone", {{"drums_solo", kOn}}, "The drums alone"},
      {"Bass alone", {{"bass_solo", kOn}}, "The bass alone"},
  };
  return all;
}

std::vector<Edits::Setting> settingsOf(const Preset& preset, const Edits::Parameters& parameters) {
  std::vector<Edits::Setting> settings;
  for (auto* parameter : parameters) {
    const juce::String& id = withId(parameter)->getParameterID();
    const auto named = std::find_if(preset.settings.begin(), preset.settings.end(),
                                    [&](const auto& setting) { return setting.first == id; });
    if (named != preset.settings.end())
      settings.emplace_back(parameter, valueOfText(*withId(parameter), named->second));
    else if (isSwitch(parameter) && !isBypass(parameter))
      settings.emplace_back(parameter, 0.0F);
  }
  return settings;
}

bool isInForce(const Preset& preset, const Edits::Parameters& parameters) {
  const auto settings = settingsOf(preset, parameters);
  return std::all_of(settings.begin(), settings.end(), [](const Edits::Setting& setting) {
    return setting.first->getValue() == setting.second;
  });
}

bool fitsModel(const Preset& preset, const StemSet& present) {
  return std::all_of(preset.settings.begin(), preset.settings.end(), [&](const auto& setting) {
    for (std::size_t stem = 0; stem < kNumStems; ++stem)
      if (setting.first.upToFirstOccurrenceOf("_", false, false) == kStemNames[stem]) return present[stem];
    return true;
  });
}

StemSet heardIn(const Preset& preset, const StemSet& present) {
  FaderPositions positions;
  for (const auto& [id, value] : preset.settings) {
    for (std::size_t stem = 0; stem < kNumStems; ++stem) {
      if (!id.startsWith(juce::String(kStemNames[stem]) + "_")) continue;
      if (id.endsWith("_mute")) positions.strips[stem].mute = value == kOn;
      if (id.endsWith("_solo")) positions.strips[stem].solo = value == kOn;
    }
  }
  const StemGains gains = effectiveGains(positions, present);
  StemSet heard{};
  for (std::size_t stem = 0; stem < kNumStems; ++stem) heard[stem] = present[stem] && gains[stem] > 0.0F;
  return heard;
}

std::vector<Edits::Setting> neutralSettings(const Edits::Parameters& parameters) {
  std::vector<Edits::Setting> settings;
  for (auto* parameter : parameters)
    if (!isBypass(parameter)) settings.emplace_back(parameter, parameter->getDefaultValue());
  return settings;
}

juce::File presetsFolder() {
  const std::string folder = user_folder(contract::kUserData).string();
  if (folder.empty()) return {};
  return juce::File(juce::String::fromUTF8(folder.c_str())).getChildFile(contract::kPresetsFolder);
}

std::optional<Preset> readPreset(const juce::File& file) {
  const auto xml = parseState(read_small_file(file.getFullPathName().toStdString(), kMostStateBytes + 1));
  if (xml == nullptr) return std::nullopt;
  Preset preset{file.getFileNameWithoutExtension(), {}};
  for (int i = 0; i < xml->getNumAttributes(); ++i)
    preset.settings.emplace_back(xml->getAttributeName(i), xml->getAttributeValue(i));
  return preset;
}

std::vector<Preset> usersPresets() {
  std::vector<Preset> presets;
  const juce::File folder = presetsFolder();
  if (folder == juce::File()) return presets;
  auto files = folder.findChildFiles(juce::File::findFiles, false, juce::String("*") + kEnding);
  files.sort();
  for (const juce::File& file : files) {
    if (static_cast<int>(presets.size()) == kMostPresets) break;
    if (auto preset = readPreset(file)) presets.push_back(std::move(*preset));
  }
  return presets;
}

juce::String savePreset(const juce::String& name, const Edits::Parameters& parameters) {
  const juce::String fileName = juce::File::createLegalFileName(name.trim());
  if (fileName.isEmpty() || fileName.startsWithChar('.') || fileName.length() > kLongestName)
    return "'" + name.substring(0, kLongestName) + "' is no name for a file: use letters, up to 80";
  const juce::File folder = presetsFolder();
  if (folder == juce::File()) return "there is no home folder to keep presets in";
  juce::XmlElement xml(contract::kStateTag);
  xml.setAttribute("version", contract::kStateVersion);
  for (const auto* parameter : parameters)
    if (!isBypass(parameter))
      xml.setAttribute(withId(parameter)->getParameterID(), parameter->getCurrentValueAsText());
  const juce::File file = folder.getChildFile(fileName + kEnding);
  // Written beside it and moved over it: never half a preset.
  if (!folder.createDirectory().wasOk() || !xml.writeTo(file))
    return file.getFullPathName() + " cannot be written";
  return {};
}

}  // namespace stemlane
