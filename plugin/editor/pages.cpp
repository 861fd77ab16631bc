// SPDX-License-Identifier: GPL-3.0-or-later
// See pages.h.
#include "editor/pages.h"

#include "editor/StemlaneLook.h"
#include "host/engine_configuration.h"
#include "host/user_folders.h"
#include "platform/text_path.h"
#include "processor/PluginFiles.h"
#include "processor/Presets.h"

namespace stemlane {
namespace {

juce::File userFile(const contract::UserFolder& folder, const char* name) {
  const std::string path = user_folder(folder).string();
  return path.empty() ? juce::File() : juce::File(juce::String::fromUTF8(path.c_str())).getChildFile(name);
}

InfoPanel::Row folderRow(const char* name, const juce::File& folder) {
  if (folder == juce::File()) return {name, "there is no home folder"};
  return {name, folder.getFullPathName(), "Open", [folder] {
            folder.createDirectory();
            folder.startAsProcess();
          }};
}

constexpr const char* kProcessor = contract::kProviders.back();

/// Offers what can compute the networks; the choice goes into the user's engine.conf and restarts this
/// engine.
/// The menu goes with the editor it lies in.
void chooseProvider(StemlaneProcessor& processor, juce::Component& editor, const juce::String& now,
                    std::function<void(juce::String)> onChange) {
  juce::PopupMenu menu;
  int number = 0;
  for (const char* name : contract::kProviders) menu.addItem(++number, name, true, now == name);
  const auto options = juce::PopupMenu::Options().withParentComponent(&editor).withMousePosition();
  menu.showMenuAsync(options, [&processor, open = juce::Component::SafePointer(&editor),
                               onChange = std::move(onChange)](int chosen) {
    if (chosen == 0 || open == nullptr) return;
    const std::string problem = set_configured(user_engine_configuration(), contract::kProviderKey,
                                               contract::kProviders.at(static_cast<std::size_t>(chosen - 1)));
    if (problem.empty()) processor.restartEngine();
    onChange(juce::String::fromUTF8(problem.c_str()));
  });
}

/// What computes the networks: asked for in the environment or the user's engine.conf. What runs, the engine
/// says.
InfoPanel::Row computingRow(StemlaneProcessor& processor, juce::Component& editor,
                            const juce::String& problem, std::function<void(juce::String)> onChange) {
  const juce::String says = juce::String::fromUTF8(processor.status().text.c_str());
  const juce::String variable = contract::kProviderVariable;
  const juce::String ordered = juce::SystemStats::getEnvironmentVariable(variable, {});
  if (ordered.isNotEmpty()) return {"Computing", variable + " asks for " + ordered + ": " + says};
  const std::string set = configured_in(user_engine_configuration(), contract::kProviderKey);
  const juce::String provider = set.empty() ? juce::String(kProcessor) : juce::String::fromUTF8(set.c_str());
  juce::String text = problem;
  if (text.isEmpty() && provider == kProcessor)
    text = "on the processor, one thread an instance (HTDemucs: up to eight, or OMP_NUM_THREADS)";
  else if (text.isEmpty())
    text = provider + ", if it gives the right stems: " + says;
  return {"Computing", text, "Change", [&processor, &editor, provider, onChange = std::move(onChange)] {
            chooseProvider(processor, editor, provider, onChange);
          }};
}

}  // namespace

std::vector<InfoPanel::Row> settingsRows(StemlaneProcessor& processor, juce::Component& editor,
                                         const juce::String& problem,
                                         std::function<void(juce::String)> onChange) {
  const juce::String log = juce::SystemStats::getEnvironmentVariable("STEMLANE_ENGINE_LOG", {});
  const juce::File configuration = userFile(contract::kUserConfig, contract::kEngineConfigurationFile);
  std::vector<InfoPanel::Row> rows;
  if (const auto& device = processor.audioDevice(); device.choose)
    rows.push_back({"Audio device", device.said(), "Choose", device.choose});
  const std::vector<InfoPanel::Row> others = {
      {"Engine", engineExecutable().getFullPathName(), "Restart",
       [&processor] { processor.restartEngine(); }},
      {"Engine's Python", configuration.existsAsFile()
                              ? "named in " + configuration.getFullPathName()
                              : "found beside the plugin; a line python=PATH in " +
                                    configuration.getFullPathName() + " names another"},
      computingRow(processor, editor, problem, std::move(onChange)),
      folderRow("Models", userFile(contract::kUserData, contract::kModelsFolder)),
      folderRow("Presets", presetsFolder()),
      log.isNotEmpty()
          ? InfoPanel::Row{"Log", log, "Reveal", [log] { juce::File(log).revealToUser(); }}
          : InfoPanel::
                Row{"Log",
                    "none; STEMLANE_ENGINE_LOG=FILE in the host's environment makes the engine write one"},
  };
  rows.insert(rows.end(), others.begin(), others.end());
  return rows;
}

std::vector<InfoPanel::Row> aboutRows() {
  const juce::String typeface = StemlaneLook::typefaceLicence();
  return {
      {"Stemlane", JucePlugin_VersionString},
      {"Licence",
       juce::String("core and engine MIT; this plugin, which contains JUCE, ") + STEMLANE_BINARY_LICENCE},
      {"JUCE", STEMLANE_JUCE_VERSION},
      {"VST", "VST is a trademark of Steinberg Media Technologies GmbH"},
      {"Typeface", typeface.isNotEmpty() ? typeface : juce::String("the system's")},
      {"Models", "each names its licence and its training data: stemlane models show NAME"},
      {"Sources", "in the bundle, Contents/Resources/licences names what else is in it"},
  };
}

}  // namespace stemlane
