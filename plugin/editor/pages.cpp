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

/// Offers names in a menu, the present one ticked. `take` gets the place of the one that is chosen. The menu
/// goes with the editor it lies in.
void choose(juce::Component& editor, const juce::StringArray& names, int now, std::function<void(int)> take) {
  juce::PopupMenu menu;
  for (int place = 0; place < names.size(); ++place)
    menu.addItem(place + 1, names[place], true, place == now);
  const auto options = juce::PopupMenu::Options().withParentComponent(&editor).withMousePosition();
  menu.showMenuAsync(options,
                     [open = juce::Component::SafePointer(&editor), take = std::move(take)](int chosen) {
                       if (chosen != 0 && open != nullptr) take(chosen - 1);
                     });
}

/// What can compute the networks; the choice goes into the user's engine.conf and restarts this engine.
void chooseProvider(StemlaneProcessor& processor, juce::Component& editor, const juce::String& now,
                    std::function<void(juce::String)> onChange) {
  juce::StringArray names;
  for (const char* name : contract::kProviders) names.add(name);
  choose(editor, names, names.indexOf(now), [&processor, names, onChange = std::move(onChange)](int chosen) {
    const std::string problem =
        set_configured(user_engine_configuration(), contract::kProviderKey, names[chosen].toStdString());
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
    text = "on the processor";
  else if (text.isEmpty())
    text = provider + ", if it gives the right stems: " + says;
  return {"Computing", text, "Change", [&processor, &editor, provider, onChange = std::move(onChange)] {
            chooseProvider(processor, editor, provider, onChange);
          }};
}

/// How many threads work on a recording of the page of files; the next ones take what is chosen.
InfoPanel::Row threadsRow(FileQueue& files, juce::Component& editor,
                          std::function<void(juce::String)> onChange) {
  const int now = files.settings().threads;
  const juce::String text =
      now == 0 ? juce::String("automatic, one for each processor, up to eight")
               : juce::String(now) + " of " + juce::String(juce::SystemStats::getNumCpus()) + " processors";
  // docs/decisions/10-load.md
  const char* const insert = ". A live insert takes one (HTDemucs and its like: up to eight)";
  return {"Threads for files", text + insert, "Change",
          [&files, &editor, now, onChange = std::move(onChange)] {
            juce::StringArray names = {"automatic"};
            for (int count = 1; count <= juce::SystemStats::getNumCpus(); ++count)
              names.add(juce::String(count));
            choose(editor, names, now, [&files, onChange](int chosen) {
              files.settings().threads = chosen;
              files.rememberSettings();
              onChange({});
            });
          }};
}

}  // namespace

std::vector<InfoPanel::Row> settingsRows(StemlaneProcessor& processor, juce::Component& editor,
                                         const juce::String& problem,
                                         std::function<void(juce::String)> onChange) {
  const juce::String log = juce::SystemStats::getEnvironmentVariable("STEMLANE_ENGINE_LOG", {});
  const juce::File configuration = userFile(contract::kUserConfig, contract::kEngineConfigurationFile);
  const bool namesPython = !configured_in(user_engine_configuration(), contract::kPythonKey).empty();
  std::vector<InfoPanel::Row> rows;
  if (const auto& device = processor.audioDevice(); device.choose)
    rows.push_back({"Audio device", device.said(), "Choose", device.choose});
  const std::vector<InfoPanel::Row> others = {
      {"Engine", engineExecutable().getFullPathName(), "Restart",
       [&processor] { processor.restartEngine(); }},
      {"Engine's Python", namesPython ? "named in " + configuration.getFullPathName()
                                      : "found beside the plugin; a line python=PATH in " +
                                            configuration.getFullPathName() + " names another"},
      computingRow(processor, editor, problem, onChange),
      threadsRow(processor.files(), editor, std::move(onChange)),
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
