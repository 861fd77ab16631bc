// SPDX-License-Identifier: GPL-3.0-or-later
// See pages.h.
#include "editor/pages.h"

#include "editor/StemlaneLook.h"
#include "host/user_folders.h"
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

}  // namespace

std::vector<InfoPanel::Row> settingsRows(StemlaneProcessor& processor) {
  const juce::String provider = juce::SystemStats::getEnvironmentVariable("STEMLANE_PROVIDER", {});
  const juce::String log = juce::SystemStats::getEnvironmentVariable("STEMLANE_ENGINE_LOG", {});
  const juce::File configuration = userFile(contract::kUserConfig, contract::kEngineConfigurationFile);
  return {
      {"Engine", engineExecutable().getFullPathName(), "Restart",
       [&processor] { processor.restartEngine(); }},
      {"Engine's Python", configuration.existsAsFile()
                              ? "named in " + configuration.getFullPathName()
                              : "found beside the plugin; a line python=PATH in " +
                                    configuration.getFullPathName() + " names another"},
      {"Computing", provider.isEmpty()
                        ? juce::String("on the processor, one thread an instance (HTDemucs: up to eight, or "
                                       "OMP_NUM_THREADS); STEMLANE_PROVIDER asks for another device")
                        : "STEMLANE_PROVIDER asks for " + provider},
      folderRow("Models", userFile(contract::kUserData, contract::kModelsFolder)),
      folderRow("Presets", presetsFolder()),
      log.isNotEmpty()
          ? InfoPanel::Row{"Log", log, "Reveal", [log] { juce::File(log).revealToUser(); }}
          : InfoPanel::
                Row{"Log",
                    "none; STEMLANE_ENGINE_LOG=FILE in the host's environment makes the engine write one"},
  };
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
